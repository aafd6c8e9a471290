"""EyeLink files as `edf2asc` writes them: lines of events and messages."""

import bisect
import re
from typing import TYPE_CHECKING

from keras_saliency.data.exports.text import as_table, one_group

if TYPE_CHECKING:
    import pandas as pd

NUMBER = r"(-?\d+(?:\.\d+)?|\.)"  # a dot stands for what is lost
FIXATION = re.compile(rf"^EFIX\s+([LR])\s+{NUMBER}\s+{NUMBER}\s+{NUMBER}\s+{NUMBER}\s+{NUMBER}")
MESSAGE = re.compile(r"^MSG\s+(\d+(?:\.\d+)?)\s+(.*)$")
DISPLAY = re.compile(r"DISPLAY_COORDS\s*=?\s*(-?\d+)\s+(-?\d+)\s+(-?\d+)\s+(-?\d+)")
TELLING = re.compile(r"TRIALID|\.(?:jpe?g|png|bmp|tiff?)\b", re.I)  # messages that may name a picture
SHOWN = 4


def knows(text: str) -> bool:
    """Whether it is such a file."""
    return bool(re.search(r"^\*\* (?:CONVERTED FROM|TYPE: EDF)|^(?:EFIX|SFIX) [LR]", text, re.M))


def read(text: str, trials: str | None = None) -> "pd.DataFrame":
    """The fixations of a file; see `read_export`.

    Coordinates are those of the file, in pixels of the screen from its left and upper edge. A fixation belongs to the
    picture that the last message before its onset names, and `time` is that since the message. What begins before the
    first such message is left out.
    """
    eyes = re.findall(r"^EFIX\s+([LR])\s", text, re.M)
    if not eyes:
        raise ValueError("it has no fixations (EFIX), only samples or messages. Convert it with events.")
    eye = max("LR", key=eyes.count)
    found = [match.groups()[1:] for match in map(FIXATION.match, text.splitlines()) if match and match[1] == eye]
    fixations = [[float("nan") if cell == "." else float(cell) for cell in cells] for cells in found]
    shown = [] if trials is None else _named(text, one_group("trials", trials))
    if trials is not None and not shown:
        raise ValueError(f"no message fits {trials!r}. {hint(text)}")
    onsets = [onset for onset, _ in shown]
    display = DISPLAY.search(text)
    left, top, right, bottom = map(int, display.groups()) if display else (0, 0, -1, -1)
    rows, early = [], 0
    for start, _, duration, x, y in fixations:
        at = bisect.bisect_right(onsets, start) - 1
        if shown and at < 0:
            early += 1
            continue
        onset, image = shown[at] if shown else (0.0, None)
        rows.append((image, x - left, y - top, (start - onset) / 1000, duration / 1000))
    screen = (right - left + 1, bottom - top + 1) if display else None
    attrs = {"frame": "screen", "units": "pixels", "screen": screen, "hint": "" if shown else hint(text)}
    return as_table(rows, attrs, {"before the first picture": early})


def _named(text, pattern):
    """When which picture came, in order."""
    messages = [match for match in map(MESSAGE.match, text.splitlines()) if match]
    return sorted((float(m[1]), named[1]) for m in messages if (named := pattern.search(m[2])))


def hint(text: str) -> str:
    """A sentence with messages that may name the picture."""
    messages = dict.fromkeys(m[2].strip() for m in map(MESSAGE.match, text.splitlines()) if m and TELLING.search(m[2]))
    found = "; ".join(message[:60] for message in list(messages)[:SHOWN])
    return (
        "Say which messages name the picture, by a regular expression with one group: "
        rf"trials=r'TRIALID (\S+)'. Messages that may: {found or 'none'}."
    )
