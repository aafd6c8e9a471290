"""People's own recordings: what makes a data set of a folder of images and a table of fixations, however it was read.

A table is a pandas `DataFrame` with the columns of `COLUMNS`, as far as it has them; a row is a fixation. It may have a
column `group`, which is that of `Sample`.
"""

import dataclasses
import filecmp
import itertools
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import numpy as np

from keras_saliency.data import image_files
from keras_saliency.data.data_set import DataSet, split
from keras_saliency.data.fixations import Fixations
from keras_saliency.data.names import Index, files_below
from keras_saliency.data.placing import ORIGINS, UNITS, Geometry
from keras_saliency.data.refusals import MissingImagesError, UnusableError
from keras_saliency.data.samples import Sample
from keras_saliency.data.splits import CALLED, by_hash
from keras_saliency.formulas.types import Size

if TYPE_CHECKING:
    import pandas as pd

NEEDED = ("image", "x", "y")
NUMBERS = ("x", "y", "time", "order", "duration")
COLUMNS = (*NEEDED, "observer", "time", "order", "duration", "split")
NONE = Fixations.from_rows([])
RANKS = (("{name}",), tuple("{stem}" + suffix for suffix in image_files.READ))


def make_data(
    name: str,
    table: "pd.DataFrame",
    where: str,
    images: Path | Mapping[str, Path | bytes],
    geometry: Geometry,
    sizes: Mapping[str, Size] | None = None,
    as_stored: bool = False,
    count_others: bool = False,
) -> DataSet:
    """The data set of a table of fixations.

    Observers are numbered in the order of their names, numbers as numbers. Fixations are in the order of observer and
    time; without `time`, it is the sum of the observer's earlier durations on the image, or the position in `order`, or
    the number of the fixation among the observer's, as the table has them. Without a column of splits,
    `splits.by_hash` assigns them, images of one group to one side.

    Args:
        name: The name of the data set.
        table: The table; `time` and `duration` are in seconds.
        where: What errors call it.
        images: The folder of the images, searched deeply; or the image of each name.
        geometry: How coordinates are meant.
        sizes: The `(height, width)` that coordinates are of, by the name of an image in the table, where the data set
            tells it; images of others are left out and listed.
        as_stored: As in `Sample`, of all images.
        count_others: Whether images in the folder of which the table has no row are counted in `skipped`.

    Raises:
        FileNotFoundError: If images of the table are missing, or there are none.
        ValueError: If a name means several images, an image is in two splits, or a split is unknown.
        UnusableError: If more fixations lie outside their image than inside.
    """
    codes, names = table["image"].factorize()
    nameless = np.array([not str(name).strip() for name in names] + [True])[codes]  # -1 stands for none
    if nameless.any():
        raise ValueError(f"{where}, row {nameless.argmax() + 2}: the image has no name. Name it, or delete the row.")
    files, others = (images, []) if isinstance(images, Mapping) else _files_of(list(map(str, names)), images, where)
    called = list(map(str, names)) if isinstance(images, Mapping) else list(files)
    groups = _groups_of(table, codes)
    samples = [
        Sample(name, files[name], None, NONE, 1.0, group=group, as_stored=as_stored)  # type: ignore[arg-type]
        for name, group in zip(called, groups, strict=True)
    ]
    parts = _parts_of(table, codes, samples, where)
    observers = _numbered(table["observer"]) if "observer" in table else np.zeros(len(table), "int64")
    order = _order_of(codes, observers, _time_of(table))
    codes, observers = codes[order], observers[order]
    x, y, time = (np.asarray(column, "float64")[order] for column in (table["x"], table["y"], _time_of(table)))
    duration = np.asarray(table.get("duration", np.full(len(table), np.nan)), "float64")[order]
    if "time" not in table and "duration" in table:
        time = _onsets(duration, codes, observers)
    elif "time" not in table and "order" not in table:
        time = _onsets(np.ones(len(table)), codes, observers)
    ends = np.searchsorted(codes, np.arange(len(names) + 1))
    for i, (start, end) in enumerate(itertools.pairwise(ends)):
        fixations = Fixations(*(column[start:end] for column in (x, y, observers, time, duration)))
        samples[i] = dataclasses.replace(samples[i], fixations=fixations)
    recorded = {sample.name: sizes[name] for sample, name in zip(samples, names, strict=True)} if sizes else {}

    def placed(sample, size):
        if recorded.get(sample.name, size) != size:
            raise ValueError(
                f"{sample.name}: the image is {size}, and its fixations were recorded on {recorded[sample.name]}, both "
                "(height, width)"
            )
        return geometry.placed(sample, size)

    data = split(name, samples, lambda i: parts[i], geometry.of_image, placed)
    _require_most_inside(data, where, geometry)
    notes = [] if "observer" in table else [f"{where} has no column observer: all fixations count as one observer's"]
    if count_others and others:
        notes.append(f"{len(others)} images have no row in {where}, the first is {others[0]}")
    return data.noting(*notes, *_without_data(data, table, observers, order))


