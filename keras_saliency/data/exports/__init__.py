"""The exports of eye trackers: each becomes a table of fixations, or is refused with the reason.

A row of `EXPORTS` is a software: what knows a file of it by its text, and what reads it.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from keras_saliency.data.exports import begaze, columns, eyelink, refused, samples
from keras_saliency.data.exports.detection import Detection
from keras_saliency.data.exports.text import Asked, Phase, read_text

if TYPE_CHECKING:
    import pandas as pd

EXPORTS: dict[str, tuple[Callable[[str], bool], Callable[[str, Asked], "pd.DataFrame"]]] = {
    "EyeLink": (eyelink.knows, eyelink.read),
    "SMI BeGaze": (begaze.knows, begaze.read),
    **columns.EXPORTS,
}


def read_export(
    path: str | Path,
    trials: str | None = None,
    detection: Detection | None = None,
    phase: Phase = None,
    eye: str | None = None,
) -> "pd.DataFrame":
    """The fixations of an export.

    What has no coordinates is left out and counted.

    Args:
        path: The file, in UTF-8, UTF-16 or Latin-1.
        trials: What names the picture: of an EyeLink file a regular expression with one group, which is looked for in
            its messages, such as `r"IMGLOAD FILL (\\S+)"`; of a table the name of a column. None for what the software
            writes there itself.
        phase: Which part of a recording counts: of an EyeLink file `(begin, end)`, regular expressions of the messages
            between which fixations begin; of a table `{column: value}`.
        eye: Which of two eyes counts, `"left"` or `"right"`; by default the one with the smaller error in the last
            validation of an EyeLink file, else the one with more fixations, else the left one.
        detection: How fixations are detected where an export holds only samples: Tobii 4C, and WebGazer in jsPsych.

    Returns:
        A table with the columns `image` (NaN where nothing names the picture), `x`, `y`, and as far as known
        `observer`, `time` and `duration`, in seconds. Its `attrs` tell the `software`; the `frame` of the coordinates,
        `"screen"` or `"image"`; their `units`, `"pixels"` or `"shares"`; the `screen`, `(width, height)` or None; and
        in `left_out` how many fixations are left out, by reason.

    Raises:
        FileNotFoundError: If there is no such file.
        ImportError: If fixations are to be detected and pymovements is not installed.
        ValueError: If it is of no known software, or holds no fixations with coordinates: says what it holds, and what
            to export.
    """
    path = Path(path)
    text, asked = read_text(path), Asked(trials, phase, eye)
    for name, (knows, reader) in EXPORTS.items():
        if knows(text):
            try:
                table = reader(text, asked)
            except ValueError as error:
                raise ValueError(f"{path}, an export of {name}: {error}") from error
            table.attrs["software"] = name
            return table
    for name in samples.NAMES if detection else ():
        if samples.knows(name, text):
            try:
                table = samples.read(name, text, asked, detection)  # type: ignore[arg-type]
            except ValueError as error:
                raise ValueError(f"{path}, samples of {name}: {error}") from error
            table.attrs["software"] = name
            return table
    for reason, knows in refused.REASONS.items():
        if knows(text):
            raise ValueError(f"{path} cannot be read: {reason}")
    raise ValueError(
        f"{path} is an export of no known software. Known: {', '.join(EXPORTS)}. Write a table with a row for each "
        "fixation, and read it as the data set 'table'."
    )


__all__ = ["EXPORTS", "Detection", "read_export"]
