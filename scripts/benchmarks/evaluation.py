"""Times an evaluation and its peak memory by the number of jobs: `python scripts/benchmark.py evaluation`."""

import dataclasses
import json
import time
from pathlib import Path
from typing import Annotated

import numpy as np
import rich.console
import rich.table
import typer
from benchmarks.models import _fresh, _megabytes

SIZE, SIGMA, OBSERVERS, EACH = (600, 800), 24.0, 15, 9  # as in OSIE
LARGE, MANY = (1080, 1920), 24


class Noise:
    """The same map for all."""

    name = "noise"

    def __init__(self, size):
        self.values = np.random.default_rng(0).random(size)

    def predictions(self, samples):
        """Yields it for each sample."""
        from keras_saliency.evaluation.map_files import Prediction

        return (Prediction(self.values, False, False) for _ in samples)


def make_data(images, size, observers):
    """Images at whose centre all look, more or less."""
    from keras_saliency.data import DataSet, Fixations, Sample, Samples

    rng, splits = np.random.default_rng(0), []
    for part in range(3):
        samples = []
        for i in range(images):
            centre = rng.uniform(0.3, 0.7, 2)
            y, x = np.clip(rng.normal(centre, 0.15, (observers * EACH, 2)), 0.001, 0.999).T * np.array(size)[:, None]
            numbers = np.arange(len(x))
            fixations = Fixations(x, y, numbers % observers, numbers / 4)
            samples.append(Sample(f"{part}-{i}", b"", size, fixations, SIGMA))
        splits.append(Samples(samples))
    return DataSet("made", *splits)


def measure_time(images):
    """Seconds an image, and without the gold standard, which is undefined where all fixations are of one observer."""
    from keras_saliency.evaluation.splits import score_split

    data = make_data(images, SIZE, OBSERVERS)
    alone = [
        dataclasses.replace(s, fixations=dataclasses.replace(s.fixations, observer=0 * s.fixations.observer))
        for s in data.test
    ]
    seconds = {}
    for name, test in {"seconds_an_image": data.test, "without_gold_standard": type(data.test)(alone)}.items():
        marks = []

        def mark(done, marks=marks):
            marks.append(time.perf_counter())

        score_split([Noise(SIZE)], dataclasses.replace(data, test=test), progress=mark)
        seconds[name] = (marks[-1] - marks[0]) / images
    return seconds


def measure_memory(images, jobs):
    """Peak megabytes of an evaluation of large images, above those of the idle process."""
    from keras_saliency.evaluation.splits import score_split

    data = make_data(images, LARGE, MANY)
    idle = _megabytes()
    score_split([Noise(LARGE)], data, jobs=jobs)
    return _megabytes() - idle


def evaluation(
    images: Annotated[int, typer.Option(help="How many images are scored.")] = 16,
    out: Annotated[Path | None, typer.Option("--json", help="Where to write the numbers.")] = None,
) -> None:
    """Time an evaluation of images like OSIE's, and its peak memory on large images with 2 and 8 jobs."""
    found = _fresh(measure_time, images)
    found |= {f"megabytes_with_{jobs}_jobs": _fresh(measure_memory, images, jobs) for jobs in (2, 8)}
    found["share_of_gold_standard"] = 1 - found["without_gold_standard"] / found["seconds_an_image"]
    found["memory_of_8_to_2_jobs"] = found["megabytes_with_8_jobs"] / found["megabytes_with_2_jobs"]
    table = rich.table.Table("", "value")
    for name, value in found.items():
        table.add_row(name.replace("_", " "), f"{value:.3f}")
    rich.console.Console().print(table)
    if out is not None:
        out.write_text(json.dumps(found, indent=2) + "\n")
