"""Files of maps: which belongs to which image, how each kind is read, and what its values are.

What is wrong with a map raises a ValueError that names the image and the remedy.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import cv2
import numpy as np
import scipy.io
from PIL import Image

from keras_saliency.data.fixations import Sample
from keras_saliency.data.names import Index, forms_of
from keras_saliency.formulas.array_map import log_sum
from keras_saliency.formulas.types import Plane
from keras_saliency.reading import apart

# The forms of the names of maps, of each rank; the best rank that is there is read. First exact values, then 8 bit.
FILES = (
    ("{stem}_log_density.npy",),
    ("{stem}.npy", "{stem}.mat"),
    ("{stem}_saliency.png", "{stem}.png", "{stem}.jpg", "{stem}.jpeg"),
)
KEYS = (("{name}",), ("{stem}", "{stem}.jpg", "{stem}.jpeg", "{stem}.png"))
NUMERIC = "biuf"  # kinds of NumPy types
LOG_TOLERANCE = 1e-3
PIXELS = 2**25  # of a map: a photograph of 8K has 33 million


class Prediction(NamedTuple):
    """What a source says about one image.

    Attributes:
        values: `(height, width)`, float64, at the size of the image.
        is_log_density: Whether they are a normalised log-density (natural logarithm); else they are a non-negative
            saliency map, as the file holds it.
        is_eight_bit: Whether they come from 8-bit integers.
    """

    values: Plane
    is_log_density: bool
    is_eight_bit: bool


def find(
    samples: Sequence[Sample], names: Iterable[str], ranks: Sequence[Sequence[str]], where: str | Path
) -> list[str]:
    """The name of the map of each sample.

    Names are paths; their folders must agree with those in the name of the sample, as far as both have some. They agree
    however a system writes them: letters composed or not, suffixes in upper or lower case.
    """
    index = Index(names)
    found = {sample.name: index.find(sample.name, ranks) for sample in samples}
    missing = [name for name, paths in found.items() if not paths]
    if missing:
        expected = ", ".join(form for forms in forms_of(missing[0], ranks) for form in forms)
        raise ValueError(
            f"{len(missing)} of {len(found)} maps are missing in {where}, the first is that of {missing[0]}. "
            f"Expected one of {expected}."
        )
    owners: dict[PurePosixPath, str] = {}
    for name, paths in found.items():
        if len(paths) > 1:
            several = ", ".join(sorted(map(str, paths)))
            raise ValueError(f"{where} has {len(paths)} maps of {name}: {several}. Keep one of them.")
        owner = owners.setdefault(paths[0], name)
        if owner != name:
            raise ValueError(f"{paths[0]} in {where} fits both {owner} and {name}. Give each image a map of its name.")
    return [str(found[sample.name][0]) for sample in samples]


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


READERS = {".png": _read_image, ".jpg": _read_image, ".jpeg": _read_image, ".npy": _read_array, ".mat": _read_matlab}


def as_prediction(values: Plane, sample: Sample, resize: bool = False) -> Prediction:
    """Checks a map, finds out what it is and brings it to the size of its image."""
    values, size = np.asarray(values), tuple(sample.size)
    if values.ndim != 2 or not values.size or values.dtype.kind not in NUMERIC:
        raise ValueError(
            f"The map of {sample.name} must be numbers (height, width). "
            f"Received: {values.dtype} of shape {values.shape}."
        )
    sizes = f"The map of {sample.name} is {values.shape} and its image {size}, both (height, width)"
    if not _same_shape(values.shape, size):
        raise ValueError(
            f"{sizes}: it is not the image's size made smaller or larger, but transposed, padded or stretched. "
            "Transpose it, cut off its padding, or resize it to the size of its image."
        )
    if values.shape != size and not resize:
        raise ValueError(
            f'{sizes}. Write maps at the size of their images, or use convention="mit", which resizes them.'
        )
    dtype, values = values.dtype, values.astype("float64")
    if not np.isfinite(values).all():
        raise ValueError(
            f"The map of {sample.name} has NaN or infinite values. A map must be finite; "
            "give a density of zero a little of the uniform one before its logarithm."
        )
    total = log_sum(values)
    # Numbers of 16 bit round a logarithm of -13 by up to 0.004.
    rounding = np.finfo(dtype).eps / 2 * np.abs(values).max() if dtype.kind == "f" else 0.0
    is_log_density = dtype.kind == "f" and bool(abs(total) < max(LOG_TOLERANCE, rounding))
    if values.min() < 0 and not is_log_density:
        raise ValueError(
            f"The map of {sample.name} has negative values and is no log-density: its exponential sums to "
            f"e**{total:.3g}, not 1. Subtract its logsumexp if it is one, else its minimum."
        )
    if values.shape != size:
        values = _resized(values, size)
        total = log_sum(values) if is_log_density else total
    if is_log_density:
        values -= total
    return Prediction(values, is_log_density, dtype.itemsize == 1)


def _same_shape(size, other):
    """Whether two sizes have one aspect ratio, but for the rounding of each side."""
    ratio = np.log(np.divide(size, other))
    return abs(ratio[0] - ratio[1]) <= sum(1 / side for side in (*size, *other))


def _resized(values, size):
    """Antialiased bicubic, as MATLAB's imresize; without its overshoot."""
    resized = Image.fromarray(values.astype("float32")).resize(size[::-1], Image.Resampling.BICUBIC)
    return np.clip(np.asarray(resized, "float64"), values.min(), values.max())
