"""Names of files, which systems write in several ways."""

import functools
import unicodedata
from collections.abc import Iterable
from pathlib import Path, PurePosixPath


def comparable(name: str) -> str:
    """A name, or a path, with its letters composed (NFC) and its suffix in lower case.

    >>> comparable("a/O" + chr(0x308) + ".JPG") == "a/" + chr(0xD6) + ".jpg"
    True
    """
    path = PurePosixPath(unicodedata.normalize("NFC", name))
    return str(path.with_suffix(path.suffix.lower()))


def as_on_disk(paths: Iterable[Path]) -> list[Path]:
    """Files by the names that they have on disk; one that is not there under any is left as it is."""

    @functools.cache
    def listed(folder):
        return {comparable(path.name): path for path in folder.iterdir()} if folder.is_dir() else {}

    return [path if path.is_file() else listed(path.parent).get(comparable(path.name), path) for path in paths]
