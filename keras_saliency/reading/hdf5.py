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
                if item.dtype.kind not in NUMBERS:
                    raise ValueError(f"its dataset {name} holds {item.dtype}, and only numbers are read")
                size = _require_own(name, item, limit)
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


def _require_own(name, dataset, limit):
    created = dataset.id.get_create_plist()
    if dataset.is_virtual or created.get_external_count():
        raise ValueError(f"its dataset {name} lies in another file, and only its own data are read")
    size = (dataset.size or 0) * dataset.dtype.itemsize
    if size > limit:
        raise ValueError(f"its dataset {name} of shape {dataset.shape} is far larger than the file")
    return size
