"""Toronto: 120 photographs of 681x511, 20 observers, 4 s of free viewing (Bruce & Tsotsos, JoV 2007)."""

from pathlib import Path

import numpy as np

from keras_saliency.data.data_set import DataSet
from keras_saliency.data.matlab import expecting, load_matlab
from keras_saliency.data.placing import Geometry
from keras_saliency.data.published.making import make_published


def read(directory: Path) -> DataSet:
    """Reads `Original Image Set/N.jpg` and `origfixdata.mat` of `eyetrackingdata/fixdens/`.

    They are maps of the pixels that were fixated: several fixations of a pixel are one, at its centre, and nothing
    tells observers and order. All fixations count as one observer's, and there is no gold standard; what `Raw/` holds
    is not in pixels of the images. The ground-truth blur is 3.5 % of the longer side, 24 pixels. Splits are by the hash
    of the names of images.

    Raises:
        FileNotFoundError: If files are missing.
        ValueError: If a file has another form: names it.
    """
    folder = directory / "eyetrackingdata" / "fixdens"
    path = folder / "origfixdata.mat"
    maps = load_matlab(path, "white")
    with expecting(path, "white, a cell with a binary map of fixations for each image"):
        seen = {f"{i}.jpg": _checked(pixels) for i, pixels in enumerate(maps, 1)}
    recordings = ((name, None, np.argwhere(pixels)[:, ::-1] + 0.5) for name, pixels in seen.items())
    sizes = {name: pixels.shape for name, pixels in seen.items()}
    return make_published("toronto", recordings, path.name, folder / "Original Image Set", Geometry(), sizes=sizes)


def _checked(pixels):
    pixels = np.asarray(pixels)
    if pixels.ndim != 2 or len(np.unique(pixels)) > 2 or pixels.min() != 0:
        raise ValueError("no binary map")
    return pixels
