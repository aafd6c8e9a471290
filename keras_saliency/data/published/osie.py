"""OSIE: 700 photographs of 800x600, 15 observers, 3 s of free viewing (Xu et al., Journal of Vision 2014).

And the same photographs explored with the mouse by about a hundred crowd workers, as SALICON's (Jiang et al. 2015).
"""

import concurrent.futures
import dataclasses
from pathlib import Path

import numpy as np

from keras_saliency.data.data_set import DataSet, split
from keras_saliency.data.fixations import Fixations
from keras_saliency.data.matlab import load_matlab, malformed
from keras_saliency.data.samples import Sample, Samples

PIXELS_PER_DEGREE = 24.0
SIZE = (600, 800)
THINNING = 10


def read(directory: Path) -> DataSet:
    """Reads `stimuli/1001.jpg ...` and `eye/fixations.mat`; the split is fixed by image number.

    Test: n % 7 == 0 (100 images), validation: n % 7 == 1 (100), training: the rest (500). The ground-truth blur is
    24 pixels, one degree. Onset times are not recorded: `time` is the sum of the observer's earlier durations.
    """
    path = directory / "eye" / "fixations.mat"
    entries = load_matlab(path, "fixations")
    try:
        samples = [
            Sample(e["img"], directory / "stimuli" / e["img"], SIZE, _fixations(e["subjects"]), PIXELS_PER_DEGREE)
            for e in np.atleast_1d(entries)
        ]
        numbers = [int(Path(sample.name).stem) for sample in samples]
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        raise malformed(path, "fixations[i].img, .subjects[j].fix_x, .fix_y, .fix_duration of equal lengths") from error
    parts = {0: "test", 1: "validation"}
    return split("osie", samples, lambda i: parts.get(numbers[i] % 7, "train"), PIXELS_PER_DEGREE)


def read_mouse(directory: Path) -> DataSet:
    """Reads `mouse_amt/NNNN.mat` for the images, splits and blur of `read`.

    A path of the mouse is recorded pixel by pixel; every tenth sample of it counts as a fixation, about 1,200 an image.
    `time` is the number of the sample.
    """
    eye = read(directory)

    def explored(samples):
        with concurrent.futures.ThreadPoolExecutor() as pool:
            paths = pool.map(lambda sample: _mouse(directory / "mouse_amt" / f"{Path(sample.name).stem}.mat"), samples)
            pairs = zip(samples, paths, strict=True)
            return Samples([dataclasses.replace(s, fixations=path) for s, path in pairs], PIXELS_PER_DEGREE)

    splits = {part: explored(getattr(eye, part)) for part in ("train", "validation", "test")}
    return DataSet("osie-mouse", **splits, pixels_per_degree=PIXELS_PER_DEGREE, skipped=eye.skipped)


def _mouse(path):
    samples = load_matlab(path, "fixations")
    try:
        rows, columns = np.asarray(samples["coord"], "float64")[::THINNING].T
        observer, order = (np.asarray(samples[column], "int64")[::THINNING] for column in ("subj", "order"))
        inside = (rows >= 1) & (rows <= SIZE[0]) & (columns >= 1) & (columns <= SIZE[1])
        if not inside.all():
            raise ValueError("a sample is outside the image")
        number = np.unique(observer, return_inverse=True)[1]
        # One-based pixels; a fixation is at the centre of its pixel.
        return Fixations.from_rows(np.stack([columns - 0.5, rows - 0.5, number, order], 1))
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise malformed(path, "fixations.coord (row, column), .subj and .order of equal lengths") from error


def _fixations(subjects):
    rows = []
    for observer, subject in enumerate(np.atleast_1d(subjects)):
        x, y, duration = (np.atleast_1d(subject[f"fix_{column}"]) for column in ("x", "y", "duration"))
        onset = (np.cumsum(duration) - duration) / 1000.0
        rows += zip(x, y, [observer] * len(x), onset, duration / 1000.0, strict=True)
    return Fixations.from_rows(rows)
