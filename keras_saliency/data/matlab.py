"""Reading MATLAB files with errors that say what is wrong."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import scipy.io

from keras_saliency.data.names import as_on_disk
from keras_saliency.reading import apart
from keras_saliency.reading.hdf5 import read_matlab73


def load_matlab(path: Path, variable: str | None = None) -> Any:
    """Reads one variable of a .mat file, structures as dictionaries.

    Args:
        path: The file.
        variable: Its name; None for the only one of the file, whatever it is called.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file is no readable .mat file, lacks the variable, or has several where none is named.
    """
    contents = _read(path, scipy.io.loadmat, simplify_cells=True)
    known = [name for name in contents if not name.startswith("__")]
    if variable is None and len(known) == 1:
        variable = known[0]
    if variable not in known:
        wanted = f"a variable {variable!r}" if variable else "one variable"
        raise malformed(path, f"{wanted}, and it holds {', '.join(known) or 'none'}")
    return contents[variable]


def load_matlab73(path: Path, variable: str) -> np.ndarray | list[np.ndarray]:
    """Reads one variable of a .mat file of version 7.3, which SciPy cannot read: as `reading.hdf5.read_matlab73`.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file is no readable .mat file of this version, or has no such variable of numbers.
    """
    return _read(path, read_matlab73, variable=variable)


def _read(path, function, **options):
    (path,) = as_on_disk([path])
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing. Give the folder that holds the complete data set.")
    try:
        return apart.call(function, path, **options)
    except ValueError as error:
        raise ValueError(f"{path} cannot be read as a MATLAB file ({error}). Get it again from its source.") from error


def as_rows(matrix: Any, columns: int = 2) -> np.ndarray:
    """A matrix of so many columns, whose single row SciPy gives as a vector, and no row as an empty one: float64.

    Raises:
        ValueError: If it is none.
    """
    rows = np.asarray(matrix, "float64")
    if rows.size == 0:
        return np.empty((0, columns))
    rows = np.atleast_2d(rows)
    if rows.ndim != 2 or rows.shape[1] != columns:
        raise ValueError(f"a matrix of shape {rows.shape}, and not of {columns} columns")
    return rows


def malformed(path: Path, expected: str) -> ValueError:
    """The error for a .mat file of another form than `expected`."""
    return ValueError(f"{path} has not the expected form: {expected}. Get it again from its source.")


@contextlib.contextmanager
def expecting(path: Path, form: str) -> Iterator[None]:
    """A context in which what does not fit what is read from a .mat file is the error of `malformed`."""
    try:
        yield
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        raise malformed(path, form) from error
