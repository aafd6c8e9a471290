"""EyeLink files as `edf2asc` writes them: lines of events and messages."""

import bisect
import re
from typing import TYPE_CHECKING

from keras_saliency.data.exports.text import Asked, as_table, one_eye, one_group

if TYPE_CHECKING:
    import pandas as pd

NUMBER = r"(-?\d+(?:\.\d+)?|\.)"  # a dot stands for what is lost
FIXATION = re.compile(rf"^EFIX\s+([LR])\s+{NUMBER}\s+{NUMBER}\s+{NUMBER}\s+{NUMBER}\s+{NUMBER}")
MESSAGE = re.compile(r"^MSG\s+(\d+(?:\.\d+)?)\s+(.*)$")
DISPLAY = re.compile(r"DISPLAY_COORDS\s*=?\s*(-?\d+)\s+(-?\d+)\s+(-?\d+)\s+(-?\d+)")
ERROR = re.compile(r"VALIDATION \S+ \S+ (LEFT|RIGHT)\s.*?ERROR (\d+\.?\d*) avg")  # of a calibration, in degrees
TELLING = re.compile(r"TRIALID|\.(?:jpe?g|png|bmp|tiff?)\b", re.I)  # messages that may name a picture
SHOWN = 4


def knows(text: str) -> bool:
    """Whether it is such a file."""
    return bool(re.search(r"^\*\* (?:CONVERTED FROM|TYPE: EDF)|^(?:EFIX|SFIX) [LR]", text, re.M))


def read(text: str, asked: Asked) -> "pd.DataFrame":
    """The fixations of a file; see `read_export`.

    Coordinates are those of the file, in pixels of the screen from its left and upper edge. A fixation belongs to the
    picture that the last message before its onset names, and `time` is that since the message, or since the phase
    began. What begins before the first such message, or outside the phase, is left out.
    """
    eyes = re.findall(r"^EFIX\s+([LR])\s", text, re.M)
    if not eyes:
        raise ValueError("it has no fixations (EFIX), only samples or messages. Convert it with events.")
    trials, counts = asked.trials, {eye: eyes.count(eye) for eye in "LR"}
    eye = one_eye(counts, {side[0]: float(error) for side, error in ERROR.findall(text)}, asked)
    found = [match.groups()[1:] for match in map(FIXATION.match, text.splitlines()) if match and match[1] == eye]
    fixations = [[float("nan") if cell == "." else float(cell) for cell in cells] for cells in found]
    shown = [] if trials is None else _named(text, one_group("trials", trials))
    if trials is not None and not shown:
        raise ValueError(f"no message fits {trials!r}. {hint(text)}")
    onsets = [onset for onset, _ in shown]
    display = DISPLAY.search(text)
    left, top, right, bottom = map(int, display.groups()) if display else (0, 0, -1, -1)
    phases = _phases(text, asked.phase)
    rows, early, outside = [], 0, 0
    for start, _, duration, x, y in fixations:
        at = bisect.bisect_right(onsets, start) - 1
        if shown and at < 0:
            early += 1
            continue
        onset, image = shown[at] if shown else (0.0, None)
        if phases:
            at = bisect.bisect_right(phases, (start, True)) - 1
            onset, inside = phases[at] if at >= 0 else (0.0, False)
            if not inside:
                outside += 1
                continue
        rows.append((image, x - left, y - top, (start - onset) / 1000, duration / 1000))
    screen = (right - left + 1, bottom - top + 1) if display else None
    other = {"of the other eye": len(eyes) - counts[eye]}
    attrs = {"frame": "screen", "units": "pixels", "screen": screen, "hint": "" if shown else hint(text)}
    return as_table(rows, attrs, {**other, "before the first picture": early, "outside the phase": outside})


def _named(text, pattern):
    """When which picture came, in order."""
    messages = [match for match in map(MESSAGE.match, text.splitlines()) if match]
    return sorted((float(m[1]), named[1]) for m in messages if (named := pattern.search(m[2])))


def _phases(text, phase):
    """When a phase began (True) or ended, in order."""
    if phase is None:
        return []
    if isinstance(phase, str | dict) or len(phase) != 2:
        raise ValueError(f"phase is (begin, end), two regular expressions of messages. Received: {phase!r}.")
    begin, end = (one_group("phase", expression, groups=0) for expression in phase)
    messages = [match for match in map(MESSAGE.match, text.splitlines()) if match]
    marks = [(float(m[1]), bool(begin.search(m[2]))) for m in messages if begin.search(m[2]) or end.search(m[2])]
    if not any(begins for _, begins in marks):
        raise ValueError(f"no message fits {phase[0]!r}, with which the phase begins.")
    return sorted(marks)


def hint(text: str) -> str:
    """A sentence with messages that may name the picture."""
    messages = dict.fromkeys(m[2].strip() for m in map(MESSAGE.match, text.splitlines()) if m and TELLING.search(m[2]))
    found = "; ".join(message[:60] for message in list(messages)[:SHOWN])
    return (
        "Say which messages name the picture, by a regular expression with one group: "
        rf"trials=r'TRIALID (\S+)'. Messages that may: {found or 'none'}."
    )
