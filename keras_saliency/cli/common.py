"""What all commands share."""

import contextlib
import importlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from keras_saliency.writing.progress import make_console

console = make_console()


def folders(texts: list[str]) -> dict[str, str | None]:
    """From `NAME=DIR` to a dictionary."""
    pairs = [text.partition("=") for text in texts]
    for text, (_, equals, _) in zip(texts, pairs, strict=True):
        if not equals:
            raise ValueError(f"--data has the form NAME=DIR, such as osie=data/osie. Received: {text!r}.")
    return {name: folder or None for name, _, folder in pairs}


def start() -> None:
    """Imports TensorFlow: says so, for it takes seconds, and keeps what its libraries write from the terminal."""
    if "tensorflow" in sys.modules:
        return
    console.print("starting TensorFlow")
    with _nothing_on_stderr() if not debugging() else contextlib.nullcontext():
        importlib.import_module("tensorflow")


@contextlib.contextmanager
def _nothing_on_stderr() -> Iterator[None]:
    """Keeps what C libraries write from the terminal: they do not ask Python for it."""
    try:
        terminal = os.dup(2)
    except OSError:  # There is none.
        yield
        return
    try:
        with Path(os.devnull).open("w") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(terminal, 2)
        os.close(terminal)


def debugging() -> bool:
    """Whether errors are shown with their traceback."""
    return bool(os.environ.get("KERAS_SALIENCY_DEBUG"))
