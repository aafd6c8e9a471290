"""Files that are there whole or not at all, whatever happens while they are written."""

import contextlib
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def whole(path: str | Path) -> Iterator[Path]:
    """A context that gives the place to write a file at, beside its own; it is moved there once it is complete.

    After an error nothing is left, and what stood there before stands there still.

    Args:
        path: The file; one that exists is replaced.
    """
    path = Path(path)
    # With the same ending, by which writers choose a format.
    part = path.with_name(f".{path.stem}.part{path.suffix}")
    try:
        yield part
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def write_whole(path: str | Path, text: str) -> None:
    """Writes a text file in one step; see `whole`."""
    with whole(path) as part:
        part.write_text(text)
