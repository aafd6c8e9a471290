"""Times networks of other runtimes: `python scripts/benchmark.py runtimes --json runtimes.json`."""

import json
import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import Annotated

import numpy as np
import rich.console
import typer
from benchmarks.predict import _photographs


def runtimes(
    model: Annotated[str, typer.Argument(help="A model that comes along, a run or a .keras file.")] = "fast",
    json_file: Annotated[Path | None, typer.Option("--json", help="Where the numbers are written.")] = None,
    photographs: Annotated[
        Path | None,
        typer.Option(help="A folder: half of it finds the ranges of int8, half is timed. By default drawn."),
    ] = None,
    count: Annotated[int, typer.Option(min=2, help="How many photographs are timed.")] = 12,
    repeats: Annotated[int, typer.Option(min=1, help="Turns; the medians count.")] = 3,
):
    """Compare images a second from the bytes of a photograph to its map, and what is lost."""
    import tensorflow as tf

    import keras_saliency as ks
    from keras_saliency.data import image_files
    from keras_saliency.runtimes.table import RUNTIMES

    console, network = rich.console.Console(), ks.load(model).model
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        if photographs is None:
            photographs = folder / "photographs"
            photographs.mkdir()
            _photographs(photographs, 2 * count, (600, 800))
        files = sorted(path for path in photographs.iterdir() if path.suffix.lower() in image_files.READ)
        ranges, timed = files[: len(files) // 2], [path.read_bytes() for path in files[-count:]]
        ks.export_saved_model(network, folder / "saved" / "1")
        loaded = tf.saved_model.load(str(folder / "saved" / "1"))
        called = {"SavedModel": lambda data: loaded.native(tf.constant(data)).numpy()[..., 0]}
        sizes = {"SavedModel": _megabytes(folder / "saved" / "1")}
        for to in RUNTIMES:
            for quantize in (None, "int8"):
                title = f"{to} {quantize}" if quantize else to
                made = folder / title
                ks.export_network(network, made, to, quantize=quantize, photographs=ranges if quantize else ())
                called[title] = _native(ks.open_network(made), image_files)
                sizes[title] = _megabytes(made)
        right = [called["SavedModel"](data) for data in timed]  # makes graphs
        lost = {name: _lost(call, timed, right) for name, call in called.items()}
        took = {name: [] for name in called}
        for _ in range(repeats):
            for name, call in called.items():
                began = time.perf_counter()
                for data in timed:
                    call(data)
                took[name].append((time.perf_counter() - began) / len(timed))
    seconds = {name: statistics.median(turns) for name, turns in took.items()}
    console.print(f"{model}, {os.cpu_count()} cores, photographs to maps of their size:")
    console.print("| | images/s | beside the SavedModel | MB | lost, bit |\n|---|---|---|---|---|")
    for name, each in seconds.items():
        ratio = seconds["SavedModel"] / each
        console.print(f"| {name} | {1 / each:.1f} | {ratio:.2f} | {sizes[name]:.1f} | {lost[name]:.4f} |")
    if json_file:
        json_file.write_text(json.dumps({"seconds": seconds, "megabytes": sizes, "lost": lost}, indent=2) + "\n")


def _native(network, image_files):
    return lambda data: network.native(image_files.decode(data).numpy())


def _megabytes(folder):
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6


def _lost(call, timed, right):
    """Bits of a fixation, if the SavedModel is right."""
    pairs = zip((call(data) for data in timed), right, strict=True)
    return float(np.mean([np.sum(np.exp(kept) * (kept - made)) for made, kept in pairs]) / np.log(2))
