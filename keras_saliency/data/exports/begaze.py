"""Events as SMI's BeGaze exports them: several tables in one file, and both eyes."""

import bisect
import re
from typing import TYPE_CHECKING

from keras_saliency.data.exports.text import Asked, as_table, columns_of, one_eye, one_group, require_columns

if TYPE_CHECKING:
    import pandas as pd

HEADER = re.compile(r"^Table Header for Fixations:\s*\n(.*)$", re.M)
NAMES = r"^(?!UE-)(.+)$"  # a message that is not about mouse or keys
PER_SECOND = 1_000_000


def knows(text: str) -> bool:
    """Whether it is such a file."""
    return text.startswith("[BeGaze]") and HEADER.search(text) is not None


def read(text: str, asked: Asked) -> "pd.DataFrame":
    """The fixations of a file; see `read_export`.

    The picture is what the last message before the onset says, or the stimulus in the head of the file, and `time` is
    that since the message. Coordinates are pixels of the screen.
    """
    header = HEADER.search(text)[1]  # type: ignore[index]
    separator = "\t" if "\t" in header else ","
    names = [name.strip() for name in header.split(separator)]
    trials, values = asked.trials, columns_of(asked.phase)
    require_columns(values, names)
    subject, stimulus = (re.search(rf"^{word}:\s*(.*\S)", text, re.M) for word in ("Subject", "Stimulus"))
    counts = {eye: text.count(f"\nFixation {eye}{separator}") for eye in "LR"}
    eye = one_eye(counts, {}, asked)
    events = [[cell.strip() for cell in line.split(separator)] for line in text.splitlines()]
    found = [dict(zip(names, cells, strict=False)) for cells in events if cells[0] == f"Fixation {eye}"]
    shown = _shown(events, separator, one_group("trials", trials or NAMES))
    if trials and not shown:
        raise ValueError(f"no message fits {trials!r}.")
    rows: list[tuple] = []
    other = sum(counts.values()) - counts[eye]
    left_out = {"of the other eye": other, "before the first picture": 0, "outside the phase": 0}
    for row in found:
        start, duration, x, y = (_number(row.get(n)) for n in ("Start", "Duration", "Location X", "Location Y"))
        at = bisect.bisect_right(shown, start, key=lambda event: event[0]) - 1
        if any(row.get(name) != value for name, value in values.items()):
            left_out["outside the phase"] += 1
        elif trials and at < 0:
            left_out["before the first picture"] += 1
        else:
            onset, image = shown[at] if at >= 0 else (_number(found[0]["Start"]), stimulus[1] if stimulus else None)
            rows.append((image, x, y, (start - onset) / PER_SECOND, duration / PER_SECOND))
    table = as_table(rows, {"frame": "screen", "units": "pixels"}, left_out)
    return table.assign(observer=subject[1]) if subject else table


def _shown(events, separator, pattern):
    """When which picture came, in order."""
    users = [cells for cells in events if cells[0] == "UserEvent" and len(cells) > 4]
    messages = [(_number(cells[3]), separator.join(cells[4:]).partition("Message:")[2].strip()) for cells in users]
    return sorted((time, named[1].strip()) for time, message in messages if (named := pattern.search(message)))


def _number(cell):
    try:
        return float(cell)
    except (TypeError, ValueError):  # "-" stands for none
        return float("nan")
