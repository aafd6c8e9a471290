"""Le Meur et al. 2006: contrast that the eye sees, in bands of frequency and orientation, against its surround."""

from collections.abc import Callable, Sequence
from functools import partial

import cv2
import numpy as np
from scipy import fft

from keras_saliency.baselines.crowns import (
    Frequencies,
    achromatic_sensitivity,
    chromatic_sensitivity,
    crowns,
    frequencies,
)
from keras_saliency.baselines.features import FAINT, XYZ, check_image, linear_light, mirrored, resample, to_saliency
from keras_saliency.formulas.types import Photograph, Plane, Size

SIDE = 32.0  # degrees of the longer side where they are not known, as in most recordings, about
FINEST, CELLS = 56.4, 8.0  # pixels a degree at most: of the image, twice the highest frequency of the paper; of maps
LMS = np.array([[0.4002, 0.7076, -0.0808], [-0.2263, 1.1653, 0.0457], [0.0, 0.0, 0.9182]]) @ XYZ  # of linear sRGB
# Cycles a degree between the crowns, and how many orientations each has: 17 bands of A, 5 of each colour.
ACHROMATIC, CHROMATIC = ((1.5, 5.7, 14.2), (1, 4, 6, 6)), ((1.5,), (1, 4))
SENSITIVITY = 132.0  # to either colour, the highest
# Of Cr1 and Cr2: cycles a degree at which a half of it is left, and how steeply it falls.
COLOURS = ((5.5, 1.7), (4.1, 1.6))
CENTRE, SURROUND = 1.0, 4.0  # standard deviations, degrees
GAIN, REACH, WEDGE = 1.0, 1.0, np.deg2rad(20)  # of facilitation; degrees; standard deviation over the angle


def le_meur(image: Photograph, pixels_per_degree: float | None = None) -> Plane:
    """Saliency as visible contrast that is higher than around it, in the manner of Le Meur et al. 2006.

    The image becomes light and dark, A, and two opponent colours, Cr1 and Cr2, each relative to the mean light and less
    its mean. In the Fourier domain each is weighed by how sensitive the eye is to a frequency, and cut into crowns of
    frequencies and orientations whose sum it is. The contrast in each band, in units of what is just seen, is masked by
    itself, which leaves about one of what is well seen. What is above its surround, by a difference of Gaussians, is
    kept, and raised by what lies on both sides along the orientation of the band, as on a contour, up to twice. All
    bands are added: contrast has the unit of the eye, so none needs another weight.

    Args:
        image: `(height, width, 3)`, RGB, uint8.
        pixels_per_degree: The pixels of one degree of visual angle. Where it is None, the longer side counts as 32
            degrees. What is finer than 56.4 pixels a degree is shrunk to that.

    Returns:
        `(height, width)`, float64, non-negative, with a peak of one; zeros for a constant image. In a grey one colour
        takes no part.

    Raises:
        ValueError: If the image has another shape or type, or pixels_per_degree is not above zero.

    Source:
        Le Meur, Le Callet, Barba & Thoreau, "A coherent computational approach to model bottom-up visual attention",
        IEEE TPAMI 28(5), 2006. Our own implementation, in its manner: the steps from contrast sensitivity to
        centre-surround are those of the abstract; the opponent space, the crowns and their numbers of orientations, the
        frequencies at which the sensitivity to colours has fallen to a half, and the facilitation are written from
        memory, unchecked. Every constant is ours, and so are: crowns and orientations that go over into each other by
        squared cosines, the finest without an upper end; masking as a hyperbola with the exponent of one, by the band
        itself, where they have other bands mask, too; the same sensitivity to both colours; contrast without its sign;
        centre and surround of one size in all bands, chosen on validation images of OSIE, as the masking and the
        sensitivity to colours are; maps of at most 8 pixels a degree.
    """
    original = check_image(image)
    return to_saliency(np.sum(conspicuities(original, pixels_per_degree), 0), original.shape[:2])


