"""Asks a server hostile requests: `python scripts/fuzz_server.py --requests 3000 --seed 0`."""

import tempfile
from pathlib import Path
from typing import Annotated

import typer
from benchmarks.serving import served
from fuzzing.serving import Hostile, run


def fuzz(
    requests: Annotated[int, typer.Option(min=1, help="How many, of all kinds in turn.")] = 3000,
    seed: Annotated[int, typer.Option(help="The same seed makes the same requests.")] = 0,
):
    """Serve a small model, and ask what nobody should: broken JSON and HTTP, bombs, odd paths, bodies without end.

    Each must be refused within 2 s by a status that TensorFlow Serving has for it, while good requests beside are
    answered. Exit code 1 says that one was not.
    """
    import keras

    import keras_saliency as ks

    keras.utils.set_random_seed(0)
    with tempfile.TemporaryDirectory() as folder:
        directory = Path(folder) / "small"
        model = ks.create_model("multilevel", backbone="mobilenetv3", weights=None, area=64 * 96)
        ks.export_saved_model(model, directory / "1")
        with served(directory) as (_, rest_port, _):
            failures, good = run(Hostile(rest_port, directory.name, seed), requests)
    for failure in failures:
        typer.echo(f"{failure.kind} {failure.number}: {failure.said}")
    typer.echo(f"{requests} hostile requests, {good} good ones beside: {len(failures)} failures")
    raise typer.Exit(int(bool(failures)))


if __name__ == "__main__":
    typer.run(fuzz)
