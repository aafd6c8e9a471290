"""A data set as arrays, all but its pixels, exact to the bit: what an index keeps of a folder, and shards of samples.

An array is a column of all samples, of the splits one after another, or of all their fixations. Texts and what there is
once stand in `header`, as JSON.
"""

import dataclasses
import itertools
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from keras_saliency.data.data_set import DataSet
from keras_saliency.data.facts import Archive, Facts
from keras_saliency.data.fixations import COLUMNS, Fixations
from keras_saliency.data.parts import Part
from keras_saliency.data.samples import Sample, Samples

VERSION = 1
# The fields of a sample that say where a file lies, and those that are an array or None. Others are kept as JSON has
# them, but for these columns.
FILES = ("image", "letterboxed", "ground_truth")
PLANES = ("density",)
OWN = ("size", "fixations", "sigma")


def to_arrays(data: DataSet, root: Path) -> dict[str, np.ndarray]:
    """The arrays of a data set; `np.savez` writes them.

    Args:
        data: The data set, whose images are files or parts of files.
        root: The folder that the paths of files are stored relative to, as far as they lie in it.

    Raises:
        TypeError: If an image is bytes in memory.
    """
    splits, samples = data.splits.values(), data.samples
    fixations = [sample.fixations for sample in samples]
    header = {
        "version": VERSION,
        "name": data.name,
        "skipped": data.skipped,
        "facts": data.facts and dataclasses.asdict(data.facts),
        "pixels_per_degree": [data.pixels_per_degree, *(split.pixels_per_degree for split in splits)],
        "files": {field: [_stored(getattr(sample, field), root) for sample in samples] for field in FILES},
        "others": {field: [getattr(sample, field) for sample in samples] for field in _others()},
    }
    arrays = {
        "header": np.frombuffer(json.dumps(header).encode(), "uint8"),
        "splits": np.array([len(split) for split in splits]),
        "sizes": np.array([sample.size for sample in samples], "int64"),
        "sigmas": np.array([sample.sigma for sample in samples], "float64"),
        # Zero where it has not been read yet.
        "orientations": np.array([sample.__dict__.get("orientation", 0) for sample in samples], "int8"),
        "counts": np.array([len(one) for one in fixations]),
        "outside_counts": np.array([one.left_out for one in fixations]),
        "outside": np.concatenate([one.outside for one in fixations]),
        **{column: np.concatenate([getattr(one, column) for one in fixations]) for column in COLUMNS},
    }
    for field in PLANES:
        values = [getattr(sample, field) for sample in samples]
        planes = [value if isinstance(value, np.ndarray) else np.empty((0, 0)) for value in values]
        arrays[f"{field}_sizes"] = np.array([plane.shape for plane in planes])
        arrays[field] = np.concatenate([plane.ravel() for plane in planes])
    return arrays


def from_arrays(arrays: Mapping[str, np.ndarray], root: Path) -> DataSet:
    """The data set of what `to_arrays` gives.

    Args:
        arrays: The arrays.
        root: The folder that the paths of files are relative to.

    Raises:
        ValueError: If they are of another version.
    """
    header = json.loads(arrays["header"].tobytes())
    if header["version"] != VERSION:
        raise ValueError(f"The stored table is of version {header['version']}, and this package reads {VERSION}.")
    fields: dict[str, Iterable[Any]] = {
        **header["others"],
        **{field: [_found(value, root) for value in values] for field, values in header["files"].items()},
        **{field: _planes(arrays[field], arrays[f"{field}_sizes"].tolist()) for field in PLANES},
        "size": map(tuple, arrays["sizes"].tolist()),
        "fixations": _fixations(arrays),
        "sigma": arrays["sigmas"].tolist(),
    }
    samples = [Sample(**dict(zip(fields, row, strict=True))) for row in zip(*fields.values(), strict=True)]
    for sample, orientation in zip(samples, arrays["orientations"].tolist(), strict=True):
        if orientation:
            sample.__dict__["orientation"] = orientation
    of_data, *of_splits = header["pixels_per_degree"]
    ends = np.cumsum([0, *arrays["splits"]]).tolist()
    train, validation, test = (
        Samples(samples[a:b], of) for (a, b), of in zip(itertools.pairwise(ends), of_splits, strict=True)
    )
    known = _facts(header["facts"])
    return DataSet(header["name"], train, validation, test, of_data, tuple(header["skipped"]), known)


def _others():
    return [field.name for field in dataclasses.fields(Sample) if field.name not in (*FILES, *PLANES, *OWN)]


def _fixations(arrays):
    """Those of each sample: slices of the columns of all."""
    columns, outside = [arrays[column] for column in COLUMNS], arrays["outside"]
    ends, outside_ends = (
        itertools.pairwise(np.cumsum([0, *arrays[name]]).tolist()) for name in ("counts", "outside_counts")
    )
    for (a, b), (c, d) in zip(ends, outside_ends, strict=True):
        yield Fixations(*(column[a:b] for column in columns), outside[c:d])


def _planes(values, sizes):
    ends = np.cumsum([0, *(height * width for height, width in sizes)])
    pairs = zip(itertools.pairwise(ends), sizes, strict=True)
    return [values[a:b].reshape(size) if b > a else None for (a, b), size in pairs]


def _stored(value, root):
    """A path, or a part of a file, for JSON; nothing for what is none."""
    if isinstance(value, bytes):
        raise TypeError("An image in memory is not stored. Write it to a file.")
    if isinstance(value, Part):
        return [_stored(value.file, root), value.offset, value.length, value.shape]
    if isinstance(value, Path):
        return value.relative_to(root).as_posix() if value.is_relative_to(root) else str(value.absolute())
    return None


def _found(stored, root):
    if isinstance(stored, list):
        file, offset, length, shape = stored
        return Part(root / file, offset, length, shape and tuple(shape))
    return None if stored is None else root / stored


def _facts(stored):
    if stored is None:
        return None
    known = {name: tuple(value) if isinstance(value, list) else value for name, value in stored.items()}
    return Facts(**{**known, "archives": tuple(Archive(**archive) for archive in known["archives"])})
