"""What a small network learns from a large one: its maps of the training images, and those for unseen recordings."""

import dataclasses
import hashlib
import zlib
from pathlib import Path

import numpy as np
import rich.console

from keras_saliency.data import DataSet, Fixations
from keras_saliency.data.samples import Samples
from keras_saliency.data.windows import cut
from keras_saliency.evaluation.sources import ModelSource
from keras_saliency.formulas.view import LONGEST
from keras_saliency.models import SaliencyModel
from keras_saliency.models.recording import network_of, require_recording_head
from keras_saliency.writing.files import whole
from keras_saliency.writing.progress import Progress

DRAWN = 1000  # fixations for each image
PART = (0.5, 0.8)  # of each side of a photograph: from and to


def distilled(
    sets: dict[str, DataSet], teacher: SaliencyModel, folder: Path, console: rich.console.Console
) -> dict[str, DataSet]:
    """The data sets with maps that a teacher predicts for the training images, in place of their blurred fixations.

    A part of each photograph is one more photograph to learn from, of the same shape, with a map of its own and
    fixations that are drawn from it. Maps are float16, one at the peak; those that are there are not made again. Of a
    page that is seen in several windows there is none: it is large, and keeps its fixations.
    """
    found = {}
    for name, data in sets.items():
        (folder / name).mkdir(parents=True, exist_ok=True)
        learned = [sample for sample in data.train if max(sample.size) <= LONGEST * min(sample.size)]
        learned += [_part_of(sample) for sample in learned]
        files = {sample.name: folder / name / f"{sample.name.replace('/', '-')}.npy" for sample in learned}
        missing = Samples([each for each in learned if not files[each.name].is_file()], data.pixels_per_degree)
        densities = _densities(missing, teacher, name, f"maps {name}", console)
        for sample, density in zip(missing, densities, strict=True):
            with whole(files[sample.name]) as part, part.open("wb") as file:
                np.save(file, _in_place(sample, (density / density.max()).astype("float16")))
        samples = {sample.name: sample for sample in (*data.train, *learned)}
        train = [dataclasses.replace(each, ground_truth=files.get(each.name)) for each in samples.values()]
        rng = np.random.default_rng(0)
        train = [_drawn(each, each.read_ground_truth(), rng) if each.window else each for each in train]
        found[name] = dataclasses.replace(data, train=Samples(train, data.pixels_per_degree))
    return found


def _part_of(sample):
    """A part of a photograph, of its shape; always the same one."""
    rng = np.random.default_rng(zlib.crc32(sample.name.encode()))
    sides = np.round(rng.uniform(*PART) * np.array(sample.size)).astype(int)
    return cut(sample, *rng.integers(0, np.subtract(sample.size, sides), endpoint=True).tolist(), *sides.tolist())


def _in_place(sample, values):
    """A map where the sample lies in its image, and zeros around it."""
    top, left = (sample.window or (0, 0))[:2]
    above, before = sample.whole_size
    height, width = sample.size
    return np.pad(values, ((top, above - top - height), (left, before - left - width)))


def _drawn(sample, density, rng):
    """The same with fixations drawn from a density."""
    places = rng.choice(density.size, DRAWN, p=density.ravel() / density.sum())
    y, x = np.add(np.unravel_index(places, density.shape), 0.5)
    return dataclasses.replace(sample, fixations=Fixations(x, y, np.zeros(DRAWN, int), np.arange(DRAWN) / 4))


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
            degrees = sample.pixels_per_degree or samples.pixels_per_degree
            drawn.append(dataclasses.replace(_drawn(sample, density, rng), pixels_per_degree=degrees))
    return Samples(drawn)


def _densities(samples, teacher, data, title, console):
    source = ModelSource(teacher, teacher.name, data=data)
    with Progress(console) as bars:
        for prediction in bars.track(source.predictions(samples), total=len(samples), description=title):
            yield np.exp(prediction.values)
