"""Exports that hold no fixations of a picture: by the reason that is told, what knows them."""

import re

from keras_saliency.data.exports.columns import header_of

METRICS = re.compile(r"(?:duration|number|time)_(?:of|to)_\w*(?:fixation|visit)", re.I)
DETECTED = (("right_gaze_point_on_display_area",), ("webgazer_data",))  # Tobii 4C, and WebGazer in jsPsych
SAMPLES = (
    ("Recording timestamp", "Gaze point X"),  # Tobii Pro Lab, and Studio 3 and 2
    ("RecordingTimestamp", "GazePointX"),
    ("Timestamp", "GazePointX"),
    ("Time", "Type", "Trial", "L POR X"),  # SMI
    ("rt", "trial_type", "trial_index"),  # jsPsych
)


def _metrics(text):
    return METRICS.search(text.partition("\n")[0]) is not None


def _has(*names):
    return lambda text: header_of(text, names) is not None


REASONS = {
    "it holds metrics of areas of interest, without coordinates. Export the data of the recording, with the columns "
    "of eye movement types and fixation points.": _metrics,
    "it holds mouse and key events, no fixations. Export the fixation data.": _has("Timestamp", "Event", "EventKey"),
    "its fixations are shares of the video of the world, and of no picture. Export the fixations on a surface, as the "
    "marker mapper of Pupil Cloud does.": _has("norm_pos_x", "norm_pos_y", "start_frame_index"),
    "it holds samples of gaze, without fixations. Export fixations, or say how to detect them: detection='ivt' "
    "or 'idt'.": lambda text: any(header_of(text, names) for names in DETECTED),
    "it holds samples of gaze, without fixations. Export fixations, or detect them first (pymovements does) and write "
    "a table.": lambda text: any(header_of(text, names) for names in SAMPLES),
}
