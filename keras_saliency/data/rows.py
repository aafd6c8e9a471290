"""Scanpaths as rows of JSON, the form of OSIE's scanpaths, COCO-FreeView, COCO-Search18 and HAT."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from keras_saliency.data.data_set import DataSet
from keras_saliency.data.placing import Geometry
from keras_saliency.data.recordings import make_data

SETTINGS = "rows.json"
PARALLEL = ("X", "Y", "T")


def read(
    directory: Path,
    screen: tuple[int, int] | None = None,
    stimulus: str | tuple[float, float, float, float] | None = None,
    pixels_per_degree: float | None = None,
    files: str = "*.json",
) -> DataSet:
    """Reads a folder of images and the files of rows in it, all of them as one.

    A row is the scanpath of one person on one image: `name` of the image, `subject`, lists `X` and `Y` in pixels, and
    as far as there are `T`, durations in milliseconds, and `split` (train, valid, test). `X` and `Y` are taken as they
    are, from the left and upper edge of the image, as pysaliency takes them. A picture that lies under several tasks is
    one, whatever task a row is of, and so on one side of the splits. The time of a fixation is the sum of the durations
    before it in its row. Without splits, images are assigned by the hash of their name.

    Args:
        directory: The folder.
        screen: The `(width, height)` that X and Y are of, where that is not the size of the image, such as (512, 320).
        stimulus: How images lie in it, as in `table.read`; `"stretched"` where X and Y were scaled with the image.
        pixels_per_degree: As in `table.read`.
        files: A pattern of the names of the files of rows.

    Raises:
        FileNotFoundError: If there is no such file, or an image is missing.
        ValueError: If a file is no list of such rows: names file and row; as `recordings.make_data`.
    """
    import pandas as pd

    paths = [path for path in sorted(directory.glob(files)) if path.is_file() and path.name != SETTINGS]
    if not paths:
        raise FileNotFoundError(f"{directory} has no {files}. Expected files of rows, each {{name, subject, X, Y}}.")
    rows = [fixation for path in paths for fixation in _fixations(path)]
    table = pd.DataFrame(rows, columns=["image", "observer", "x", "y", "time", "duration", "split"])
    table = table.drop(columns=[name for name in ("observer", "split") if table[name].isna().all()])
    geometry = Geometry(pixels_per_degree=pixels_per_degree, screen=screen, stimulus=stimulus)
    where = ", ".join(path.name for path in paths)
    return make_data("rows", table, where, directory, geometry, count_others=True)


def _fixations(path):
    """Each fixation of a file: image, observer, x, y, onset and duration in seconds, split."""
    for row, scanpath in read_scanpaths(path):
        for fixation in scanpath:
            yield str(row["name"]), row.get("subject"), *fixation, row.get("split")


def read_scanpaths(path: Path) -> Iterator[tuple[dict[str, Any], list[tuple[float, ...]]]]:
    """Each row of a file, and the fixations in it: x, y, onset and duration in seconds.

    Raises:
        ValueError: If it is no list of such rows: names file and row.
    """
    try:
        rows = json.loads(path.read_text("utf-8-sig"))
    except ValueError as error:
        raise ValueError(f"{path} is no JSON file ({error}).") from error
    if not isinstance(rows, list) or not rows:
        raise ValueError(f"{path} is no list of rows. Expected [{{name, subject, X, Y}}, ...].")
    for number, row in enumerate(rows, 1):
        yield row, _scanpath(path, number, row)


def _scanpath(path: Path, number: int, row: Any) -> list[tuple[float, ...]]:
    """The x, y, onset and duration of each fixation of a row."""
    try:
        str(row["name"])
        x, y, *durations = ([float(value) for value in row[key]] for key in PARALLEL if key in row or key != "T")
        if len({len(x), len(y), *map(len, durations)}) > 1:
            raise ValueError("X, Y and T are of different lengths")
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(
            f"{path}, row {number}: expected name, and X, Y and T of one length ({type(error).__name__}: {error})."
        ) from error
    duration = np.array(durations[0] if durations else [np.nan] * len(x)) / 1000
    known = np.nan_to_num(duration)
    return list(zip(x, y, np.cumsum(known) - known, duration, strict=True))
