"""RARE2012 (Riche et al., 2013): what is rare over several scales, in colour or orientation, draws the eye."""

from collections.abc import Iterable
from typing import Any

import cv2
import numpy as np

from keras_saliency.baselines.features import (
    check_image,
    gabor_energy,
    gabor_pair,
    resample,
    shares,
    size_within,
    to_saliency,
)
from keras_saliency.formulas.types import Photograph, Plane

ORIENTATIONS = np.arange(8) * np.pi / 8
PERIODS = (4.0, 4 * np.sqrt(2), 8.0)  # of the Gabor filters, pixels of the working size
ENVELOPE, REACH = 0.5, 3  # standard deviation in periods; radius of the kernel in standard deviations
SCALES = (1, 1 / 2, 1 / 4, 1 / 8)  # at which occurrences are counted
BINS = 11
FLAT = 1e-4  # of the range of intensity; a feature that varies by less, as colour in a grey image, tells nothing


def rare(image: Photograph, longer_side: int = 400, blur: float = 0.02) -> Plane:
    """Saliency as the rarity of colours and orientations.

    The colours of the image are decorrelated by principal component analysis. Each of the three channels is a
    low-level feature itself, and the energy in it of Gabor filters of 8 orientations and 3 scales are medium-level
    ones. Each feature's rarity is -log p, where p is the share of pixels that have about the same value, the mean
    of four resolutions. Rarity maps are summed with their efficiency as weight, (maximum - mean)^2 of the map in
    [0, 1], which is high for a few isolated peaks: first the orientations of a channel, then with its colour, then
    the channels.

    Args:
        image: `(height, width, 3)`, RGB, uint8.
        longer_side: The image is brought to this many pixels along its longer side, up or down; 400.
        blur: Standard deviation of the final Gaussian as a share of the longer side; 0.02.

    Returns:
        `(height, width)`, float64, non-negative, with a peak of one; zeros for a constant image. A channel without
        variation (colour, in a grey image) adds nothing.

    Raises:
        ValueError: If the image has another shape or type.

    Source:
        Riche, Mancas, Duvinage, Mibulumukini, Gosselin & Dutoit, "RARE2012: a multi-scale rarity-based saliency
        detection with its comparative statistical analysis", Signal Processing: Image Communication 28(6), 2013. Our
        own implementation. Our choices: the working size; the periods of the Gabor filters (4, 5.7 and 8 pixels of
        it), without answer to a constant; 11 bins between the extremes of a feature at each of the scales 1, 1/2,
        1/4, 1/8; the efficiency as the weight in every fusion, without a ranking; the final blur.
    """
    original = check_image(image)
    channels = decorrelated(_resized(original, longer_side / max(original.shape[:2])))
    saliency = fused(
        [fused([rarity(channel), fused(map(rarity, gabor_energy(channel, _GABORS)))]) for channel in channels]
    )
    blurred = cv2.GaussianBlur(saliency, (0, 0), blur * longer_side, borderType=cv2.BORDER_REFLECT)
    return to_saliency(blurred, original.shape[:2])


def decorrelated(image: np.ndarray) -> list[Plane]:
    """The three principal components of the colours of an image, the strongest first."""
    centred = image - image.mean((0, 1))
    axes = np.linalg.eigh(np.einsum("yxi,yxj->ij", centred, centred))[1][:, ::-1]
    # An axis may point either way; its largest entry shall be positive.
    largest = axes[np.abs(axes).argmax(0), range(3)]
    return list(np.ascontiguousarray(np.moveaxis(centred @ (axes * np.sign(largest)), 2, 0)))


def rarity(feature: Plane) -> Plane:
    """-log of the share of pixels with about the same value, the share being the mean over the scales."""
    if np.ptp(feature) <= FLAT:
        return np.zeros(feature.shape)
    found = (shares(_resized(feature, scale), BINS) for scale in SCALES)
    return -np.log(np.mean([cv2.resize(share, feature.shape[::-1]) for share in found], 0))


def fused(maps: Iterable[Plane]) -> Plane:
    """The sum of maps brought to [0, 1], each weighted with its efficiency."""
    total: Any = 0
    for rare_map in maps:
        raised = rare_map - rare_map.min()
        unit = raised / (raised.max() or 1)
        total = total + (unit.max() - unit.mean()) ** 2 * unit
    return total


def _resized(image, scale):
    return resample(image, size_within(image.shape[:2], scale * max(image.shape[:2])))


def _gabors():
    """Quadrature pairs of all orientations and periods, each filter scaled by itself."""
    for period in PERIODS:
        sigma = ENVELOPE * period
        for angle in ORIENTATIONS:
            pair = gabor_pair(angle, period, sigma, int(np.ceil(REACH * sigma)))
            yield [part / np.abs(part).sum() for part in pair]


_GABORS = list(_gabors())
