"""Files of maps as arrays: PNG and JPEG of 8 or 16 bit, NPY, and MAT files of one matrix."""

import threading
from pathlib import Path

import cv2
import numpy as np
import scipy.io
from PIL import Image

from keras_saliency.reading import apart

NUMERIC = "biuf"  # kinds of NumPy types
PIXELS = 2**25  # of a map: a photograph of 8K has 33 million
# Python 3.11 counts the depth of what it parses for all threads together, and now and then ends one: "AST constructor
# recursion depth mismatch". NumPy parses the header of each file.
HEADERS = threading.Lock()


def _read_image(path):
    """The grey values of a PNG or JPEG file, 8 or 16 bit."""
    image = cv2.imread(str(path), cv2.IMREAD_UNCHANGED) if _is_whole(path) else None
    if image is None:
        raise ValueError("it is no whole PNG or JPEG file. Write it again.")
    channels = image[..., None] if image.ndim == 2 else image[..., :3]
    if (channels != channels[..., :1]).any():
        raise ValueError("it is coloured, and a map is grey. Give the maps, not overlays or photographs.")
    return channels[..., 0]


def _is_whole(path):
    """Whether an image file can be decoded to its end: OpenCV fills what is missing with grey."""
    try:
        with Image.open(path, formats=("PNG", "JPEG")) as image:
            if image.width * image.height > PIXELS:
                raise OverflowError(f"it has {image.width}x{image.height} pixels, and a map at most {PIXELS}.")
            image.load()
    except OverflowError:
        raise
    except Exception:  # Pillow raises whatever the broken bytes lead it to.
        return False
    return True


def _read_array(path):
    """The array in a NPY file; one that claims more than the file holds is not allocated."""
    with HEADERS:
        mapped = np.load(path, mmap_mode="r")
    if mapped.size > PIXELS:
        raise ValueError(f"it is {mapped.shape}, and a map has at most {PIXELS} pixels.")
    return np.array(mapped)


def _read_matlab(path):
    """The only matrix of a MAT file; scalars and vectors are none."""
    arrays = [
        np.asarray(value) for name, value in apart.call(scipy.io.loadmat, path).items() if not name.startswith("__")
    ]
    maps = [array for array in arrays if array.ndim == 2 and min(array.shape) > 1 and array.dtype.kind in NUMERIC]
    if len(maps) != 1:
        raise ValueError(f"it holds {len(maps)} numeric matrices. Save one map in each file.")
    return maps[0]


def read_map(path: Path, what: str) -> np.ndarray:
    """The values in a file of a map, `(height, width)`, of their own type.

    Args:
        path: A file with a suffix of `READERS`.
        what: What errors call it, such as `"The map of a.jpg"`.

    Raises:
        ValueError: If it cannot be read as a map of numbers; names it.
    """
    try:
        values = READERS[path.suffix.lower()](path)
    except Exception as error:  # The readers raise whatever the broken bytes lead them to.
        raise ValueError(f"{what}, {path}, cannot be read: {error}") from error
    if values.ndim != 2 or not values.size or values.dtype.kind not in NUMERIC:
        received = f"{values.dtype} of shape {values.shape}"
        raise ValueError(f"{what}, {path}, must be numbers (height, width). Received: {received}.")
    return values


# Suffix -> what reads such a file; a ValueError says what is wrong with it.
READERS = {".png": _read_image, ".jpg": _read_image, ".jpeg": _read_image, ".npy": _read_array, ".mat": _read_matlab}
