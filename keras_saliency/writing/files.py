"""Files that are there whole or not at all, whatever happens while they are written; and what is wrong with others."""

import contextlib
import errno
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def part_of(path: str | Path) -> Path:
    """Where `whole` has a file or folder written: beside its own place, and with the endings that choose a format."""
    path = Path(path)
    return path.with_name(f".part.{path.name}")


@contextlib.contextmanager
def whole(path: str | Path) -> Iterator[Path]:
    """A context that gives the place to write a file or folder at, beside its own; it is moved there once complete.

    After an error nothing is left, and what stood there before stands there still.

    Args:
        path: The file, one that exists is replaced; or the folder, which must be new or empty.

    Raises:
        OSError: If it cannot be written; names it.
    """
    path = Path(path).absolute()
    part = part_of(path)
    _remove(part)  # what a process that was killed has left
    try:
        with naming_full_disk(path):
            yield part
            part.replace(path)
    except BaseException:
        _remove(part)
        raise


@contextlib.contextmanager
def naming_full_disk(path: str | Path) -> Iterator[None]:
    """A context in which a full disk is one error that names what is written.

    Raises:
        OSError: If there is no room.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in FULL:
            raise
        # The system names no file, and other libraries tell more than anybody wants to know.
        raise OSError(error.errno, f"{os.strerror(error.errno)}. Make room and try again", str(path)) from error


def require_room(directory: str | Path, needed: int) -> None:
    """Finds out whether there is room for so many bytes, before they are written.

    Raises:
        OSError: If there is not.
    """
    free = shutil.disk_usage(directory).free
    if needed > free:
        said = f"{needed / 1e6:,.0f} MB are needed and {free / 1e6:,.0f} MB are free. Make room and try again"
        raise OSError(errno.ENOSPC, said, str(directory))


def _remove(part):
    if part.is_dir():
        shutil.rmtree(part)
    else:
        part.unlink(missing_ok=True)


def write_whole(path: str | Path, text: str) -> None:
    """Writes a text file in one step; see `whole`."""
    with whole(path) as part:
        part.write_text(text)


def require_new(folder: Path, remedy: str = "Choose another folder, or empty it.") -> None:
    """Lets through a folder that is new or empty.

    Args:
        folder: The folder.
        remedy: What the error says is to be done.

    Raises:
        FileExistsError: If it holds something, or is a file.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise FileExistsError(f"{folder} exists already. {remedy}")


def delete_own(folder: Path, own: re.Pattern[str]) -> None:
    """Deletes what a program has written into a folder, and no more; the folder, too, if nothing else is inside.

    Args:
        folder: The folder; it need not be there.
        own: What the paths of its files and folders inside look like, with `/` between their parts.
    """
    paths = [path for path in folder.rglob("*") if own.fullmatch(path.relative_to(folder).as_posix())]
    # In the order of their names: what marks others as complete comes first.
    for path in sorted(path for path in paths if not path.is_dir()):
        path.unlink()
    for path in [*sorted((path for path in paths if path.is_dir()), reverse=True), folder]:
        with contextlib.suppress(OSError):  # It holds something else, or is not there.
            path.rmdir()


def others_in(folder: Path, own: re.Pattern[str]) -> list[Path]:
    """The files and folders inside a folder that do not look like a program's own, in order; see `delete_own`."""
    return sorted(path for path in folder.rglob("*") if not own.fullmatch(path.relative_to(folder).as_posix()))


@contextlib.contextmanager
def naming(path: str | Path, remedy: str) -> Iterator[None]:
    """A context for what is done with the content of a file; whatever is wrong with it is one error that names it.

    Args:
        path: The file.
        remedy: A sentence that says what to do about it.

    Raises:
        ValueError: For any error inside.
    """
    try:
        yield
    except Exception as error:
        said = " ".join(f"{type(error).__name__}: {error}".split())
        raise ValueError(f"{path} cannot be used ({said}). {remedy}") from error


def require_writable(directory: str | Path) -> None:
    """Finds out whether a folder can be written to, or made where there is none, before the work and not after it.

    Raises:
        OSError: If it cannot.
    """
    directory = Path(directory).absolute()
    inner = next(path for path in (directory, *directory.parents) if path.exists())
    try:
        with tempfile.TemporaryFile(dir=inner):
            pass
    except OSError as error:
        raise OSError(f"{directory} cannot be written to: {error.strerror}. Choose another --out folder.") from error
