"""The columns of exports that are one table: Tobii, Gazepoint, SR Data Viewer, Pupil Cloud."""

from typing import NamedTuple

Names = tuple[str, ...]


class Layout(NamedTuple):
    """The columns of a software; of several names the first that is there counts, with units behind it or without.

    Attributes:
        known_by: Columns that a file of it has.
        x: And `y`, the coordinates.
        y: See `x`.
        image: What names the picture.
        observer: Who looked.
        time: The onset; of one row per sample, that of the first.
        duration: The duration.
        per_second: The parts of a second that `time` and `duration` have, unless the column says its units.
        number: That of the fixation, where a row is a sample.
        only: The column and the value of what is a fixation.
        valid: The same of rows whose coordinates count.
        screen: The columns of its width and height.
        frame: What coordinates are of, unless the column says "MCS", the picture.
        units: Of the coordinates, unless it says "norm", shares.
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
    valid: tuple[str, str] | None = None
    screen: Names = ()
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
        screen=("Recording resolution width", "Recording resolution height"),
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
        valid=("FPOGV", "1"),
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
