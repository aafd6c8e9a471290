"""A steerable pyramid in the Fourier domain: what an image holds at each scale in each of four orientations."""

import functools
import itertools

import numpy as np
import scipy.fft

from keras_saliency.baselines.features import ORIENTATIONS
from keras_saliency.formulas.types import Plane

GAIN = np.sqrt(4 / 5)  # makes the squares of the four angular parts, cosines to the third power, sum to one


def steerable_bands(image: Plane, scales: int) -> list[Plane]:
    """The bands of an image: the high-pass residual, four orientations of each scale, the low-pass residual.

    Each scale is an octave, with a raised cosine between one and the next. The oriented filters are odd, as third
    derivatives are: across an edge they have a peak, across a line two of opposite sign. At the borders the image is
    mirrored. The squares of all bands sum to those of the image.

    Args:
        image: `(height, width)`.
        scales: How many octaves, the finest first, below the frequency of Nyquist.

    Returns:
        `2 + 4 * scales` maps of the size of the image; the orientations of a scale are those of the normals of the
        edges that they answer to, `keras_saliency.baselines.features.ORIENTATIONS`.

    Source:
        Simoncelli & Freeman, "The steerable pyramid: a flexible architecture for multi-scale derivative computation",
        ICIP 1995. Our own implementation, without subsampling: a coarse band is as large as a fine one.
    """
    height, width = image.shape
    spectrum = scipy.fft.rfft2(np.pad(image, ((0, height), (0, width)), "symmetric"))
    masks = _masks((2 * height, 2 * width), scales)
    return [scipy.fft.irfft2(spectrum * mask, (2 * height, 2 * width))[:height, :width] for mask in masks]


@functools.lru_cache(maxsize=2)
def _masks(size, scales):
    """What the spectrum of an image of that size is multiplied by for each band."""
    y, x = np.meshgrid(scipy.fft.fftfreq(size[0]), scipy.fft.rfftfreq(size[1]), indexing="ij")
    with np.errstate(divide="ignore"):
        octaves = np.log2(2 * np.hypot(y, x))  # 0 at the frequency of Nyquist
    # The phase of the cut that keeps what is above the scale with its sine, what is below with its cosine.
    cuts = [np.pi / 2 * np.clip(octaves + 1 + scale, 0, 1) for scale in range(scales + 1)]
    angle = np.arctan2(y, x)
    angular = [1j * GAIN * np.cos(angle - orientation) ** 3 for orientation in ORIENTATIONS]
    radial = [np.cos(above) * np.sin(below) for above, below in itertools.pairwise(cuts)]
    return [np.sin(cuts[0]), *(part * ring for ring in radial for part in angular), np.cos(cuts[-1])]
