"""OSIE: 700 photographs of 800x600, 15 observers, 3 s of free viewing (Xu et al., Journal of Vision 2014)."""

import numpy as np

from keras_saliency.data.fixations import Fixations, Sample, split
from keras_saliency.data.matlab import load_matlab, malformed

PIXELS_PER_DEGREE = 24.0
SIZE = (600, 800)


def read(directory):
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
        numbers = [int(sample.name.removesuffix(".jpg")) for sample in samples]
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        raise malformed(path, "fixations[i].img, .subjects[j].fix_x, .fix_y, .fix_duration of equal lengths") from error
    parts = {0: "test", 1: "validation"}
    return split("osie", samples, lambda i: parts.get(numbers[i] % 7, "train"), PIXELS_PER_DEGREE)


def _fixations(subjects):
    rows = []
    for observer, subject in enumerate(np.atleast_1d(subjects)):
        x, y, duration = (np.atleast_1d(subject[f"fix_{column}"]) for column in ("x", "y", "duration"))
        onset = (np.cumsum(duration) - duration) / 1000.0
        rows += zip(x, y, [observer] * len(x), onset, strict=True)
    return Fixations.from_rows(rows)
