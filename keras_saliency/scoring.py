"""Scoring one image: what a map is compared with, and every metric of a convention, in float64.

One pass: the density, the standardised map and the logarithms that several metrics need are computed once.
"""

import collections
import functools

import numpy as np
import scipy.fft
from scipy.ndimage import gaussian_filter1d

from keras_saliency.array_map import ArrayMap
from keras_saliency.conventions import CONVENTIONS
from keras_saliency.maps import Map, Target

CYCLES = 8  # of the Gaussian of the MIT benchmark: its amplitude is one half at so many cycles in an image
COUNTS = "uint16"  # the fewer bytes there are to be searched for fixations, the better
# What a metric needs beside fixations and density.
NEEDS = {"sauc": "negatives", "ig": "baseline"}

Truth = collections.namedtuple("Truth", ["sample", "target"])


def fourier_blur(counts, sigma=None, cycles=CYCLES):
    """Blurs a map as the MIT benchmark does: by a Gaussian in the Fourier domain, after padding it with zeros.

    Args:
        counts: The maps `(..., height, width)`.
        sigma: Not used: the width depends on the size of the image alone, about 24 pixels at 1024.
        cycles: The frequency, in cycles per padded image, at which the amplitude is one half.
    """
    height, width = counts.shape[-2:]
    side = 2 ** int(np.ceil(np.log2(max(height, width))))
    frequencies = np.meshgrid(scipy.fft.fftfreq(side, 1 / side), scipy.fft.rfftfreq(side, 1 / side), indexing="ij")
    transfer = np.exp(-np.log(2) * (frequencies[0] ** 2 + frequencies[1] ** 2) / cycles**2)
    blurred = scipy.fft.irfft2(scipy.fft.rfft2(counts, (side, side)) * transfer, (side, side))
    # The transform leaves values of -1e-17 where there should be none.
    return np.maximum(blurred[..., :height, :width], 0.0)


@functools.lru_cache(maxsize=8)
def _gaussian_matrix(side, sigma):
    return gaussian_filter1d(np.eye(side), sigma, axis=0, mode="reflect")


def gaussian_blur(maps, sigma):
    """Blurs maps `(..., height, width)` by a Gaussian of `sigma` pixels, cut at four, with mirrored borders.

    Two matrix products, equal to SciPy's `gaussian_filter` up to rounding.
    """
    vertical, horizontal = (_gaussian_matrix(side, float(sigma)) for side in maps.shape[-2:])
    return vertical @ maps @ horizontal.T


# Convention -> the blur of the ground truth, and whether repeated fixations count in it.
BLURS = {"tuebingen": (gaussian_blur, True), "mit": (fourier_blur, False)}


def fixation_density(sample, convention="tuebingen"):
    """The blurred fixations of a sample, `(height, width)`: what CC, SIM, KLD and EMD compare with.

    Args:
        sample: A `Sample`.
        convention: `"tuebingen"` blurs all fixations by the sigma of the sample with mirrored borders, `"mit"` the
            fixated pixels by `fourier_blur`.
    """
    blur, repeats = BLURS[convention]
    counts = sample.fixations.counts(sample.size)
    return blur(counts if repeats else np.minimum(counts, 1.0), sample.sigma)


def as_batch(array):
    """An array `(height, width)` as one map `(1, height, width, 1)`; None stays None."""
    return None if array is None else array[None, ..., None]


def make_truth(sample, negatives=None, baseline=None, convention="tuebingen"):
    """What `score` compares the maps of one image with, computed once.

    Args:
        sample: A `Sample`.
        negatives: How many fixations of other images fall on each pixel, `(height, width)`, for the shuffled AUC.
        baseline: The log-density `(height, width)` of the baseline of IG, or a `Map` of it.
        convention: `"tuebingen"` or `"mit"`.
    """
    if baseline is not None and not isinstance(baseline, Map):
        baseline = ArrayMap(baseline, from_logits=True)
    density = ArrayMap(fixation_density(sample, convention))
    counts = as_batch(sample.fixations.counts(sample.size).astype(COUNTS))
    return Truth(sample, Target(density, counts, None, as_batch(negatives), baseline))


def score(values, truth, is_log_density=False, convention="tuebingen", metrics=None):
    """The metrics of one map on one image.

    Args:
        values: The map `(height, width)`, of any scale; computed in float64.
        truth: From `make_truth`, with the same convention.
        is_log_density: Whether `values` are a log-density, in natural logarithms; else they are a saliency map.
        convention: `"tuebingen"` or `"mit"`, a key of `keras_saliency.conventions.CONVENTIONS`.
        metrics: The names of the metrics; None for all for which `truth` has what they need.

    Returns:
        A dictionary from metric to value. Defined for every map: chance for a constant one, an all-zero map is uniform.

    Raises:
        ValueError: If the map has another size than the image, or NaN or infinite values (names the image); if a
            metric is unknown, or the truth lacks what it needs.
    """
    rows, (sample, target) = CONVENTIONS[convention], truth
    if values.shape != tuple(sample.size):
        raise ValueError(f"The map of {sample.name} must have the size {sample.size}. Received: {values.shape}.")
    prediction = ArrayMap(values, is_log_density)
    if not np.isfinite(prediction.extremes).all():
        raise ValueError(f"The map of {sample.name} has NaN or infinite values; a map must be finite.")
    absent = {name for name, part in NEEDS.items() if getattr(target, part) is None}
    if metrics is None:
        metrics = [name for name in rows if name not in absent]
    for name in metrics:
        if name not in rows:
            raise ValueError(f"Unknown metric {name!r} of the convention {convention!r}. Known: {', '.join(rows)}.")
        if name in absent:
            raise ValueError(f"The metric {name!r} needs {NEEDS[name]}; give make_truth({NEEDS[name]}=...).")
    return {name: float(rows[name](target, prediction)[0]) for name in metrics}
