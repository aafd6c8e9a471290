"""What a small network learns from a large one: its maps of the training images, and those for unseen recordings."""

import dataclasses
import hashlib
from pathlib import Path

import numpy as np
import rich.console

from keras_saliency.data import DataSet, Fixations
from keras_saliency.data.samples import Samples
from keras_saliency.evaluation.sources import ModelSource
from keras_saliency.formulas.view import LONGEST
from keras_saliency.models import SaliencyModel
from keras_saliency.models.recording import network_of, require_recording_head
from keras_saliency.writing.files import whole
from keras_saliency.writing.progress import Progress

DRAWN = 1000  # fixations for each image


def distilled(
    sets: dict[str, DataSet], teacher: SaliencyModel, folder: Path, console: rich.console.Console
) -> dict[str, DataSet]:
    """The data sets with maps that a teacher predicts for the training images, in place of their blurred fixations.

    Maps are float16 at the size of the image, one at the peak; those that are there are not made again. Of a page that
    is seen in several windows there is none: it is large, and keeps its fixations.
    """
    found = {}
    for name, data in sets.items():
        (folder / name).mkdir(parents=True, exist_ok=True)
        files = {
            sample.name: (folder / name / sample.name.replace("/", "-")).with_suffix(".npy")
            for sample in data.train
            if max(sample.size) <= LONGEST * min(sample.size)
        }
        missing = [sample for sample in data.train if sample.name in files and not files[sample.name].is_file()]
        samples = Samples(missing, data.pixels_per_degree)
        for sample, density in zip(samples, _densities(samples, teacher, name, f"maps {name}", console), strict=True):
            with whole(files[sample.name]) as part, part.open("wb") as file:
                np.save(file, (density / density.max()).astype("float16"))
        train = [dataclasses.replace(sample, ground_truth=files.get(sample.name)) for sample in data.train]
        found[name] = dataclasses.replace(data, train=Samples(train, data.pixels_per_degree))
    return found


def digest(teacher: SaliencyModel) -> str:
    """Sixteen letters that stand for a teacher, but for its average head, which its maps of training images are not of.

    Numbers of heads count to two digits: found again, they differ in the last ones.
    """
    head = require_recording_head(teacher)
    numbers = [{key: round(n, 2) for key, n in head.numbers_of(name).items()} for name in head.recordings]
    found = hashlib.sha256(repr(numbers).encode())
    for weight in network_of(teacher).get_weights():
        found.update(np.ascontiguousarray(weight).tobytes())
    return found.hexdigest()[:16]


def as_predicted(unseen: dict[str, Samples], teacher: SaliencyModel, console: rich.console.Console) -> Samples:
    """The samples with fixations drawn from what a teacher predicts for them with its average head."""
    rng, drawn = np.random.default_rng(0), []
    for name, samples in unseen.items():
        for sample, density in zip(samples, _densities(samples, teacher, None, f"draws {name}", console), strict=True):
            places = rng.choice(density.size, DRAWN, p=density.ravel() / density.sum())
            y, x = np.add(np.unravel_index(places, density.shape), 0.5)
            rows = Fixations(x, y, np.zeros(DRAWN, int), np.arange(DRAWN) / 4)
            degrees = sample.pixels_per_degree or samples.pixels_per_degree
            drawn.append(dataclasses.replace(sample, fixations=rows, pixels_per_degree=degrees))
    return Samples(drawn)


def _densities(samples, teacher, data, title, console):
    source = ModelSource(teacher, teacher.name, data=data)
    with Progress(console) as bars:
        for prediction in bars.track(source.predictions(samples), total=len(samples), description=title):
            yield np.exp(prediction.values)
