"""SALICON: 20,000 photographs of COCO, 640x480, explored with the mouse for 5 s (Jiang et al., CVPR 2015).

An artificial fovea follows the mouse. Its fixations were published three times, and scores on them differ: as JSON, as
the 2015 edition, and as the 2017 edition, which computed them anew.
"""

import dataclasses
import json
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from keras_saliency.data.data_set import DataSet
from keras_saliency.data.facts import FACTS
from keras_saliency.data.matlab import as_rows, expecting, load_matlab
from keras_saliency.data.names import files_below
from keras_saliency.data.placing import Geometry
from keras_saliency.data.published.gathering import Recording
from keras_saliency.data.published.making import make_published, unrecorded

EDITIONS = (2015, 2017)
PARTS = {"train": "train", "val": "validation"}
GEOMETRY = Geometry(blur=19.0)  # pixels, of the authors' own maps
JSON = re.compile(r"fixations_(train|val)2014.*\.json")
FORM = "gaze(observer).fixations, a matrix N x 2 of (x, y)"


def read(directory: Path, edition: int | None = None) -> DataSet:
    """Reads `images/{train,val}/NAME.jpg` and `fixations/{train,val}/NAME.mat`, which have one-based pixels.

    Both editions unpack to `fixations/`; they may lie in `2015/` and `2017/`, of which the one that is there is read.
    Fixations have an order and no times; those of the 2017 edition outside their image are left out, and counted.
    Observers are numbered within each image. Train is train; the official validation images are halved into validation
    and test by the hash of their names, since the fixations of the test images are withheld.

    Args:
        directory: The folder.
        edition: 2015 or 2017; to be said where `fixations/` lies in the folder itself, as files do not tell it.

    Raises:
        FileNotFoundError: If files are missing.
        ValueError: If the edition is not known, or a file has another form: names it.
    """
    edition, folder = _edition(directory, edition)
    files = {part: sorted((folder / part).glob("[!.]*.mat")) for part in PARTS}
    if not any(files.values()):
        raise FileNotFoundError(f"{folder} has no train/NAME.mat and val/NAME.mat. Unpack the fixations of SALICON.")
    official = {path.stem: PARTS[part] for part, paths in files.items() for path in paths}
    recordings = (recording for paths in files.values() for path in paths for recording in _observers(path))
    where, images = str(folder), directory / "images"
    data = make_published("salicon", recordings, where, images, GEOMETRY, official=official)
    shown = (path.stem for part in PARTS for path in (images / part).glob("[!.]*.jpg"))
    data = data.noting(*unrecorded(shown, official, where))
    return dataclasses.replace(data, facts=dataclasses.replace(FACTS["salicon"], edition=str(edition)))


def read_json(directory: Path) -> DataSet:
    """Reads the first release: `images/` and `fixations_{train,val}2014.json`, anywhere in the folder.

    Pixels are (row, column), one-based. Every place of the mouse counts as a fixation, with an order and no time: all
    of the release takes some ten times the size of its files in memory. Splits are those of `read`; of a sample with
    train images alone, such as the examples that the authors give, all three are made by hash.

    Args:
        directory: The folder.

    Raises:
        FileNotFoundError: If files are missing.
        ValueError: If a file has another form: names it, and the annotation.
    """
    paths = [path for path in map(directory.joinpath, files_below(directory)) if JSON.fullmatch(path.name)]
    if not paths:
        raise FileNotFoundError(f"{directory} has no fixations_train2014.json and fixations_val2014.json. Unpack them.")
    recordings: list[Recording] = []
    official: dict[str, str] = {}
    for path in paths:
        found = list(_annotations(path))
        part = PARTS[JSON.fullmatch(path.name)[1]]  # type: ignore[index]
        official |= dict.fromkeys((image for image, *_ in found), part)
        recordings += found
    where, images = ", ".join(path.name for path in paths), directory / "images"
    return make_published("salicon-json", recordings, where, images, GEOMETRY, official=official)


def _edition(directory, edition):
    """The edition, and where its fixations are."""
    if edition not in (None, *EDITIONS):
        raise ValueError(f"Unknown edition {edition!r} of SALICON. Known editions: {', '.join(map(str, EDITIONS))}.")
    apart = {known: directory / str(known) / "fixations" for known in EDITIONS if edition in (None, known)}
    there = {known: folder for known, folder in apart.items() if folder.is_dir()}
    if len(there) == 1:
        return there.popitem()
    if edition is None:
        where = "both editions" if there else "fixations of one edition"
        raise ValueError(
            f"{directory} holds {where}, and scores on them differ. Say which: edition=2015 or edition=2017."
        )
    if not (directory / "fixations").is_dir():
        raise FileNotFoundError(f"{directory / 'fixations'} is missing. Unpack the {edition} edition there.")
    return edition, directory / "fixations"


def _observers(path: Path) -> Iterator[Recording]:
    gaze = load_matlab(path, "gaze")
    with expecting(path, FORM):
        for observer, recording in enumerate(np.atleast_1d(gaze)):
            yield path.stem, observer, as_rows(recording["fixations"]) - 0.5


def _annotations(path: Path) -> Iterator[Recording]:
    try:
        release = json.loads(path.read_text("utf-8"))
        names = {image["id"]: image["file_name"] for image in release["images"]}
        annotations = release["annotations"]
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f"{path} has not the expected form: a JSON object of images, each with id and file_name, and annotations "
            f"({type(error).__name__}: {error}). Get it again from its source."
        ) from error
    for number, annotation in enumerate(annotations, 1):
        try:
            pixels = as_rows(annotation["fixations"])
            yield names[annotation["image_id"]], annotation["worker_id"], pixels[:, ::-1] - 0.5
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(
                f"{path}, annotation {number}: expected image_id of one of the images, worker_id, and fixations, a "
                f"list of [row, column] ({type(error).__name__}: {error})."
            ) from error
