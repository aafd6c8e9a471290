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
    """Compare images a second of the network alone, and from the bytes of a photograph to its map; and what is lost."""
    import tensorflow as tf

    import keras_saliency as ks
    from keras_saliency.data import image_files, showing
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
        alone = {"SavedModel": lambda images: loaded.predict(tf.constant(images)).numpy()}
        sizes = {"SavedModel": _megabytes(folder / "saved" / "1")}
        for to in RUNTIMES:
            for quantize in (None, "int8"):
                title = f"{to} {quantize}" if quantize else to
                made = folder / title
                ks.export_network(network, made, to, quantize=quantize, photographs=ranges if quantize else ())
                opened = ks.open_network(made)
                called[title], alone[title] = _native(opened, image_files), opened.call
                sizes[title] = _megabytes(made)
        right = [called["SavedModel"](data) for data in timed]  # makes graphs
        lost = {name: _lost(call, timed, right) for name, call in called.items()}
        shown = [showing.show(image_files.decode(data).numpy(), opened.shown).numpy() for data in timed]
        took = {name: ([], []) for name in called}
        for turn in range(repeats + 1):  # The first makes graphs, and plans of memory.
            for name in called:
                found = _seconds(alone[name], shown), _seconds(called[name], timed)
                if turn:
                    for each, seconds in zip(took[name], found, strict=True):
                        each.append(seconds)
    rates = {name: [1 / statistics.median(turns) for turns in both] for name, both in took.items()}
    console.print(f"{model}, {os.cpu_count()} cores: the network alone, and photographs to maps of their size")
    console.print("| | images/s | beside the SavedModel | images/s, whole | beside it | MB | lost, bit |")
    console.print("|---|---|---|---|---|---|---|")
    for name, (bare, whole) in rates.items():
        beside = [each / known for each, known in zip((bare, whole), rates["SavedModel"], strict=True)]
        row = f"{bare:.1f} | {beside[0]:.2f} | {whole:.1f} | {beside[1]:.2f} | {sizes[name]:.1f} | {lost[name]:.4f}"
        console.print(f"| {name} | {row} |", markup=False)
    if json_file:
        json_file.write_text(json.dumps({"rates": rates, "megabytes": sizes, "lost": lost}, indent=2) + "\n")


def _seconds(call, inputs):
    began = time.perf_counter()
    for each in inputs:
        call(each)
    return (time.perf_counter() - began) / len(inputs)


def _native(network, image_files):
    return lambda data: network.native(image_files.decode(data).numpy())


def _megabytes(folder):
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6


def _lost(call, timed, right):
    """Bits of a fixation, if the SavedModel is right."""
    pairs = zip((call(data) for data in timed), right, strict=True)
    return float(np.mean([np.sum(np.exp(kept) * (kept - made)) for made, kept in pairs]) / np.log(2))
