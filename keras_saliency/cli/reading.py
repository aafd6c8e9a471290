"""The options of commands that read data: what else would stand in a file of settings beside them."""

import functools
import inspect
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from keras_saliency.data import DataSet

PANEL = "How the data are read, where no file beside them says it"
# Option -> its type, and what it means.
MEANINGS: dict[str, tuple[Any, str]] = {
    "columns": (list[str] | None, "What a column of a table is called, NAME=COLUMN: x=gaze_x; may be repeated."),
    "units": (str | None, "Of coordinates: pixels, shares or degrees."),
    "origin": (str | None, "Whether y counts from the top or the bottom."),
    "pixels_per_degree": (float | None, "The pixels of one degree of visual angle; ground truth is blurred by it."),
    "screen": (str | None, "The size of the screen that coordinates are of, WxH in pixels: 1920x1080."),
    "stimulus": (str | None, "How images were shown on it: centred, fitted, stretched, or LEFT,TOP,WIDTH,HEIGHT."),
    "trials": (str | None, "What names the picture in an export: a regular expression with a group, or a column."),
    "phase": (tuple[str, str] | None, "Which part of an export counts: two expressions, or a column and its value."),
}
OPTIONS = {
    name: Annotated[kind, typer.Option(help=meaning, rich_help_panel=PANEL)]
    for name, (kind, meaning) in MEANINGS.items()
}


def reads_data(command: Callable[..., None]) -> Callable[..., None]:
    """Adds `OPTIONS` to a command, which is given those that a person gave as `reading`, a dictionary."""
    own = inspect.signature(command).parameters

    @functools.wraps(command)
    def run(**arguments: Any) -> None:
        given = {name: arguments.pop(name) for name in OPTIONS}
        reading = {name: PARSERS.get(name, lambda value: value)(value) for name, value in given.items() if value}
        command(**arguments, reading=reading)

    kept = [parameter for name, parameter in own.items() if name != "reading"]
    added = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=kind)
        for name, kind in OPTIONS.items()
    ]
    run.__signature__ = inspect.Signature([*kept, *added])  # type: ignore[attr-defined]
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in [*kept, *added]}
    return run


def opened(folders: dict[str, str | None], reading: dict[str, Any]) -> "dict[str, str | DataSet | None]":
    """The folders of data sets, or, where it is said how to read it, the data set that they are.

    Raises:
        ValueError: If it is said of several.
    """
    if not reading:
        return dict(folders)
    if len(folders) != 1:
        raise ValueError(f"--{min(reading)} is said of one data set, and --data names {len(folders)}. Name one.")
    from keras_saliency.data import load

    return {name: load(name, folder, **reading) for name, folder in folders.items()}


def _columns(texts):
    pairs = [text.partition("=") for text in texts]
    for text, (_, equals, column) in zip(texts, pairs, strict=True):
        if not (equals and column):
            raise ValueError(f"--columns has the form NAME=COLUMN, such as x=gaze_x. Received: {text!r}.")
    return {name: column for name, _, column in pairs}


def _screen(text):
    found = re.fullmatch(r"(\d+)x(\d+)", text)
    if not found:
        raise ValueError(f"--screen has the form WxH, such as 1920x1080. Received: {text!r}.")
    return int(found[1]), int(found[2])


def _stimulus(text):
    if "," not in text:
        return text
    try:
        left, top, width, height = map(float, text.split(","))
    except ValueError as error:
        raise ValueError(f"As a rectangle, --stimulus is LEFT,TOP,WIDTH,HEIGHT. Received: {text!r}.") from error
    return left, top, width, height


PARSERS: dict[str, Callable[[Any], Any]] = {"columns": _columns, "screen": _screen, "stimulus": _stimulus}
