"""EyeLink files as `edf2asc` writes them: lines of events and messages."""

import bisect
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from keras_saliency.data.exports.text import Asked, as_table, expression, one_eye, one_group

if TYPE_CHECKING:
    import pandas as pd

NUMBER = r"(-?\d+(?:\.\d+)?|\.)"  # a dot stands for what is lost
FIXATION = re.compile(rf"^EFIX\s+([LR])\s+{NUMBER}\s+{NUMBER}\s+{NUMBER}\s+{NUMBER}\s+{NUMBER}")
LINE = re.compile(r"^(MSG|START|END)\s+(\d+(?:\.\d+)?)\s*(.*)$")
DISPLAY = re.compile(r"DISPLAY_COORDS\s*=?" + 4 * r"\s+(-?\d+)(?:\.\d+)?")
ERROR = re.compile(r"VALIDATION \S+ \S+ (LEFT|RIGHT)\s.*?ERROR (\d+\.?\d*) avg")  # of a calibration, in degrees
TELLING = re.compile(r"TRIALID|TRIAL_VAR|\.(?:jpe?g|png|bmp|tiff?)\b", re.I)  # messages that may name a picture
SHOWN = 4


def knows(text: str) -> bool:
    """Whether it is such a file."""
    return bool(re.search(r"^\*\* (?:CONVERTED FROM|TYPE: EDF)|^(?:EFIX|SFIX) [LR]", text, re.M))


def read(text: str, asked: Asked) -> "pd.DataFrame":
    """The fixations of a file; see `read_export`.

    Coordinates are those of the file, in pixels of the screen from its left and upper edge. A fixation belongs to the
    picture that was shown at its onset, from the message that names it to the next one, to TRIAL_RESULT or to the end
    of the recording. A message between that end and TRIAL_RESULT, as Experiment Builder writes its variables, names the
    picture of the recording before. `time` is that since the message, or since the beginning of the phase.
    """
    eyes = re.findall(r"^EFIX\s+([LR])\s", text, re.M)
    if not eyes:
        raise ValueError("it has no fixations (EFIX), only samples or messages. Convert it with events.")
    if re.search(r"^EVENTS\s+HREF", text, re.M):
        raise ValueError("its fixations are angles of the eye (HREF). Convert it again with gaze coordinates.")
    trials, phase, counts = asked.trials, asked.phase, {eye: eyes.count(eye) for eye in "LR"}
    eye = one_eye(counts, {side[0]: float(error) for side, error in ERROR.findall(text)}, asked)
    lines = text.splitlines()
    found = [match.groups()[1:] for match in map(FIXATION.match, lines) if match and match[1] == eye]
    fixations = [[float("nan") if cell == "." else float(cell) for cell in cells] for cells in found]
    marks = [(m[1], float(m[2]), m[3].strip()) for m in map(LINE.match, lines) if m]
    if trials is None and (count := sum(kind == "MSG" and what.startswith("TRIALID") for kind, _, what in marks)) > 1:
        raise ValueError(f"it has {count} trials. {_hint(marks)}")
    shown = [] if trials is None else _shown(marks, one_group("trials", trials))
    if trials is not None and not any(image for _, image in shown):
        raise ValueError(f"no message fits {trials!r}. {_hint(marks)}")
    during = [] if phase is None else _during(marks, phase)
    display = DISPLAY.search(text)
    left, top, right, bottom = map(int, display.groups()) if display else (0, 0, -1, -1)
    rows: list[tuple] = []
    left_out = {"of the other eye": len(eyes) - counts[eye], "while no picture was shown": 0, "outside the phase": 0}
    for start, _, duration, x, y in fixations:
        onset, image = _last(shown, start)
        begun, inside = _last(during, start)
        if shown and image is None:
            left_out["while no picture was shown"] += 1
        elif during and not inside:
            left_out["outside the phase"] += 1
        else:
            rows.append((image, x - left, y - top, (start - max(onset, begun)) / 1000, duration / 1000))
    screen = (right - left + 1, bottom - top + 1) if display else None
    attrs = {"frame": "screen", "units": "pixels", "screen": screen, "hint": "" if shown else _hint(marks)}
    return as_table(rows, attrs, left_out)


def _shown(marks, pattern):
    """When which picture came, and None when it was gone, in order."""
    shown, late, start, ended = [], [], 0.0, False
    for kind, time, what in marks:
        result = kind == "MSG" and what.startswith("TRIAL_RESULT")
        if result or kind == "START" or what.startswith("TRIALID"):
            shown += [(start if result else at, image) for at, image in late]
            late, ended = [], False
        start = time if kind == "START" else start
        ended = ended or kind == "END"
        if result or kind == "END":
            shown.append((time, None))
        elif kind == "MSG" and (named := pattern.search(what)):
            (late if ended else shown).append((time, named[1].strip()))
    return sorted([*shown, *late], key=lambda row: row[0])


def _during(marks, phase):
    """When the phase began (True) and ended (False), in order."""
    if isinstance(phase, str | Mapping) or len(phase) != 2:
        raise ValueError(f"phase is (begin, end), two regular expressions of messages. Received: {phase!r}.")
    begin, end = (expression("phase", part) for part in phase)
    messages = [(time, what) for kind, time, what in marks if kind == "MSG"]
    found = [(time, bool(begin.search(what))) for time, what in messages if begin.search(what) or end.search(what)]
    if not any(begins for _, begins in found):
        raise ValueError(f"no message fits {phase[0]!r}, with which the phase begins.")
    return sorted(found)


def _last(events, time):
    at = bisect.bisect_right(events, time, key=lambda event: event[0]) - 1
    return events[at] if at >= 0 else (0.0, None)


def _hint(marks):
    """A sentence with messages that may name the picture."""
    messages = dict.fromkeys(what for kind, _, what in marks if kind == "MSG" and TELLING.search(what))
    found = "; ".join(message[:60] for message in list(messages)[:SHOWN])
    return (
        "Say which messages name the picture, by a regular expression with one group: "
        rf"trials=r'TRIALID (\S+)'. Messages that may: {found or 'none'}."
    )
