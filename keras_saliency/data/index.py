"""What a reader made of a folder is kept, and taken the next time if nothing there has changed.

It lies in `KERAS_SALIENCY_CACHE`, by default `keras_saliency` in the cache of the user; it may be deleted at any time,
and is not kept where that variable is empty.
"""

import contextlib
import functools
import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from keras_saliency.data.data_set import DataSet
from keras_saliency.data.stored import from_arrays, to_arrays
from keras_saliency.writing.files import whole

SETTLED = 2.0  # seconds: a file that is younger may change once more without showing it in its time
PACKAGE = Path(__file__).parents[1]
PRINT = "fingerprint"


def remembered(name: str, directory: Path, settings: Mapping[str, Any], read: Callable[[], DataSet]) -> DataSet:
    """What `read` gave for a folder, if that was kept and is still true; else what it gives, which is kept.

    It is true as long as the same files are in the folder, each of the same size and time of change, and settings, the
    code of the readers and TensorFlow are the same. Nothing is kept of a folder in which a file has changed just now,
    whose images lie outside it, or whose settings JSON cannot hold. A cache that cannot be written or read counts as
    none.

    Args:
        name: The name of the data set.
        directory: The folder.
        settings: What the reader is told besides.
        read: Reads it.
    """
    place = cache()
    try:
        told = json.dumps([name, settings], sort_keys=True)
    except TypeError:
        return read()
    if place is None or _leads_out(directory, settings):
        return read()
    began = time.time_ns()
    print_, youngest = _fingerprint(told, directory)
    known_by = hashlib.sha256(json.dumps([told, os.path.realpath(directory)]).encode()).hexdigest()[:16]
    file = place / "index" / f"{name}-{known_by}.npz"
    # Suppressed is whatever damaged bytes lead the readers of arrays to.
    with contextlib.suppress(Exception), np.load(file, allow_pickle=False) as stored:
        if stored[PRINT].tobytes() == print_:
            return from_arrays(dict(stored), directory)
    data = read()
    if began - youngest > SETTLED * 1e9 and all(_within(sample.image, directory) for sample in data.samples):
        arrays: dict[str, Any] = {**to_arrays(data, directory), PRINT: np.frombuffer(print_, "uint8")}
        with contextlib.suppress(OSError):
            file.parent.mkdir(parents=True, exist_ok=True)
            with whole(file) as part, part.open("wb") as stream:
                np.savez(stream, **arrays)
    return data


def cache() -> Path | None:
    """The folder for what may be deleted at any time, or None where there shall be none."""
    chosen = os.environ.get("KERAS_SALIENCY_CACHE")
    if chosen is not None:
        return Path(chosen).expanduser() if chosen else None
    return Path(os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser()) / "keras_saliency"


def _within(image, directory):
    return isinstance(image, Path) and image.is_relative_to(directory) and ".." not in image.parts


def _leads_out(directory, settings):
    """Whether a setting names a file that is not in the folder, whose changes would not be seen."""
    paths = [Path(value) for value in settings.values() if isinstance(value, str)]
    return any(path.is_absolute() or ".." in path.parts for path in paths)


@functools.cache
def _readers():
    """A digest of what reads."""
    digest = hashlib.sha256(tf.__version__.encode())
    for room in ("data", "reading", "formulas"):
        for path in sorted((PACKAGE / room).rglob("*.py")):
            digest.update(path.read_bytes())
    return digest.digest()


def _fingerprint(told, directory):
    """A digest of all that the data set depends on, and when the youngest file changed, in nanoseconds."""
    files = sorted(_files(directory))
    digest = hashlib.sha256(_readers() + json.dumps([told, files]).encode())
    return digest.digest(), max((changed for *_, changed in files), default=0)


def _files(folder: Path | str, below: str = "", above: frozenset[str] = frozenset()) -> Iterator[tuple[str, int, int]]:
    """The path, size and time of change of each file in a folder and below; hidden folders are not entered."""
    above |= {os.path.realpath(folder)}
    with os.scandir(folder) as entries:
        for entry in entries:
            if not entry.is_dir():
                leads_nowhere = entry.is_symlink() and not entry.is_file()
                found = entry.stat(follow_symlinks=not leads_nowhere)
                yield below + entry.name, found.st_size, found.st_mtime_ns
            elif not entry.name.startswith(".") and os.path.realpath(entry.path) not in above:
                yield from _files(entry.path, f"{below}{entry.name}/", above)