def _without_data(data, table, observers, order):
    """A line for each observer of whom nothing is inside an image."""
    seen = np.zeros(observers.max() + 1, bool)
    for sample in data.samples:
        seen[sample.fixations.observer] = True
    for number in np.flatnonzero(~seen):
        rows = np.flatnonzero(observers == number)
        name = table["observer"].iloc[order].iloc[rows[0]]
        yield f"observer {name}: none of {len(rows)} fixations is inside an image"


def _numbered(observers):
    """A number for each observer, whatever the order of the rows; who is not named is the last one."""
    import pandas as pd

    codes, labels = observers.factorize(use_na_sentinel=False)
    names = ["" if pd.isna(label) else str(label) for label in labels]

    def place(i):
        number = names[i].isdecimal()
        return names[i] == "", not number, int(names[i]) if number else 0, names[i]

    numbers = np.empty(len(names), "int64")
    numbers[sorted(range(len(names)), key=place)] = np.arange(len(names))
    return numbers[codes]


def _time_of(table):
    """What orders the fixations of an observer: onsets, or their order, or that of the rows."""
    return next((table[column] for column in ("time", "order") if column in table), np.arange(len(table), dtype=float))


def _order_of(codes, observers, time):
    """The order of image, observer and time, which in most tables is that of the rows, or almost."""
    groups, time = codes * (observers.max() + 1) + observers, np.asarray(time)
    order = slice(None) if (np.diff(groups) >= 0).all() else np.argsort(groups, kind="stable")
    late = np.diff(time[order]) < 0
    return np.lexsort((time, groups)) if (late & (np.diff(groups[order]) == 0)).any() else order


def _onsets(duration, codes, observers):
    """The sum of the earlier durations of the same observer on the same image, which lie side by side."""
    total = np.cumsum(np.nan_to_num(duration)) - np.nan_to_num(duration)
    begins = np.flatnonzero(np.r_[True, (np.diff(codes) != 0) | (np.diff(observers) != 0)])
    return total - np.repeat(total[begins], np.diff(np.r_[begins, len(total)]))


def _files_of(names, images, where):
    """The file of each image, by its path in the folder; and the images there that have no name in the table."""
    index = Index(path for path in files_below(images) if path.suffix.lower() in image_files.READ)
    found = [index.find(name, RANKS) for name in names]
    missing = [name for name, files in zip(names, found, strict=True) if not files]
    if missing:
        said = f"{len(missing)} of {len(names)} images of {where} are not in {images}, the first is {missing[0]!r}. "
        remedy = "Put them there, named as in the table, with or without suffix."
        raise MissingImagesError(said + remedy, missing, len(names))
    owners: dict[PurePosixPath, str] = {}
    for name, files in zip(names, found, strict=True):
        if any(not filecmp.cmp(images / files[0], images / other, shallow=False) for other in files[1:]):
            several = ", ".join(sorted(map(str, files)))
            raise ValueError(f"{where}: {name!r} may be {several}. Name images with their folders and suffixes.")
        owner = owners.setdefault(files[0], name)
        if owner != name:
            raise ValueError(f"{where}: {owner!r} and {name!r} are both {files[0]}. Call an image by one name.")
    named = {*itertools.chain.from_iterable(found)}
    return {file.as_posix(): images / file for file in owners}, [file for file in index if file not in named]


def _groups_of(table, codes):
    """The group of each image; none where it is its name."""
    firsts = np.unique(codes, return_index=True)[1]
    return list(map(str, table["group"].iloc[firsts])) if "group" in table else [""] * len(firsts)


def _parts_of(table, codes, samples, where):
    """The split of each image."""
    if "split" not in table:
        return by_hash([sample.group for sample in samples])
    given, labels = table["split"].astype(str).factorize()
    unknown = [label for label in labels if label.lower() not in CALLED]
    if unknown:
        raise ValueError(f"{where}: unknown split {unknown[0]!r}. Known splits: {', '.join(CALLED)}.")
    pairs = np.unique(np.stack([codes, given], 1), axis=0)
    images, counts = np.unique(pairs[:, 0], return_counts=True)
    if (counts > 1).any():
        name = samples[images[np.argmax(counts > 1)]].name
        raise ValueError(f"{where}: {name} is in {counts.max()} splits. An image belongs to one.")
    return [CALLED[labels[label].lower()] for label in pairs[:, 1]]


def _require_most_inside(data, where, geometry):
    samples = data.samples
    inside = sum(len(sample.fixations) for sample in samples)
    outside = sum(sample.fixations.left_out for sample in samples)
    shares = geometry.units == "pixels" and all(
        max(sample.fixations.x.max(), sample.fixations.y.max()) <= 1 for sample in samples
    )
    if outside > inside or shares:
        found = (
            "all coordinates are from 0 to 1" if shares else f"{outside} of {inside + outside} fixations are outside"
        )
        frame = "image" if geometry.stimulus is None else "screen"
        raise UnusableError(
            f"{where}: {found}, read as {geometry.units} of the {frame} from the {geometry.origin} left. Say what they "
            f"are: units {', '.join(UNITS)}; origin {', '.join(ORIGINS)}; screen and stimulus.",
            data.splits,
        )
