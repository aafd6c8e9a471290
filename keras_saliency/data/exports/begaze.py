"""Events as SMI's BeGaze exports them: several tables in one file, and both eyes."""

import re
from typing import TYPE_CHECKING

from keras_saliency.data.exports.text import Asked, as_table, one_eye

if TYPE_CHECKING:
    import pandas as pd

HEADER = "Table Header for Fixations:"
CLICK = "UE-"  # what messages about mouse and keys begin with
PER_SECOND = 1_000_000


def knows(text: str) -> bool:
    """Whether it is such a file."""
    return text.startswith("[BeGaze]") and HEADER in text


def read(text: str, asked: Asked) -> "pd.DataFrame":
    """The fixations of a file; see `read_export`.

    The picture is what the last message of the trial before the fixation says, or the stimulus in the head of the file.
    Coordinates are pixels of the screen.
    """
    if asked.phase is not None:
        raise ValueError("it has no phases. Leave out phase.")
    lines = text.splitlines()
    separator = "\t" if "\t" in lines[lines.index(HEADER) + 1] else ","
    names = [name.strip() for name in lines[lines.index(HEADER) + 1].split(separator)]
    subject, stimulus = (re.search(rf"^{word}:\t(.*)$", text, re.M) for word in ("Subject", "Stimulus"))
    counts = {eye: text.count(f"\nFixation {eye}{separator}") for eye in "LR"}
    eye = one_eye(counts, {}, asked)
    first, image, rows = None, stimulus[1].strip() if stimulus else None, []
    for line in lines:
        cells = [cell.strip() for cell in line.split(separator)]
        message = line.partition("Message:")[2].strip() if cells[0] == "UserEvent" else ""
        if message and not message.startswith(CLICK):
            image = message
        if cells[0] != f"Fixation {eye}":
            continue
        row = dict(zip(names, cells, strict=False))
        start, duration, x, y = (_number(row.get(n)) for n in ("Start", "Duration", "Location X", "Location Y"))
        first = start if first is None else first
        rows.append((image, x, y, (start - first) / PER_SECOND, duration / PER_SECOND))
    table = as_table(
        rows, {"frame": "screen", "units": "pixels"}, {"of the other eye": sum(counts.values()) - counts[eye]}
    )
    if subject:
        table["observer"] = subject[1].strip()
    return table


def _number(cell):
    try:
        return float(cell)
    except (TypeError, ValueError):  # "-" stands for none
        return float("nan")
