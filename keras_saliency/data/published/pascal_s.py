"""PASCAL-S, its fixations: 850 photographs of PASCAL VOC 2010, 2 s of free viewing (Li et al. 2014)."""

from pathlib import Path

import numpy as np

from keras_saliency.data.data_set import DataSet
from keras_saliency.data.matlab import expecting, load_matlab73, malformed
from keras_saliency.data.placing import Geometry
from keras_saliency.data.published.gathering import by_observer
from keras_saliency.data.published.making import make_published


def read(directory: Path) -> DataSet:
    """Reads `datasets/imgs/pascal/N.jpg`, and `pascalFix.mat` and `pascalSize.mat` of `datasets/fixations/`.

    Coordinates are pixels from one, the row first; a fixation is at the centre of its pixel. Fixations have an order
    and no times. The visual angle is not documented: the ground-truth blur is 3.5 % of the longer side. Splits are by
    the hash of the names of images. The object masks of the same archive are another data set.

    Raises:
        FileNotFoundError: If files are missing.
        ValueError: If a file has another form: names it.
    """
    folder = directory / "datasets" / "fixations"
    path, sizes_path = folder / "pascalFix.mat", folder / "pascalSize.mat"
    cells, sizes = load_matlab73(path, "fixCell"), np.asarray(load_matlab73(sizes_path, "sizeData"))
    if sizes.shape != (2, len(cells)):  # of MATLAB, the transpose
        raise malformed(sizes_path, f"sizeData, the height and width of each of {len(cells)} images")
    with expecting(path, "fixCell, for each image a matrix N x 3 of (row, column, observer)"):
        recordings = [one for i, cell in enumerate(cells, 1) for one in by_observer(f"{i}.jpg", _one_based(cell))]
    recorded = {f"{i}.jpg": (int(height), int(width)) for i, (height, width) in enumerate(sizes.T, 1)}
    images = directory / "datasets" / "imgs" / "pascal"
    return make_published("pascal-s", recordings, path.name, images, Geometry(), sizes=recorded)


def _one_based(cell):
    """Rows (x, y, observer) of a matrix of MATLAB, whose axes HDF5 has the other way round."""
    y, x, observer = cell if cell.size else [()] * 3
    return np.stack([np.asarray(x) - 0.5, np.asarray(y) - 0.5, observer], 1)
