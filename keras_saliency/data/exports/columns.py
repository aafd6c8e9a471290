"""Exports that are one table, known by the names of its columns: Tobii, Gazepoint, SR Data Viewer, Pupil Cloud."""

import functools
import io
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from keras_saliency.data.exports.text import Asked, without_lost

if TYPE_CHECKING:
    import pandas as pd

HEAD = 200  # lines before the table, at most
RESOLUTION = re.compile(r"(?:Screen|Recording) resolution:\s*(\d+) x (\d+)")
# Units in the names of Tobii Pro Lab's columns; those of other units or frames are other columns.
UNITS = re.compile(r"^(Recording timestamp|Gaze event duration|Fixation point [XY]) ?[\[(](?:ms|DACS ?px)[\])]$")
Names = tuple[str, ...]


class Layout(NamedTuple):
    """The columns of a software; of several names the first that is there counts.

    Attributes:
        known_by: Columns that a file of it has.
        x: And `y`, the coordinates.
        y: See `x`.
        image: What names the picture.
        observer: Who looked.
        time: The onset; of one row per sample, that of the first.
        duration: The duration.
        per_second: The parts of a second that `time` and `duration` have.
        number: That of the fixation, where a row is a sample.
        only: The column and the value of what is a fixation.
        frame: What coordinates are of.
        units: Of the coordinates.
        scale: What coordinates are divided by.
        lost: The number that stands for a coordinate that is not known.
    """

    known_by: Names
    x: Names
    y: Names
    image: Names = ()
    observer: Names = ()
    time: Names = ()
    duration: Names = ()
    per_second: tuple[float, float] = (1000.0, 1000.0)
    number: Names = ()
    only: tuple[str, str] | None = None
    frame: str = "screen"
    units: str = "pixels"
    scale: float = 1.0
    lost: float | None = None


LAYOUTS = {
    "Tobii Studio 3": Layout(
        known_by=("RecordingTimestamp", "FixationIndex", "GazeEventType"),
        x=("FixationPointX (MCSpx)",),
        y=("FixationPointY (MCSpx)",),
        image=("MediaName",),
        observer=("ParticipantName",),
        time=("RecordingTimestamp",),
        duration=("GazeEventDuration",),
        number=("FixationIndex",),
        only=("GazeEventType", "Fixation"),
        frame="image",
    ),
    "Tobii Pro Lab": Layout(
        known_by=("Recording timestamp", "Eye movement type", "Fixation point X"),
        x=("Fixation point X",),
        y=("Fixation point Y",),
        image=("Presented Media name", "Presented Stimulus name"),
        observer=("Participant name", "Recording name"),
        time=("Recording timestamp",),
        duration=("Gaze event duration",),
        number=("Eye movement type index",),
        only=("Eye movement type", "Fixation"),
    ),
    "Tobii Studio 2": Layout(
        known_by=("Timestamp", "FixationIndex", "FixationDuration", "MappedFixationPointX"),
        x=("MappedFixationPointX",),
        y=("MappedFixationPointY",),
        image=("StimuliName",),
        time=("Timestamp",),
        duration=("FixationDuration",),
        number=("FixationIndex",),
        lost=-1.0,
    ),
    "Tobii 4C": Layout(
        known_by=("label", "x", "y", "start", "end", "duration"),
        x=("x",),
        y=("y",),
        time=("start",),
        duration=("duration",),
        per_second=(1e6, 1000.0),
        only=("label", "fixation"),
        units="shares",
        scale=100.0,
    ),
    "Gazepoint": Layout(
        known_by=("MEDIA_NAME", "FPOGX", "FPOGY", "FPOGD", "FPOGID"),
        x=("FPOGX",),
        y=("FPOGY",),
        image=("MEDIA_NAME",),
        time=("FPOGS",),
        duration=("FPOGD",),
        per_second=(1.0, 1.0),
        number=("FPOGID",),
        only=("FPOGV", "1"),
        units="shares",
    ),
    "SR Data Viewer": Layout(
        known_by=("RECORDING_SESSION_LABEL", "CURRENT_FIX_X", "CURRENT_FIX_Y", "CURRENT_FIX_START"),
        x=("CURRENT_FIX_X",),
        y=("CURRENT_FIX_Y",),
        observer=("RECORDING_SESSION_LABEL",),
        time=("CURRENT_FIX_START",),
        duration=("CURRENT_FIX_DURATION",),
    ),
    "Pupil Cloud": Layout(
        known_by=("fixation id", "fixation x [normalized]", "fixation detected on surface"),
        x=("fixation x [normalized]",),
        y=("fixation y [normalized]",),
        observer=("recording id",),
        time=("start timestamp [ns]",),
        duration=("duration [ms]",),
        per_second=(1e9, 1000.0),
        only=("fixation detected on surface", "true"),
        frame="image",
        units="shares",
    ),
}


