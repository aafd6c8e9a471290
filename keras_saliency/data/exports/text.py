"""The text of an export, however it is encoded, and the table in it."""

import codecs
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

if TYPE_CHECKING:
    import pandas as pd

BYTES = 2**31  # of a file
EYES = {"left": "L", "right": "R"}
MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}


# The messages that begin and end it, or the values of columns.
Phase: TypeAlias = Sequence[str] | Mapping[str, str] | None


class Asked(NamedTuple):
    """What a person says of an export; see `read_export`."""

    trials: str | None = None
    phase: Phase = None
    eye: str | None = None


def read_text(path: Path) -> str:
    """The text of a file, with line ends of one kind.

    UTF-8 or UTF-16 with a byte-order mark, UTF-8 without, and else Latin-1, in which any bytes are letters.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is empty, binary or larger than 2 GB.
    """
    if path.is_file() and path.stat().st_size > BYTES:
        raise ValueError(f"{path} has more than {BYTES} bytes. Export fixations, and not samples.")
    data = path.read_bytes()
    encoding = next((name for mark, name in MARKS.items() if data.startswith(mark)), "utf-8")
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    if not text.strip() or "\0" in text:
        raise ValueError(f"{path} is {'no text' if chr(0) in text else 'empty'}. Expected an export of an eye tracker.")
    return text.replace("\r\r\n", "\n").replace("\r\n", "\n").replace("\r", "\n")


def one_eye(counts: Mapping[str, int], errors: Mapping[str, float], asked: Asked) -> str:
    """The eye that counts, "L" or "R": the one that is asked for, or the one with the smaller error, or more fixations.

    Args:
        counts: The number of fixations of each eye.
        errors: The error of each, as far as it was measured.
        asked: May name the eye.

    Raises:
        ValueError: If the eye is unknown, or was not recorded.
    """
    if asked.eye is None:
        return min("LR", key=lambda eye: (not counts[eye], errors.get(eye, float("inf")), -counts[eye]))
    if asked.eye not in EYES:
        raise ValueError(f"unknown eye {asked.eye!r}. Known eyes: {', '.join(EYES)}.")
    if not counts[EYES[asked.eye]]:
        raise ValueError(f"it has no fixations of the {asked.eye} eye. Leave out eye.")
    return EYES[asked.eye]


def expression(name: str, text: str) -> re.Pattern[str]:
    """A regular expression.

    Raises:
        ValueError: If it is none; calls it by its name.
    """
    try:
        return re.compile(text)
    except re.error as error:
        raise ValueError(f"{name}={text!r} is no regular expression: {error}.") from error


def one_group(name: str, text: str) -> re.Pattern[str]:
    """A regular expression with one group; errors are those of `expression`."""
    pattern = expression(name, text)
    if pattern.groups != 1:
        raise ValueError(f"{name}={text!r} must have one group, in brackets: what it finds.")
    return pattern


def require_columns(names: Iterable[str], there: Sequence[str]) -> None:
    """Raises a ValueError if a table lacks a column that a person names."""
    missing = [name for name in names if name not in there]
    if missing:
        raise ValueError(f"it has no column {missing[0]!r}. It has: {', '.join(there)[:300]}.")


def columns_of(phase: Phase) -> dict[str, str]:
    """The values of columns that a phase is in a table.

    Raises:
        ValueError: If it is none.
    """
    if phase is not None and not isinstance(phase, Mapping):
        raise ValueError(f"it is a table: phase is {{column: value}}. Received: {phase!r}.")
    return dict(phase or {})


def as_table(rows: list[tuple[Any, ...]], attrs: dict[str, Any], left_out: dict[str, int]) -> "pd.DataFrame":
    """A table of fixations from rows of `image, x, y, time, duration`, without those that have no coordinates."""
    import pandas as pd

    table = pd.DataFrame(rows, columns=["image", "x", "y", "time", "duration"])
    numbers = table.columns.drop("image")
    table[numbers] = table[numbers].astype("float64")
    return without_lost(table, attrs, left_out)


def without_lost(table: "pd.DataFrame", attrs: dict[str, Any], left_out: dict[str, int]) -> "pd.DataFrame":
    """The same without rows that have no coordinates, whose number is told in `attrs`."""
    lost = table["x"].isna() | table["y"].isna()
    counts = {**left_out, "without coordinates": int(lost.sum())}
    table = table[~lost].reset_index(drop=True)
    table.attrs = {"screen": None, **attrs, "left_out": {reason: count for reason, count in counts.items() if count}}
    if not len(table):
        raise ValueError(f"it has no fixations with coordinates; left out: {table.attrs['left_out']}.")
    return table
