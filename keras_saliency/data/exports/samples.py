"""Exports that hold samples of gaze without fixations, which are to be detected: Tobii 4C, and WebGazer in jsPsych."""

import io
import json
from collections.abc import Callable
from typing import TYPE_CHECKING

from keras_saliency.data.exports.columns import header_of, in_phase
from keras_saliency.data.exports.detection import Detection, detect
from keras_saliency.data.exports.text import Asked, as_table

if TYPE_CHECKING:
    import pandas as pd

POINT = "{}_gaze_point_on_display_area"
VALID = "{}_gaze_point_validity"
CLOCK = "device_time_stamp"  # the other clock is written too coarsely
GAZE = "webgazer_data"
NAMES = {"Tobii 4C": (*map(POINT.format, ("left", "right")), CLOCK), "WebGazer": (GAZE,)}


def knows(software: str, text: str) -> bool:
    """Whether a text holds samples of a software of `NAMES`."""
    return header_of(text, NAMES[software]) is not None


def read(software: str, text: str, asked: Asked, how: Detection) -> "pd.DataFrame":
    """The fixations that are detected in samples; see `read_export`.

    Args:
        software: One of `NAMES`.
        text: The text of the file.
        asked: `trials` is the column that names the picture.
        how: How they are detected.

    Raises:
        ValueError: If a column is missing or a cell has another form; if there are no fixations; as `detect`.
    """
    import pandas as pd

    line, separator = header_of(text, NAMES[software]) or (0, ",")
    body = io.StringIO(text.split("\n", line)[-1])
    rows = pd.read_csv(body, sep=separator, dtype=str, index_col=False, keep_default_na=False)
    rows, trials = rows[in_phase(rows, asked.phase)], asked.trials
    if trials is not None and trials not in rows:
        raise ValueError(f"it has no column {trials!r}. It has: {', '.join(rows)[:300]}.")
    samples = READERS[software](rows.assign(image=rows[trials] if trials else None))
    screen = how.screen or samples.attrs.get("screen")
    attrs = {"frame": "screen", "units": samples.attrs["units"], "screen": screen}
    return as_table(detect(samples, how), attrs, {})


def _tobii_4c(rows):
    """The mean of both eyes, or the one that is valid; shares of the screen."""
    import pandas as pd

    eyes = [_points(rows[POINT.format(eye)], rows[VALID.format(eye)]) for eye in ("left", "right")]
    both = pd.concat(eyes).groupby(level=0).mean()
    clock = pd.to_numeric(rows[CLOCK], errors="coerce") / 1e6
    samples = both.assign(image=rows["image"], trial=0, time=clock - clock.min())[clock.notna()]
    samples.attrs = {"units": "shares"}
    return samples


def _points(cells, valid):
    """Numbers of cells such as "(0.25, 0.5)"."""
    import pandas as pd

    numbers = cells.str.extract(r"\(([^,]+),([^)]+)\)").apply(pd.to_numeric, errors="coerce")
    return numbers.where(valid.str.strip() == "1").set_axis(["x", "y"], axis=1)


def _webgazer(rows):
    """Of each row of the file, the samples in a cell of JSON; pixels of the window."""
    import pandas as pd

    rows = rows[rows[GAZE].str.len() > len("[]")]
    trials = []
    for row, cell, image in zip(rows.index, rows[GAZE], rows["image"], strict=True):
        try:
            samples = pd.DataFrame(json.loads(cell))[["x", "y", "t"]].astype("float64")
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(f"row {row + 1} of the table, column {GAZE!r}: no list of x, y, t ({error}).") from error
        trials.append(samples.assign(image=image, trial=row, time=samples["t"] / 1000))
    if not trials:
        raise ValueError(f"no row has samples in the column {GAZE!r}.")
    samples = pd.concat(trials, ignore_index=True)
    sizes = [rows.loc[rows[name] != "", name].unique() for name in ("inner-width", "inner-height") if name in rows]
    screen = tuple(int(size[0]) for size in sizes) if [len(size) for size in sizes] == [1, 1] else None
    samples.attrs = {"units": "pixels", "screen": screen}
    return samples


READERS: dict[str, Callable[["pd.DataFrame"], "pd.DataFrame"]] = {"Tobii 4C": _tobii_4c, "WebGazer": _webgazer}
