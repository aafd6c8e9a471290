"""Itti, Koch & Niebur 1998: centre against surround in intensity, colour and orientation."""

from typing import Any

import numpy as np
from scipy.ndimage import label, maximum, maximum_filter

from keras_saliency.baselines.features import (
    FAINT,
    check_image,
    gabor_energy,
    opponents,
    pyramid,
    resample,
    size_within,
    to_saliency,
)
from keras_saliency.formulas.types import Photograph, Plane

LEVELS = 9
CENTRES, DELTAS = (2, 3, 4), (3, 4)
MAP_LEVEL = 4
NEGLIGIBLE = 0.01  # local maxima below this share of the global one are ripples of a flat ground, no rivals


def itti(image: Photograph, longer_side: int = 640) -> Plane:
    """The saliency map of Itti, Koch & Niebur: what differs from its surround, if few other places do.

    Nine levels of a Gaussian pyramid hold intensity, red-green and blue-yellow opponency, and the Gabor energy of four
    orientations. Each is compared between centres at levels 2, 3, 4 and surrounds 3 and 4 levels coarser: 6 maps of
    intensity, 12 of colour, 24 of orientation. `promote` weighs every map, they are added across scales at level 4 and
    weighed again as three conspicuity maps, whose mean is the result.

    Args:
        image: `(height, width, 3)`, RGB, uint8.
        longer_side: Pixels the longer side of the image is brought to, up or down, before anything else. The levels
            are fixed in pixels; the default is that of the images in the paper, 640x480.

    Returns:
        The saliency map `(height, width)`, float64, non-negative, with a peak of one. An image without any contrast
        gives zeros; in a grey one colour takes no part. As opponency is compared by its size, red among green
        does not stand out, red among blue does.

    Raises:
        ValueError: If the image has another shape or type; the message says what to do.

    Source:
        L. Itti, C. Koch, E. Niebur: A Model of Saliency-Based Visual Attention for Rapid Scene Analysis. IEEE
        Transactions on Pattern Analysis and Machine Intelligence 20(11), 1254-1259, 1998. Our own implementation.

        Where the paper is silent: the pyramid's filter is (1 5 10 10 5 1)/32, levels are interpolated linearly, borders
        mirrored. The Gabor filters are a quadrature pair of period 5 pixels and one octave, and their energy is
        compared. Local maxima are taken over 3x3 pixels,
        a plateau counts once. The map of level 4 is enlarged by cubic interpolation.

        Where it differs: the double opponency is |RG(c) - RG(s)|. The formula as printed, with G - R in the surround,
        adds the two and would answer to any uniform colour. It is the normalisation of 1998, the square of the global
        maximum less the mean of the others; the authors' later programs iterate a difference of Gaussians instead, and
        damp the borders of the image.
    """
    image = check_image(image)
    return to_saliency(np.mean([promote(plane) for plane in conspicuities(image, longer_side)], 0), image.shape[:2])


def conspicuities(image: np.ndarray, longer_side: int = 640) -> tuple[Plane, Plane, Plane]:
    """The three maps before they are weighed against each other: of intensity, colour and orientation.

    Args:
        image: `(height, width, 3)` in [0, 1].
        longer_side: As in `itti`.

    Returns:
        Maps of level 4, a sixteenth of the working size, non-negative; zeros where nothing differs.
    """
    working = resample(image, size_within(image.shape[:2], longer_side))
    intensity, *colours = (pyramid(feature, LEVELS) for feature in opponents(working))
    energies = [gabor_energy(level) for level in intensity]
    maps: tuple[Any, ...] = (
        _across_scales(intensity),
        sum(_across_scales(colour) for colour in colours),
        sum(promote(_across_scales(orientation)) for orientation in zip(*energies, strict=True)),
    )
    return maps


def promote(feature: Plane) -> Plane:
    """The normalisation operator N: scales a map to a peak of one, then by its lead over the other local maxima.

    Args:
        feature: A non-negative map. One that holds only rounding becomes zeros, so that it is not blown up.

    Returns:
        The map times `(1 - m)**2`, where `m` is the mean of all local maxima but the global one.
    """
    peak = feature.max()
    if peak < FAINT:
        return np.zeros_like(feature)
    feature = feature / peak
    tops = (feature >= maximum_filter(feature, 3, mode="nearest") - FAINT) & (feature > NEGLIGIBLE)
    labels, count = label(tops, np.ones((3, 3)))  # a ridge or a plateau is one maximum, however rounding splits it
    peaks = maximum(feature, labels, np.arange(1, count + 1))
    return feature * (1 - (peaks.sum() - 1) / max(count - 1, 1)) ** 2


def _across_scales(levels):
    """The promoted differences between centre and surround, added at the resolution of the map."""
    return sum(
        resample(promote(_difference(levels[centre], levels[centre + delta])), levels[MAP_LEVEL].shape)
        for centre in CENTRES
        for delta in DELTAS
    )


def _difference(centre, surround):
    return np.abs(centre - resample(surround, centre.shape))
