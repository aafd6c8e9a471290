"""Hollywood-2 and UCF Sports: clips of films and of sports with the gaze of Mathe and Sminchisescu (2015).

Their maps and frames are published with DHF1K, in its layout. Most observers had a task, to recognise the action.
"""

import re
from pathlib import Path

from keras_saliency.data.data_set import DataSet
from keras_saliency.data.published.frames import Video, folders_in, read_frames
from keras_saliency.data.splits import by_hash

BLUR = 20.0  # pixels, of the published maps
VALIDATION = {"validation": 0.15}  # of the official training videos
SHOT = re.compile(r"(.+)_\d+")


def read(directory: Path, stride: int = 1) -> DataSet:
    """Reads Hollywood-2: `{training,testing}/VIDEO_SHOT/images/VIDEO_NNNNN.png`, and in `fixation/` maps called alike.

    Videos are cut into shots, a folder each. Those of one video are one group, in one split.

    The official testing videos are for tests. Of the training videos 15 % are for validation, by the hash of the name
    of the video. How maps are read tells `frames.read_frames`.

    Args:
        directory: The folder.
        stride: Reads each n-th frame of a shot.

    Raises:
        FileNotFoundError: If there are no videos, or one has no frames or no maps.
        ValueError: If there are fewer than two training videos; as `frames.read_frames`.
    """
    return _read("hollywood2", directory, stride, SHOT)


def read_ucf(directory: Path, stride: int = 1) -> DataSet:
    """Reads UCF Sports: `{training,testing}/NAME-NNN/images/NAME_NNN_NNN.png`, and in `fixation/` maps called alike.

    Splits and arguments are as in `read`; each folder is a video.

    Raises:
        FileNotFoundError: As `read`.
        ValueError: As `read`.
    """
    return _read("ucf-sports", directory, stride)


def _read(name, directory, stride, shot=None):
    def video_of(folder):
        found = shot and shot.fullmatch(folder.name)
        return found[1] if found else folder.name

    remedy = f"Unpack {name} there: training and testing videos, a folder each."
    training, testing = (folders_in(directory / part, remedy) for part in ("training", "testing"))
    groups = list(map(video_of, training))
    parts = by_hash(groups, VALIDATION)
    videos = [Video(*row) for row in zip(training, parts, groups, strict=True)]
    videos += [Video(folder, "test", video_of(folder)) for folder in testing]
    return read_frames(name, videos, BLUR, stride)
