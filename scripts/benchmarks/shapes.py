"""Times pictures of several shapes, in a frame and by a view: `python scripts/benchmark.py shapes`."""

import itertools
import json
import math
import os
import time
from pathlib import Path
from typing import Annotated

import rich.console
import rich.table
import typer

SHAPES = {"4:3": (600, 800), "1:1": (700, 700), "16:9": (540, 960), "1:2": (1000, 500), "3:1": (400, 1200)}
FRAME = (3, 4)
ASKED = 1.2  # times as fast, of squares and wide pictures
PREDICTED = 16  # pictures at once: what a call does once, such as to look at all weights, is not what is measured


def _frame_of(shape, area):
    """The frame of 4:3 in which a picture has an area."""
    inside = min(side / own for side, own in zip(FRAME, shape, strict=True)) ** 2 * math.prod(shape)
    return tuple(round(side * math.sqrt(area / inside)) for side in FRAME)


def shapes(
    json_file: Annotated[Path | None, typer.Option("--json", help="Where the numbers are written.")] = None,
    area: Annotated[int, typer.Option(min=4096, help="Pixels of what the network sees.")] = 384 * 512,
    batch: Annotated[int, typer.Option(min=1, help="Images in a step of training.")] = 4,
    repeats: Annotated[int, typer.Option(min=1, help="Measurements of each; the fastest counts.")] = 5,
):
    """Compare images a second of `osie_lite0`'s network where each picture is seen with the same area."""
    import numpy as np

    import keras_saliency as ks

    rng, measured = np.random.default_rng(0), {}
    model = ks.create_model("multilevel", weights=None, area=area)
    model.compile(loss="nll + cc")

    def stepping(size):
        images = rng.uniform(0, 255, (batch, *size, 3)).astype("float32")
        targets = ks.pack_targets(rng.random((batch, *size, 1), "float32"), rng.poisson(0.001, (batch, *size, 1)))
        return lambda: model.train_on_batch(images, targets)

    for name, shape in SHAPES.items():
        images = [rng.integers(0, 256, (*shape, 3)).astype("uint8")] * PREDICTED
        seen = model.view.of(shape)
        frame = _frame_of(shape, math.prod(seen))
        functions = {
            ("predict", "frame"): (PREDICTED, lambda images=images, frame=frame: ks.predict(model, images, size=frame)),
            ("predict", "view"): (PREDICTED, lambda images=images: ks.predict(model, images)),
            ("train", "frame"): (batch, stepping(frame)),
            ("train", "view"): (batch, stepping(seen)),
        }
        rates = {key: [] for key in functions}
        # Jobs one after the other: what a step of training leaves in memory slows down what follows it.
        for job in ("predict", "train"):
            pair = {key: row for key, row in functions.items() if key[0] == job}
            for turn, (key, (count, function)) in itertools.product(range(repeats + 2), pair.items()):
                started = time.perf_counter()
                function()
                if turn > 1:  # The first ones compile.
                    rates[key].append(count / (time.perf_counter() - started))
        measured[name] = {"seen": seen, "frame": frame, **{" ".join(key): max(values) for key, values in rates.items()}}
    table = rich.table.Table(*("picture", "seen", "frame", "predict, images/s", "", "train, images/s", ""))
    for name, row in measured.items():
        cells = []
        for job in ("predict", "train"):
            before, after = row[f"{job} frame"], row[f"{job} view"]
            cells += [f"{before:.1f} to {after:.1f}", f"{after / before:.2f} times"]
        table.add_row(name, *("x".join(map(str, row[size])) for size in ("seen", "frame")), *cells)
    console = rich.console.Console()
    console.print(table)
    console.print(f"Of pictures that are not 4:3, {ASKED} times is asked for.")
    if json_file:
        settings = {"cpu_count": os.cpu_count(), "area": area, "batch": batch, "repeats": repeats}
        json_file.write_text(json.dumps({"settings": settings, "measured": measured}, indent=2) + "\n")
