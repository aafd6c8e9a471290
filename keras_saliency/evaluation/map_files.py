"""Files of maps: which belongs to which image, and what its values are.

What is wrong with a map raises a ValueError that names the image and the remedy.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import numpy as np
from PIL import Image

from keras_saliency.data.map_arrays import NUMERIC
from keras_saliency.data.names import Index, forms_of
from keras_saliency.data.samples import Sample
from keras_saliency.formulas.array_map import log_sum
from keras_saliency.formulas.types import Plane

# The forms of the names of maps, of each rank; the best rank that is there is read. First exact values, then 8 bit.
FILES = (
    ("{stem}_log_density.npy",),
    ("{stem}.npy", "{stem}.mat"),
    ("{stem}_saliency.png", "{stem}.png", "{stem}.jpg", "{stem}.jpeg"),
)
KEYS = (("{name}",), ("{stem}", "{stem}.jpg", "{stem}.jpeg", "{stem}.png"))
LOG_TOLERANCE = 1e-3


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