def header_of(text: str, names: Names) -> tuple[int, str] | None:
    """The number of the line that has all these columns, and what separates them."""
    for number, line in enumerate(text.split("\n", HEAD)[:HEAD]):
        for separator in "\t;,":
            if set(names) <= {UNITS.sub(r"\1", cell.strip().strip('"')) for cell in line.split(separator)}:
                return number, separator
    return None


def _read(layout, text, asked):
    """The fixations of a file of a layout; see `read_export`."""
    import pandas as pd

    line, separator = header_of(text, layout.known_by)
    body = io.StringIO(text.split("\n", line)[-1])
    rows = pd.read_csv(body, sep=separator, dtype=str, index_col=False, keep_default_na=False, skipinitialspace=True)
    rows.columns = [UNITS.sub(r"\1", name.strip()) for name in rows.columns]
    trials, inside = asked.trials, in_phase(rows, asked.phase)
    if trials is not None and trials not in rows:
        raise ValueError(f"it has no column {trials!r}. It has: {', '.join(rows.columns)}.")
    left_out = {}
    if layout.only and layout.only[0] in rows:
        column, value = layout.only
        kept = rows[column].str.strip().str.lower() == value.lower()
        if not layout.number:
            left_out[f"with another {column} than {value}"] = int((~kept).sum())
        rows = rows[kept]
    image = (trials,) if trials is not None else layout.image
    found = {"image": image, "observer": layout.observer}
    texts = {name: rows[column] for name, names in found.items() if (column := _first(rows, names))}
    numbers = {
        name: _numbers(rows[column])
        for name in ("x", "y", "time", "duration", "number")
        if (column := _first(rows, getattr(layout, name)))
    }
    table = pd.DataFrame({"image": "", **texts, **numbers, "inside": inside}, index=rows.index)
    if "number" in table:
        table = _of_samples(table)
    left_out["outside the phase"] = int((~table["inside"]).sum())
    table = table[table["inside"]].drop(columns="inside")
    table["image"] = table["image"].mask(table["image"].str.strip() == "")
    for axis in "xy":
        table[axis] = table[axis].mask(table[axis] == layout.lost) / layout.scale
    for name, parts in zip(("time", "duration"), layout.per_second, strict=True):
        if name in table:
            table[name] /= parts
    size = RESOLUTION.search("\n".join(text.split("\n", line)[:line]))
    screen = tuple(map(int, size.groups())) if size else None
    return without_lost(table, {"frame": layout.frame, "units": layout.units, "screen": screen}, left_out)


def in_phase(rows: "pd.DataFrame", phase: object) -> "pd.Series":
    """Whether the cells of a row are as a phase, `{column: value}`, says.

    Raises:
        ValueError: If it is no such mapping, or names a column that is not there.
    """
    import pandas as pd

    if not isinstance(phase, dict | None):
        raise ValueError(f"it is a table: phase is {{column: value}}. Received: {phase!r}.")
    inside = pd.Series(True, index=rows.index)
    for column, value in (phase or {}).items():
        if column not in rows:
            raise ValueError(f"it has no column {column!r} of the phase. It has: {', '.join(rows.columns)[:300]}.")
        inside &= rows[column].str.strip() == str(value)
    return inside


def _first(rows, names):
    return next((name for name in names if name in rows), None)


def _numbers(cells):
    """The numbers in cells, of which some have a decimal comma; NaN where there is none."""
    import pandas as pd

    return pd.to_numeric(cells.str.strip().str.replace(",", ".", regex=False), errors="coerce")


def _of_samples(table):
    """One row for each fixation: picture and onset of its first sample, coordinates and duration of its last.

    While it lasts, Gazepoint writes what is known of it so far; Tobii writes the same in each sample.

    Its samples lie side by side and have one number, which may begin anew.
    """
    table = table[table["number"].notna()]
    fixation = (table["number"] != table["number"].shift()).cumsum()
    taken = {name: "last" if name in ("x", "y", "duration") else "first" for name in table if name != "number"}
    return table.groupby(fixation).agg(taken).reset_index(drop=True)


def _row(layout: Layout) -> tuple[Callable[[str], bool], Callable[[str, Asked], "pd.DataFrame"]]:
    return lambda text: header_of(text, layout.known_by) is not None, functools.partial(_read, layout)


EXPORTS = {name: _row(layout) for name, layout in LAYOUTS.items()}
