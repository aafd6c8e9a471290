"""Reading MATLAB files with errors that say what is wrong."""

from pathlib import Path
from typing import Any

import scipy.io

from keras_saliency.data.names import as_on_disk
from keras_saliency.reading import apart


def load_matlab(path: Path, variable: str) -> Any:
    """Reads one variable of a .mat file, structures as dictionaries.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file is no readable .mat file or lacks the variable.
    """
    (path,) = as_on_disk([path])
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing. Give the folder that holds the complete data set.")
    try:
        contents = apart.call(scipy.io.loadmat, path, simplify_cells=True)
    except ValueError as error:
        raise ValueError(f"{path} cannot be read as a MATLAB file ({error}). Get it again from its source.") from error
    if variable not in contents:
        known = ", ".join(name for name in contents if not name.startswith("__"))
        raise malformed(path, f"a variable {variable!r}, and it holds {known or 'none'}")
    return contents[variable]


def malformed(path: Path, expected: str) -> ValueError:
    """The error for a .mat file of another form than `expected`."""
    return ValueError(f"{path} has not the expected form: {expected}. Get it again from its source.")
