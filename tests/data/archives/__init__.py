"""Tiny archives of published data sets in their official layouts: a module for each, called as its data set.

Each module has `write(directory)`, which writes the archive, and `EXPECTED`, the `(column, row)` of the bright pixels
that were fixated in each sample, by its name, in the order of observers and time. As far as needed it has `OPTIONS`, of
the reader; `SKIPPED`, parts of the lines of `DataSet.skipped`, in order; and `FAULTS`: what is wrong -> a function that
spoils a written archive, and what the one error about it says.
"""

import cv2
import numpy as np

SIZE = (24, 32)  # of the images, (height, width)


def write_image(path, pixels=(), size=SIZE):
    """A black image in which pixels `(column, row)` are bright; JPEG keeps them bright, and others dark."""
    image = np.zeros((*size, 3), "uint8")
    for column, row in pixels:
        image[row, column] = 255
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), image, [cv2.IMWRITE_JPEG_QUALITY, 100])


def cells(values):
    """A list as a cell array of MATLAB, a column."""
    array = np.empty((len(values), 1), object)
    array[:, 0] = values
    return array


def structures(rows):
    """Dictionaries of equal keys as an array of structures of MATLAB, a row."""
    array = np.empty((1, len(rows)), [(key, object) for key in rows[0]])
    for i, row in enumerate(rows):
        array[0, i] = tuple(row.values())
    return array
