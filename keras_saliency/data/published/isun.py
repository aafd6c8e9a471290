"""iSUN: photographs of SUN, seen by crowd workers before their web cams (Xu et al. 2015)."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from keras_saliency.data.data_set import DataSet
from keras_saliency.data.matlab import as_rows, expecting, load_matlab
from keras_saliency.data.placing import Geometry
from keras_saliency.data.published.gathering import Recording
from keras_saliency.data.published.making import make_published

PARTS = {"training": "train", "validation": "validation"}


def read(directory: Path) -> DataSet:
    """Reads `training.mat`, `validation.mat`, and `images/NAME.jpg`.

    Coordinates are taken as they are, without an offset, as by pysaliency. Fixations have an order and no times;
    observers have no names, and are numbered within each image. Train is train; the official validation images are
    halved into validation and test by the hash of their names, since the fixations of the test images are withheld.
    The visual angle is not known: the blur of the ground truth is 3.5 % of the longer side.

    Raises:
        FileNotFoundError: If files are missing.
        ValueError: If a file has another form: names it.
    """
    recordings: list[Recording] = []
    official: dict[str, str] = {}
    for variable, part in PARTS.items():
        found = list(_images(directory / f"{variable}.mat", variable))
        recordings += found
        official |= dict.fromkeys((image for image, *_ in found), part)
    where = ", ".join(f"{variable}.mat" for variable in PARTS)
    return make_published("isun", recordings, where, directory / "images", Geometry(), official=official)


def _images(path: Path, variable: str) -> Iterator[Recording]:
    entries = load_matlab(path, variable)
    with expecting(path, f"{variable}(i).image, a name, and .gaze(observer).fixation, a matrix N x 2 of (x, y)"):
        for entry in np.atleast_1d(entries):
            image = f"{entry['image']}.jpg"
            yield image, 0, np.empty((0, 2))  # so that it is known, also where nobody looked
            for observer, gaze in enumerate(np.atleast_1d(entry["gaze"])):
                yield image, observer, as_rows(gaze["fixation"])
