"""Opens HDF5 files of strangers: what lies outside them, and what is far larger than they are, is refused."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from keras_saliency.reading import apart

NUMBERS = "biuf"  # kinds of NumPy types
# Bytes that a dataset may have: never written, or compressed, they take next to nothing in a file.
FREE = 2**27
EXPANSION = 100


@contextlib.contextmanager
def open_hdf5(path: str | Path, together: bool = False) -> Iterator[h5py.File]:
    """A context that opens a file which was read to its end in another process before.

    Args:
        path: The file.
        together: Whether all datasets will be in memory at once, and not only one.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is no intact HDF5 file, refers to other files, holds anything but numbers, or claims to be
            far larger than it is.
    """
    apart.call(require_own_numbers, path, together=together)
    with h5py.File(path, "r") as file:
        yield file


def require_own_numbers(path: str, together: bool) -> None:
    """Reads all of a file, and raises a ValueError where it is none of its own numbers."""
    with h5py.File(path, "r") as file:
        limit = FREE + EXPANSION * file.id.get_filesize()
        for name, item in _own_items(file):
            dict(item.attrs)
            if isinstance(item, h5py.Dataset):
                size = _require_own_numbers(name, item, limit)
                limit -= size if together else 0
                item[()]


def read_all(path: str) -> tuple[dict[str, np.ndarray], dict[str, dict[str, Any]]]:
    """All datasets of a file and the attributes of its groups, by their paths; to be called in another process.

    Texts are `str`; rows of different lengths are arrays of arrays.

    Raises:
        ValueError: If the file refers to others, or claims to be far larger than it is.
    """
    arrays, attributes = {}, {}
    with h5py.File(path, "r") as file:
        limit = FREE + EXPANSION * file.id.get_filesize()
        for name, item in _own_items(file):
            attributes[name] = {key: _as_text(value) for key, value in item.attrs.items()}
            if isinstance(item, h5py.Dataset):
                limit -= _require_own(name, item, limit)
                is_text = h5py.check_string_dtype(item.dtype) is not None
                arrays[name] = item.asstr()[()] if is_text else item[()]
    return arrays, attributes


def read_matlab73(path: str, variable: str) -> np.ndarray | list[np.ndarray]:
    """A matrix of numbers in a MATLAB file of version 7.3, or those of a cell array, in MATLAB's order of its cells.

    Such a file is an HDF5 file, in which a cell is a reference to a dataset. A matrix has its axes in the order of the
    file, which is the reverse of MATLAB's. To be called in another process.

    Args:
        path: The file.
        variable: The name of the matrix or cell array.

    Raises:
        ValueError: If there is no such variable, or it or a cell holds no numbers of this file.
    """
    with h5py.File(path, "r") as file:
        limit = FREE + EXPANSION * file.id.get_filesize()
        found = dict(_own_items(file)).get(variable)
        if not isinstance(found, h5py.Dataset):
            raise ValueError(f"it has no variable {variable!r}, and holds {', '.join(file) or 'nothing'}")
        if h5py.check_ref_dtype(found.dtype) is not h5py.Reference:
            return _matrix(variable, found, limit)
        _require_own(variable, found, limit)
        matrices = []
        for cell in (file[reference] for reference in found[()].ravel()):
            if not isinstance(cell, h5py.Dataset):
                raise ValueError(f"a cell of its {variable} is {cell.name}, which is no matrix")
            matrices.append(_matrix(cell.name, cell, limit))
            limit -= matrices[-1].nbytes
        return matrices


def _matrix(name, dataset, limit):
    _require_own_numbers(name, dataset, limit)
    # Of an empty matrix its shape is stored.
    return np.empty(0) if dataset.attrs.get("MATLAB_empty") else dataset[()]


def _as_text(value):
    return value.decode() if isinstance(value, bytes) else value


def _own_items(file):
    """The path and the item of all groups and datasets of a file, of which none lies elsewhere or is met twice."""
    if link := file.id.links.visit(_leads_elsewhere, info=True):
        raise ValueError(f"its {link} is a link to elsewhere, and only its own data are read")
    names: list[str] = []
    file.visit(names.append)
    for name in ["/", *names]:
        if h5py.h5o.get_info(file[name].id).rc > 1:
            raise ValueError(f"its {name} has several names, by which it would be read several times")
        yield name, file[name]


def _leads_elsewhere(name, link):
    """The name of a link that ends the visit."""
    return None if link.type == h5py.h5l.TYPE_HARD else name.decode(errors="replace") or "nameless link"


def _require_own_numbers(name, dataset, limit):
    if dataset.dtype.kind not in NUMBERS:
        raise ValueError(f"its dataset {name} holds {dataset.dtype}, and only numbers are read")
    return _require_own(name, dataset, limit)


def _require_own(name, dataset, limit):
    created = dataset.id.get_create_plist()
    if dataset.is_virtual or created.get_external_count():
        raise ValueError(f"its dataset {name} lies in another file, and only its own data are read")
    size = (dataset.size or 0) * dataset.dtype.itemsize
    if size > limit:
        raise ValueError(f"its dataset {name} of shape {dataset.shape} is far larger than the file")
    return size
