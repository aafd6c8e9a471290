"""Asks a server hostile requests: `python scripts/fuzz_server.py --requests 3000 --seed 0`."""

import tempfile
from pathlib import Path
from typing import Annotated

import typer
from benchmarks.serving import served
from fuzzing.over_grpc import OverGrpc
from fuzzing.over_rest import OverRest
from fuzzing.serving import run


def fuzz(
    requests: Annotated[int, typer.Option(min=1, help="How many of each interface, of all kinds in turn.")] = 3000,
    seed: Annotated[int, typer.Option(help="The same seed makes the same requests.")] = 0,
):
    """Serve a small model, and ask what nobody should: broken JSON, HTTP and messages, bombs, odd paths, long bodies.

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
        failed = False
        with served(directory) as (_, rest_port, grpc_port):
            for interface, hostile in {
                "REST": OverRest(rest_port, "small", seed),
                "gRPC": OverGrpc(grpc_port, "small", seed),
            }.items():
                failures, good = run(hostile, requests)
                for failure in failures:
                    typer.echo(f"{failure.kind} {failure.number}: {failure.said}")
                typer.echo(
                    f"{interface}: {requests} hostile requests, {good} good ones beside: {len(failures)} failures"
                )
                failed |= bool(failures)
    raise typer.Exit(int(failed))


if __name__ == "__main__":
    typer.run(fuzz)
