"""Koehler: 800 photographs of 405x405, looked at freely, to search an object, and to judge saliency (JoV 2014)."""

import dataclasses
from pathlib import Path

import numpy as np

from keras_saliency.data.data_set import DataSet
from keras_saliency.data.facts import FACTS
from keras_saliency.data.matlab import load_matlab, malformed
from keras_saliency.data.placing import Geometry
from keras_saliency.data.published.making import make_published

TASKS = {"freeview": "free viewing", "objsearch": "object search", "salview": "judgement of saliency"}


def read(directory: Path, task: str = "freeview") -> DataSet:
    """Reads `Images/image_r_N.jpg` and `ObserverData.mat`.

    Coordinates are pixels from one; a fixation is at the centre of its pixel. Fixations have an order and no times.
    The ground-truth blur is 3.5 % of the side, 14 pixels. Splits are by the hash of the names of images, and so are the
    same for each task.

    Args:
        directory: The folder.
        task: What the observers did: `"freeview"`, `"objsearch"` or `"salview"`. Each had observers of its own.

    Raises:
        FileNotFoundError: If files are missing.
        ValueError: If there is no such task, or a file has another form: names it.
    """
    if task not in TASKS:
        raise ValueError(f"Unknown task {task!r}. Known tasks: {', '.join(TASKS)}.")
    path = directory / "ObserverData.mat"
    x, y = (np.asarray(load_matlab(path, f"{task}_{axis}")) for axis in "xy")
    if x.ndim != 3 or x.shape != y.shape or x.dtype.kind not in "iuf":
        raise malformed(path, f"{task}_x and {task}_y, numbers for each observer, image and fixation")
    seen = np.stack([x, y], -1) - 0.5
    names = [f"image_r_{i + 1}.jpg" for i in range(x.shape[1])]
    recordings = (
        (name, observer, places[~np.isnan(places).all(1)])  # which NaN fills up
        for i, name in enumerate(names)
        for observer, places in enumerate(seen[:, i])
    )
    data = make_published("koehler", recordings, path.name, directory / "Images", Geometry())
    return dataclasses.replace(data, facts=dataclasses.replace(FACTS["koehler"], task=TASKS[task]))
