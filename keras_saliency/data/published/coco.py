"""COCO-FreeView and COCO-Search18: photographs of COCO, padded to 1680x1050 (Chen et al. 2022, 2021).

Both have the same images, which lie under the object that was searched for; a picture may lie under several.
"""

import collections
import fnmatch
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from keras_saliency.data.data_set import DataSet
from keras_saliency.data.names import files_below
from keras_saliency.data.placing import Geometry
from keras_saliency.data.published.gathering import Recording
from keras_saliency.data.published.making import make_published
from keras_saliency.data.rows import read_scanpaths

FREEVIEW = ("COCOFreeView_fixations_*.json",)
SEARCH = ("coco_search18_fixations_TP_*_split1.json", "coco_search18_fixations_TA_*.json")
PARTS = {"train": "train", "valid": "validation"}
COLUMNS = ("x", "y", "time", "duration")
BOTH = "{} images are in the official training and validation splits, under several tasks: they are for training"


def read_freeview(directory: Path) -> DataSet:
    """Reads `COCOFreeView_fixations_trainval.json` and the images of COCO-Search18, anywhere in the folder.

    X and Y are float pixels of 1680x1050, taken as they are; `time` is the sum of the observer's earlier durations. A
    picture that lies under several tasks is one image. Train is train; the official validation images are halved into
    validation and test by the hash of their names, since the fixations of the test images are withheld. The visual
    angle is not documented: the blur of the ground truth is 3.5 % of the longer side, which includes the black bars.

    Args:
        directory: The folder.

    Raises:
        FileNotFoundError: If files are missing.
        ValueError: If a file is no list of rows: names file and row.
    """
    return _read("coco-freeview", directory, FREEVIEW, {})


def read_search(directory: Path, task: str | None = None, condition: str | None = None) -> DataSet:
    """Reads the fixations of COCO-Search18, target present and absent, and its images, anywhere in the folder.

    The files are `coco_search18_fixations_TP_{train,validation}_split1.json` and `..._TA_trainval.json`. Coordinates,
    splits and blur are those of `read_freeview`. What one observer saw of a picture under several tasks is theirs
    together; an image that is in train under one task and in validation under another is for training.

    Args:
        directory: The folder.
        task: Only searches for this object, such as `"car"`; by default all.
        condition: Only searches where the object was `"present"` or `"absent"`; by default both.

    Raises:
        FileNotFoundError: If files are missing.
        ValueError: If a file is no list of rows: names file and row; if there is no such task or condition.
    """
    return _read("coco-search18", directory, SEARCH, {"task": task, "condition": condition})


def _read(name, directory, patterns, options):
    wanted = {key: value for key, value in options.items() if value is not None}
    paths = _files(directory, patterns)
    rows = [row for path in paths for row in _rows(path, wanted)]
    for key, value in wanted.items():
        known = {values[key] for values, *_ in rows}
        if value not in known:
            raise ValueError(f"Unknown {key} {value!r} of {name}. Known: {', '.join(sorted(known))}.")
    recordings, parts = [], collections.defaultdict(set)
    for values, part, recording in rows:
        if values == wanted:
            recordings.append(recording)
            parts[recording[0]].add(part)
    if not recordings:
        raise ValueError(f"{name} has no rows of {', '.join(f'{key} {value}' for key, value in wanted.items())}.")
    where = ", ".join(path.name for path in paths)
    official = {image: min(several) for image, several in parts.items()}  # "train" comes first
    data = make_published(name, recordings, where, directory, Geometry(), COLUMNS, official)
    both = sum(len(several) > 1 for several in parts.values())
    return data.noting(BOTH.format(both)) if both else data


def _rows(path: Path, keys: Iterable[str]) -> Iterator[tuple[dict[str, str], str, Recording]]:
    """Of each row what it has under the keys, its split, and the recording."""
    for number, (row, scanpath) in enumerate(read_scanpaths(path), 1):
        try:
            values, part = {key: str(row[key]) for key in keys}, PARTS[row["split"]]
            recording = str(row["name"]), row["subject"], np.array(scanpath).reshape(-1, len(COLUMNS))
        except (KeyError, TypeError) as error:
            raise ValueError(
                f"{path}, row {number}: expected subject, split (train or valid), and in searches task and condition. "
                f"{type(error).__name__}: {error}."
            ) from error
        yield values, part, recording


def _files(directory, patterns):
    found: dict[str, Path] = {}
    for path in files_below(directory):
        if any(fnmatch.fnmatch(path.name, pattern) for pattern in patterns):
            if path.name in found:
                raise ValueError(
                    f"{directory / path} and {found[path.name]} are the same file twice. Keep one of them."
                )
            found[path.name] = directory / path
    if not found:
        raise FileNotFoundError(f"{directory} has no {' or '.join(patterns)}. Put the files of fixations there.")
    return list(found.values())
