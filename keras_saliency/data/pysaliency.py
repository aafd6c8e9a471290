"""Data sets as pysaliency stores them: HDF5 files of stimuli and of fixations.

`keras_saliency.interop.export_data` writes them.
"""

import json
import os
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from keras_saliency.data.data_set import DataSet
from keras_saliency.data.placing import Geometry
from keras_saliency.data.recordings import make_data
from keras_saliency.reading import apart
from keras_saliency.reading.hdf5 import read_all

EXPECTED = "Write it again with pysaliency's to_hdf5."
# Type of a file of fixations -> where its scanpaths are, and the names of their columns.
SCANPATHS = {
    "FixationTrains": ("", "train_xs", "train_ys", "train_ns", "train_ts", "train_subjects", "scanpath_fixation_"),
    "ScanpathFixations": (
        "scanpaths/",
        "xs",
        "ys",
        "n",
        "fixation_attributes/ts",
        "scanpath_attributes/subject",
        "fixation_",
    ),
}


def read(
    directory: Path,
    stimuli: str = "stimuli.hdf5",
    fixations: str = "fixations.hdf5",
    pixels_per_degree: float | None = None,
) -> DataSet:
    """Reads `FileStimuli` or `Stimuli` with `FixationTrains`, `ScanpathFixations` or `Fixations`.

    Coordinates are taken as they are: in pysaliency, too, pixel j covers [j, j + 1). Images are those that the file of
    stimuli names, relative to itself, or holds. Without a stimulus attribute `split` (train, validation, test), images
    are assigned by the hash of their name.

    Args:
        directory: The folder of both files.
        stimuli: The name of that of the stimuli.
        fixations: The name of that of the fixations.
        pixels_per_degree: The pixels of one degree of visual angle, None where unknown; the blur of the ground truth is
            as that of a `table`.

    Raises:
        FileNotFoundError: If a file or an image is missing.
        ValueError: If a file is none of pysaliency's; names it.
    """
    import pandas as pd

    images, parts = _stimuli(directory / stimuli)
    columns = _fixations(directory / fixations, len(images))
    names = np.array(list(images))
    number = columns.pop("n")
    table = pd.DataFrame({"image": names[number], **columns, **({"split": parts[number]} if parts is not None else {})})
    data = make_data("pysaliency", table, fixations, images, Geometry(pixels_per_degree=pixels_per_degree))
    unseen = len(images) - len(np.unique(number))
    return data.noting(f"{unseen} of {len(images)} stimuli have no fixations") if unseen else data


def _open(path):
    """The arrays and attributes of a file, and its type."""
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing. Give the folder that holds stimuli.hdf5 and fixations.hdf5.")
    try:
        arrays, attributes = apart.call(read_all, path)
    except ValueError as error:
        raise ValueError(f"{path} cannot be read as an HDF5 file ({error}). {EXPECTED}") from error
    return arrays, attributes, attributes["/"].get("type")


def _malformed(path, kind, error):
    return ValueError(f"{path} is no file of {kind} ({type(error).__name__}: {error}). {EXPECTED}")


def _stimuli(path):
    """The image of each name, in order, and the split of each, if the file tells."""
    arrays, attributes, kind = _open(path)
    try:
        if kind == "FileStimuli":
            # Before version 2.0 names were not relative to the file.
            base = path.parent if attributes["/"]["version"] >= "2.0" else Path()
            files = [Path(os.path.normpath(base / name)) for name in arrays["filenames"]]
            top = os.path.commonpath([file.parent for file in files])
            images: dict[str, Any] = {file.relative_to(top).as_posix(): file for file in files}
            count = len(files)
        elif kind == "Stimuli":
            count = int(attributes["/"]["size"])
            images = {f"{i:05d}.png": _as_png(arrays[str(i)]) for i in range(count)}
        else:
            raise ValueError(f"its type is {kind}, not FileStimuli or Stimuli")
        if not count or len(images) < count:
            raise ValueError(f"it names {count} stimuli, {len(images)} of them different")
        told = json.loads(attributes["/"].get("__attributes__", "[]"))
        return images, np.asarray(arrays["split"])[:count] if "split" in told else None
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise _malformed(path, "stimuli", error) from error


def _as_png(pixels):
    """The bytes of an image file of pixels `(height, width)` or `(height, width, 3)`, uint8."""
    if pixels.dtype != np.uint8 or pixels.ndim not in (2, 3) or (pixels.ndim == 3 and pixels.shape[2] != 3):
        raise ValueError(f"a stimulus is {pixels.dtype} of {pixels.shape}, not uint8 (height, width, 3)")
    return cv2.imencode(".png", pixels[..., ::-1] if pixels.ndim == 3 else pixels)[1].tobytes()


def _fixations(path, stimuli):
    """The columns of all fixations: the number of the stimulus, x, y, observer, and times as far as there are."""
    arrays, _, kind = _open(path)
    try:
        columns = _flat(arrays) if kind == "Fixations" else _of_scanpaths(arrays, *SCANPATHS[kind])
        columns = {name: np.asarray(column) for name, column in columns.items()}
        number = columns["n"]
        if len(number) == 0 or number.min() < 0 or number.max() >= stimuli:
            raise ValueError(f"{len(number)} fixations on stimuli that are not among the {stimuli} of the other file")
        if len({len(column) for column in columns.values()}) > 1:
            raise ValueError("its columns are of different lengths")
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise _malformed(path, "fixations", error) from error
    return {**columns, "n": number.astype("int64")}


def _flat(arrays):
    subject = arrays["subject"] if "subject" in arrays else arrays["subjects"]
    return {"n": arrays["n"], "x": arrays["x"], "y": arrays["y"], "time": arrays["t"], "observer": subject}


def _of_scanpaths(arrays, group, xs, ys, n, ts, subjects, kind):
    x = arrays[group + xs]
    there = ~np.isnan(x)
    length = there.sum(1)
    columns = {"x": x[there], "y": arrays[group + ys][there], "time": arrays[group + ts][there]}
    if group + kind + "attributes/durations" in arrays:
        columns["duration"] = arrays[group + kind + "attributes/durations"][there]
    return columns | {name: np.repeat(arrays[group + at], length) for name, at in (("n", n), ("observer", subjects))}
