"""Times photographs to maps: `python scripts/benchmark.py predict --json predict.json`."""

import itertools
import json
import os
import tempfile
import time
from pathlib import Path
from typing import Annotated

import rich.console
import typer


def _photographs(folder, count, size):
    """JPEG files of one size, each another cut from a photograph."""
    import numpy as np
    import skimage.data
    from PIL import Image

    whole, rng = Image.fromarray(skimage.data.coffee()), np.random.default_rng(0)
    for i in range(count):
        left, top = rng.uniform(0, 0.2, 2) * whole.size
        box = (left, top, left + 0.8 * whole.width, top + 0.8 * whole.height)
        whole.resize(size[::-1], box=box).save(folder / f"{i:03}.jpg", quality=92)
    return sorted(folder.iterdir())


def predict(
    json_file: Annotated[Path | None, typer.Option("--json", help="Where the numbers are written.")] = None,
    photographs: Annotated[int, typer.Option(min=1, help="How many.")] = 32,
    size: Annotated[tuple[int, int], typer.Option(help="Height and width of the photographs.")] = (600, 800),
    repeats: Annotated[int, typer.Option(min=1, help="Measurements of each; the fastest counts.")] = 5,
):
    """Compare the maps and overlays that predict writes with the maps that a SavedModel serves."""
    import keras
    import tensorflow as tf

    import keras_saliency as ks

    keras.utils.set_random_seed(0)
    model = ks.create_model("multilevel", weights=None)
    with tempfile.TemporaryDirectory() as folder:
        folder, numbers = Path(folder), itertools.count()
        ks.export_saved_model(model, folder / "served" / "1")
        loaded = tf.saved_model.load(str(folder / "served" / "1"))
        (folder / "photographs").mkdir()
        files = _photographs(folder / "photographs", photographs, size)

        def serve():
            out = folder / f"served{next(numbers)}"
            out.mkdir()
            for file in files:
                pngs = loaded.signatures["png"](image_bytes=tf.constant([file.read_bytes()]))["saliency_png_bytes"]
                (out / f"{file.stem}.png").write_bytes(pngs.numpy()[0])

        functions = {
            "predict": lambda: ks.predict(model, files, folder / f"maps{next(numbers)}", verbose=False),
            "SavedModel, png": serve,
        }
        seconds = {name: [] for name in functions}
        for turn in range(repeats + 1):  # The first compiles.
            for name, function in functions.items():
                started = time.perf_counter()
                function()
                if turn:
                    seconds[name].append(time.perf_counter() - started)
    rates = {name: photographs / min(values) for name, values in seconds.items()}
    ratio = rates["predict"] / rates["SavedModel, png"]
    console = rich.console.Console()
    console.print("photographs/s: " + ", ".join(f"{name} {rate:.1f}" for name, rate in rates.items()))
    console.print(f"predict has {ratio:.0%} of the throughput of the SavedModel (>= 80%)")
    if json_file:
        settings = {"cpu_count": os.cpu_count(), "photographs": photographs, "size": size, "repeats": repeats}
        json_file.write_text(json.dumps({"settings": settings, "rates": rates, "ratio": ratio}, indent=2) + "\n")