def conspicuities(image: np.ndarray, pixels_per_degree: float | None = None) -> tuple[Plane, Plane]:
    """The maps before they are added, of light and of both colours.

    Args:
        image: `(height, width, 3)` in [0, 1].
        pixels_per_degree: As in `le_meur`.

    Returns:
        Maps of the size of the image, or of 8 pixels a degree, non-negative; zeros where nothing differs.
    """
    if pixels_per_degree is not None and not 0 < pixels_per_degree < np.inf:
        raise ValueError(f"pixels_per_degree is a number above zero. Received: {pixels_per_degree}.")
    known = pixels_per_degree or max(image.shape[:2]) / SIDE
    degree = min(known, FINEST)
    planes = krauskopf(resample(linear_light(image), _scaled(image.shape[:2], degree / known)))
    to_colours = [partial(chromatic_sensitivity, peak=SENSITIVITY, half=half, steepness=by) for half, by in COLOURS]
    achromatic = conspicuity(planes[:1], [achromatic_sensitivity], degree, *ACHROMATIC)
    return achromatic, conspicuity(planes[1:], to_colours, degree, *CHROMATIC)


def krauskopf(light: np.ndarray) -> np.ndarray:
    """A, Cr1 and Cr2: light and dark, reddish and greenish, bluish and yellowish.

    Args:
        light: `(height, width, 3)`, linear RGB.

    Returns:
        `(3, height, width)`: the mean of the answers of the cones L and M, to which the eye has adapted with one to
        white each; L - M; S less the first. All relative to the mean of the first, and less their own mean.
    """
    long, middle, short = np.moveaxis(light @ (LMS / LMS.sum(1, keepdims=True)).T, 2, 0)
    bright = (long + middle) / 2
    planes = np.stack([bright, long - middle, short - bright]) / (bright.mean() or 1)
    return planes - planes.mean((1, 2), keepdims=True)


def conspicuity(
    planes: np.ndarray,
    sensitivities: Sequence[Callable[[Frequencies], np.ndarray]],
    degree: float,
    edges: Sequence[float],
    orientations: Sequence[int],
) -> Plane:
    """The sum of what stands out in each band of planes `(n, height, width)`, each with how well the eye sees it.

    Args:
        planes: As `krauskopf` gives them, one or more.
        sensitivities: Of each plane.
        degree: How many pixels of the planes are one.
        edges: As in `crowns`, and so are `orientations`.
        orientations: See there.
    """
    size = _scaled(planes.shape[1:], min(1, CELLS / degree))
    total, cell = np.zeros(size, "float32"), min(degree, CELLS)
    for plane, sensitivity in zip(planes, sensitivities, strict=True):
        larger, inside = mirrored(plane.astype("float32"))
        at = frequencies(larger.shape, degree)
        spectrum = fft.rfft2(larger) * sensitivity(at)
        for mask, angle in crowns(at, edges, orientations):
            contrast = np.abs(fft.irfft2(spectrum * mask, larger.shape)[inside])
            found = centre_surround(resample(contrast / np.hypot(1, contrast), size), cell)
            total += found if angle is None else facilitated(found, angle, cell)
    return np.where(total > FAINT, total, 0).astype("float64")


def centre_surround(values: Plane, degree: float) -> Plane:
    """By how much the Gaussian of the centre is above that of the surround, where a degree is so many pixels."""
    centre, surround = (
        cv2.GaussianBlur(values, (0, 0), sigma * degree, borderType=cv2.BORDER_REFLECT) for sigma in (CENTRE, SURROUND)
    )
    return np.maximum(centre - surround, 0)


def facilitated(values: Plane, angle: float, degree: float) -> Plane:
    """Values that are raised by what both sides along an orientation have, at most `1 + GAIN` times.

    Each side is a wing of a butterfly, a mean of its values; the lesser of both counts, so that a contour is raised and
    its ends are not.

    Args:
        values: Non-negative, `(height, width)`.
        angle: Of the normal of the gratings, as of `crowns`; the wings lie across it.
        degree: As in `centre_surround`.
    """
    sides = [cv2.filter2D(values, -1, wing, borderType=cv2.BORDER_REFLECT) for wing in _wings(angle, degree)]
    # The transforms of long filters leave rounding below zero.
    return values + GAIN * np.maximum(np.minimum.reduce([values, *sides]), 0)


def _wings(angle, degree):
    radius = max(1, round(2 * REACH * degree))
    y, x = np.mgrid[-radius : radius + 1, -radius : radius + 1]
    for side in (angle + np.pi / 2, angle - np.pi / 2):
        away = np.angle(np.exp(1j * (np.arctan2(y, x) - side)))
        wing = np.exp(-(x**2 + y**2) / (2 * (REACH * degree) ** 2) - (away / WEDGE) ** 2 / 2)
        wing[radius, radius] = 0
        yield wing / max(wing.sum(), 1e-30)  # zero where a degree is far less than a pixel


def _scaled(size: Size, factor: float) -> Size:
    return tuple(max(1, round(side * factor)) for side in size)  # type: ignore[return-value]
