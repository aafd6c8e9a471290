"""Exports that hold no fixations of a picture: by the reason that is told, what knows them."""

from keras_saliency.data.exports.columns import header_of

SAMPLES = (
    ("right_gaze_point_on_display_area",),  # Tobii 4C
    ("webgazer_data",),
    ("rt", "trial_type", "trial_index"),  # jsPsych
)


def _metrics(text):
    line = text.partition("\n")[0]
    return "Total_duration_of_fixations" in line or "Number_of_fixations" in line


def _has(*names):
    return lambda text: header_of(text, names) is not None


REASONS = {
    "it holds metrics of areas of interest, without coordinates. Export the data of the recording, with the columns "
    "of eye movement types and fixation points.": _metrics,
    "it holds mouse and key events, no fixations. Export the fixation data.": _has("Timestamp", "Event", "EventKey"),
    "its fixations are shares of the video of the world, and of no picture. Export the fixations on a surface, as the "
    "marker mapper of Pupil Cloud does.": _has("norm_pos_x", "norm_pos_y", "start_frame_index"),
    "it holds samples of gaze, without fixations. Export fixations, or say how to detect them: detection='ivt' "
    "or 'idt'.": lambda text: any(header_of(text, names) for names in SAMPLES),
}
