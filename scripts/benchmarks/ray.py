"""Times photographs to maps on a Ray cluster: `python scripts/benchmark.py ray --json ray.json`."""

import json
import os
import tempfile
import time
from pathlib import Path
from typing import Annotated

import rich.console
import typer
from benchmarks.predict import _photographs


def ray(
    model: Annotated[str, typer.Argument(help="A model that comes along, a run or a .keras file.")] = "fast",
    json_file: Annotated[Path | None, typer.Option("--json", help="Where the numbers are written.")] = None,
    photographs: Annotated[int, typer.Option(min=1, help="How many.")] = 200,
    size: Annotated[tuple[int, int], typer.Option(help="Height and width of the photographs.")] = (600, 800),
):
    """Compare predict in this process with predict on a Ray cluster on this machine, each core an actor."""
    import keras_saliency as ks
    from keras_saliency.data.machines import connect
    from keras_saliency.serving.on_ray import predict_on_ray

    console = rich.console.Console()
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        (folder / "photographs").mkdir()
        files = _photographs(folder / "photographs", photographs, size)
        began = time.perf_counter()
        ks.predict(model, files, folder / "here", verbose=False)
        seconds = {"here": time.perf_counter() - began}
        connect()  # is not counted, as the start of Python is not
        first = []
        began = time.perf_counter()
        predict_on_ray(
            model,
            files,
            folder / "ray",
            progress=lambda done, total: first or first.append((done, time.perf_counter() - began)),
        )
        seconds["ray"] = time.perf_counter() - began
        same = all(
            path.read_bytes() == (folder / "ray" / path.name).read_bytes() for path in (folder / "here").iterdir()
        )
    (_, until), whole = first[0], seconds["ray"]
    console.print(f"{photographs} photographs, {os.cpu_count()} cores; the same files: {same}")
    console.print(f"here: {photographs / seconds['here']:.2f} images/s; on Ray: {photographs / whole:.2f}")
    console.print(f"on Ray the first batch is done after {until:.1f} s")
    if json_file:
        json_file.write_text(
            json.dumps({"photographs": photographs, "seconds": seconds, "same": same}, indent=2) + "\n"
        )
