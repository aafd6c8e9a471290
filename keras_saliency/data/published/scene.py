"""Scene: 500 scene photographs of mixed sizes, 12 observers (Liang et al. 2015)."""

from pathlib import Path

import numpy as np

from keras_saliency.data.data_set import DataSet, split
from keras_saliency.data.fixations import Fixations
from keras_saliency.data.matlab import load_matlab, malformed
from keras_saliency.data.samples import Sample

BLUR = 0.035


def read(directory: Path) -> DataSet:
    """Reads `stimuli/001.jpg ...`, `tidy/fixations.mat` and `tidy/imgInfo.mat`; the split is fixed by image number.

    Test: n % 5 == 0, validation: n % 5 == 1, training: the rest. The visual angle is not documented:
    the ground-truth blur is 3.5 % of the longer side, 9 pixels on the 256-pixel images that are the majority.
    """
    path = directory / "tidy" / "fixations.mat"
    cells = load_matlab(path, "fixations")
    sizes_path = directory / "tidy" / "imgInfo.mat"
    info = load_matlab(sizes_path, "imgInfo")
    try:
        sizes = np.asarray(info["size"], int)
        if sizes.ndim != 2 or sizes.shape[1] != 2:
            raise ValueError(f"its shape is {sizes.shape}")
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise malformed(sizes_path, "imgInfo.size of shape (images, 2)") from error
    try:
        if cells.ndim != 2 or len(cells) != len(sizes):
            raise ValueError
        names = [f"{i + 1:03d}.jpg" for i in range(len(cells))]
        samples = [
            Sample(name, directory / "stimuli" / name, tuple(size.tolist()), _fixations(row), BLUR * max(size))
            for name, size, row in zip(names, sizes, cells, strict=True)
        ]
    except (AttributeError, TypeError, ValueError, IndexError) as error:
        raise malformed(path, f"a {len(sizes)}x12 cell array of rows [y, x, latency_s, duration_s]") from error
    parts = {0: "test", 1: "validation"}
    return split("scene", samples, lambda i: parts.get((i + 1) % 5, "train"))


def _fixations(cells):
    rows = []
    for observer, cell in enumerate(cells):
        table = np.atleast_2d(np.asarray(cell, "float64"))
        if table.size == 0:
            continue
        if table.ndim != 2 or table.shape[1] != 4:
            raise ValueError(f"observer {observer + 1} has a cell of shape {table.shape}")
        rows += [(x, y, observer, latency, duration) for y, x, latency, duration in table]
    return Fixations.from_rows(rows)
