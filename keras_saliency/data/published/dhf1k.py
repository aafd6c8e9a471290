"""DHF1K: 1,000 videos of 640x360, 30 frames a second, free viewing (Wang et al., CVPR 2018)."""

from pathlib import Path

from keras_saliency.data.data_set import DataSet
from keras_saliency.data.published.frames import Video, folders_in, read_frames
from keras_saliency.data.published.gathering import official_splits

BLUR = 12.74  # pixels, of the authors' own maps: 30 at half their height
TRAIN, PUBLIC = 600, 700  # the last videos of the official training split, and of those whose fixations are public


def read(directory: Path, stride: int = 1) -> DataSet:
    """Reads `annotation/NNNN/images/NNNN.png`, and `fixation/NNNN.png` beside it.

    Where there are no such maps, it is `fixation/maps/NNNN.mat` or `maps/NNNN.mat`, of the variable `I`. The authors
    publish videos: their frames are to be made. How maps are read tells `frames.read_frames`.

    Videos 1 to 600 are for training. The official validation videos, 601 to 700, are halved into validation and test by
    the hash of their names, since the fixations of 701 to 1000 are withheld; those are passed over. A part of the
    videos is read as well; of one official split alone its videos are for all three, by hash.

    Args:
        directory: The folder.
        stride: Reads each n-th frame.

    Raises:
        FileNotFoundError: If there are no videos, or one has no frames or no maps.
        ValueError: If a folder is called otherwise; as `frames.read_frames`.
    """
    place = directory / "annotation"
    folders = folders_in(place, "Unpack the annotation of DHF1K there.")
    other = next((folder for folder in folders if not folder.name.isdecimal()), None)
    if other:
        raise ValueError(f"{other} is no video of DHF1K. Expected folders 0001 to 0700 in {place}.")
    public = [folder for folder in folders if int(folder.name) <= PUBLIC]
    official = {folder.name: "train" if int(folder.name) <= TRAIN else "validation" for folder in public}
    if not public:
        raise FileNotFoundError(f"{place} has no videos 0001 to {PUBLIC:04d}, whose fixations are public.")
    parts, told = official_splits(official)
    videos = [Video(folder, parts[folder.name], folder.name) for folder in public]
    withheld = len(folders) - len(public)
    if withheld:
        told = [*told, f"{withheld} videos are passed over, whose fixations are withheld"]
    return read_frames("dhf1k", videos, BLUR, stride).noting(*told)
