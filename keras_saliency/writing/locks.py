"""A folder that one process at a time works in."""

import contextlib
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows, where two processes in one folder are not noticed.
    fcntl = None  # type: ignore[assignment]

LOCK = ".lock"


def lock(folder: Path, held: contextlib.ExitStack, said: str, wait: bool = False) -> None:
    """Takes a folder until the end of `held`; the system gives it free when the process dies, too.

    Args:
        folder: The folder; a file `LOCK` in it stays.
        held: What ends with the work.
        said: What the error says.
        wait: Whether to wait until the other process has ended, in place of an error.

    Raises:
        ValueError: If another process has taken it.
    """
    if fcntl is None:
        return
    file = held.enter_context((folder / LOCK).open("a"))
    try:
        fcntl.flock(file, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise ValueError(said) from error
    except OSError:  # A file system without locks.
        return
