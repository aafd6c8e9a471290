"""What is in an archive, one after the other: plain files and folders inside one folder, or an error."""

import contextlib
import functools
import gzip
import stat
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import IO, Any, NamedTuple

ZIP, GZIP = (b"PK\x03\x04", b"PK\x05\x06"), b"\x1f\x8b"
HEADER = 1 << 20  # bytes of a name and the like in a tar file
# Python 3.11.4 has it. It refuses what leads out of a folder, devices, and more.
_filter = getattr(tarfile, "data_filter", lambda member, folder: member)


class RefusedError(Exception):
    """What an archive holds and must not."""


class Member(NamedTuple):
    """A file or folder in an archive.

    Attributes:
        path: Its path, inside the archive.
        size: The bytes of its content.
        folder: Whether it is a folder.
        open: Opens its content.
    """

    path: PurePosixPath
    size: int
    folder: bool
    open: Callable[[], IO[bytes]]


@contextlib.contextmanager
def members(archive: Path) -> Iterator[Iterator[Member]]:
    """A context that gives what is in a ZIP, tar or tar.gz file, to be read in this order.

    Raises:
        RefusedError: If a name leads outside, or something is neither a file nor a folder.
        Exception: Of `zipfile`, `tarfile`, `gzip` or `zlib`, if it is damaged.
    """
    with archive.open("rb") as raw:
        start = raw.read(4)
        raw.seek(0)
        if start in ZIP:
            with zipfile.ZipFile(raw) as file:
                yield (_of_zip(file, info) for info in file.infolist())
            return
        stream: Any = _Bounded(gzip.GzipFile(fileobj=raw) if start.startswith(GZIP) else raw)
        with tarfile.open(fileobj=stream, mode="r:") as file:
            yield (_of_tar(file, info) for info in file)
        if not stream.last or stream.last.strip(b"\0"):
            raise tarfile.ReadError("its end is missing")
        stream.read(HEADER)  # to the checksum at the end


def size_of(archive: Path) -> int:
    """The bytes of the content, as far as they are known before it is unpacked: at least those of a tar.gz file."""
    with archive.open("rb") as raw:
        if raw.read(4) not in ZIP:
            return archive.stat().st_size
        with zipfile.ZipFile(raw) as file:
            return sum(info.file_size for info in file.infolist())


def _of_zip(file, info):
    if stat.S_IFMT(info.external_attr >> 16) not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise RefusedError(f"{info.filename!r} in it is a link or a device")
    return Member(_checked(info.filename), info.file_size, info.is_dir(), functools.partial(file.open, info))


def _of_tar(file, info):
    if not (info.isreg() or info.isdir()):
        raise RefusedError(f"{info.name!r} in it is a link or a device")
    path = _checked(info.name)
    try:
        _filter(info, ".")
    except tarfile.TarError as error:
        raise RefusedError(f"{info.name!r} in it leads outside") from error
    return Member(path, info.size, info.isdir(), functools.partial(file.extractfile, info))


def _checked(name):
    """A name in an archive as a path, if it is one inside a folder."""
    text = name.replace("\\", "/")  # as some programs for Windows write it
    path = PurePosixPath(text)
    if path.is_absolute() or ".." in path.parts or PureWindowsPath(text).drive or "\0" in text:
        raise RefusedError(f"{name!r} in it leads outside")
    return path


class _Bounded:
    """A file of which little is read at once: Python's tar reads whatever length a header claims to have."""

    def __init__(self, stream):
        self.seek, self.tell, self._read, self.last = stream.seek, stream.tell, stream.read, b""

    def read(self, size):
        if size > HEADER:
            raise RefusedError("a header in it claims to be far too long")
        self.last = self._read(size)
        return self.last
