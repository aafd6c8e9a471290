"""Names of files, which systems write in several ways, and which of several files a name means."""

import collections
import functools
import itertools
import os
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path, PurePosixPath

IMAGES = (".jpg", ".jpeg", ".jpe", ".png", ".gif", ".bmp", ".webp", ".tif", ".tiff")


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


def files_below(directory: Path) -> Iterator[PurePosixPath]:
    """The paths of the files in a folder and all below it, relative to it, in order.

    Folders behind links are in it, each once; what is hidden is not, such as the `._NAME` that macOS adds.
    """
    seen = set()
    for folder, inner, files in os.walk(directory, followlinks=True):
        real = os.path.realpath(folder)
        inner[:] = [] if real in seen else sorted(name for name in inner if not name.startswith("."))
        if real not in seen:
            shown = sorted(name for name in files if not name.startswith("."))
            yield from (PurePosixPath(Path(folder, name).relative_to(directory).as_posix()) for name in shown)
        seen.add(real)


class Index:
    """Files by their names, for others that are called alike.

    Args:
        names: Paths, relative to one folder.
    """

    def __init__(self, names: Iterable[str | PurePosixPath]) -> None:
        self._paths = collections.defaultdict(list)
        for path in map(PurePosixPath, names):
            self._paths[comparable(path.name)].append(path)

    def __iter__(self) -> Iterator[PurePosixPath]:
        return itertools.chain.from_iterable(self._paths.values())

    def find(self, name: str, ranks: Sequence[Sequence[str]]) -> list[PurePosixPath]:
        """The files that a name means, of the best rank that has any.

        Folders must agree with those in the name, as far as both have some. They agree however a system writes them:
        letters composed or not, suffixes in upper or lower case.

        Args:
            name: A path, or the name of an image with its suffix or without.
            ranks: The forms of the names of files, such as `("{name}",)` and `("{stem}.npy", "{stem}.mat")`.
        """
        folders = _folders(name)
        for forms in forms_of(name, ranks):
            paths = [path for form in forms for path in self._paths.get(comparable(form), ())]
            agree = [all(a == b for a, b in zip(_folders(path), folders, strict=False)) for path in paths]
            if any(agree):
                return list(itertools.compress(paths, agree))
        return []


def forms_of(name: str, ranks: Sequence[Sequence[str]]) -> list[list[str]]:
    """What the file of an image may be called, for each rank."""
    path = PurePosixPath(name)
    stem = path.stem if path.suffix.lower() in IMAGES else path.name
    return [[form.format(name=path.name, stem=stem) for form in rank] for rank in ranks]


def _folders(path):
    """The folders of a path, from the innermost outwards."""
    return PurePosixPath(comparable(str(path))).parts[-2::-1]
