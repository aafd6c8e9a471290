"""FiWI: 149 web pages, 11 observers, 5 s of free viewing (Shen and Zhao, ECCV 2014)."""

from pathlib import Path

from keras_saliency.data.data_set import DataSet
from keras_saliency.data.folder import read_maps
from keras_saliency.data.names import files_below
from keras_saliency.data.placing import Geometry

BLUR = 30.0  # pixels, as MSI-Net's authors blur it
# What stands in the path of the folder of each kind of files.
KINDS = {"images": "stimuli", "fixations": "all5"}


def read(directory: Path) -> DataSet:
    """Reads `stimuli/NAME.png` and the fixation maps `NAME.png` of all observers and all five seconds, in `all5`.

    A pixel of a map that is set is a fixation: several on one pixel are one, all count as one observer's, and there is
    no gold standard. Splits are by the hash of the names. The blur of the ground truth is 30 pixels, as MSI-Net's.

    Raises:
        FileNotFoundError: If there are no such folders, or maps are missing.
        ValueError: If there are several such folders, or a map is none: names it.
    """
    folders = {path.parent for path in files_below(directory) if path.suffix.lower() == ".png"}
    places = {}
    for kind, word in KINDS.items():
        found = sorted(folder for folder in folders if word in str(folder))
        if not found:
            raise FileNotFoundError(f"{directory} has no folder {word} of PNG files. Unpack webpage_dataset.zip there.")
        if len(found) > 1:
            several = ", ".join(map(str, found))
            raise ValueError(f"{directory} has {len(found)} folders {word} of PNG files: {several}. Keep one of them.")
        places[kind] = directory / found[0]
    return read_maps("fiwi", places, Geometry(blur=BLUR))
