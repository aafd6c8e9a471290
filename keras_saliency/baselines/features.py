"""What the classical models share: the check of the image, pyramids, opponent colours, Gabor energy, the last step."""

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from scipy import fft

from keras_saliency.formulas.types import Photograph, Plane, Size

FLAT = 1e-9  # a map that varies by less than this share of its peak is constant but for rounding
FAINT = 1e-6  # features are of the order of one: what nowhere exceeds this is rounding
BINOMIAL = np.array([1, 4, 6, 4, 1]) / 16
DARK = 0.1  # share of the brightest intensity below which colour counts as none
ORIENTATIONS = np.deg2rad([0, 45, 90, 135])
GABOR_PERIOD, GABOR_SIGMA, GABOR_RADIUS = 5.0, 2.8, 7  # pixels of the pyramid's level; a bandwidth of one octave
XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])  # of linear sRGB


def check_image(image: Photograph) -> np.ndarray:
    """The image in [0, 1].

    Args:
        image: `(height, width, 3)`, RGB, uint8.

    Returns:
        `(height, width, 3)`, float64.

    Raises:
        ValueError: If the shape or the type is another.
    """
    image = np.asarray(image)
    if image.ndim != 3 or image.shape[2] != 3 or 0 in image.shape:
        raise ValueError(
            f"The image has shape {image.shape}, not (height, width, 3). "
            "Pass one RGB image; repeat the channel of a grey one with `np.repeat(grey[..., None], 3, 2)`."
        )
    if image.dtype != np.uint8:
        raise ValueError(
            f"The image has type {image.dtype}, not uint8. "
            "Scale it to 0 to 255 and convert it with `np.uint8(np.round(image))`."
        )
    return image / 255.0


def to_saliency(values: Plane, size: Size) -> Plane:
    """A map of any resolution and scale, brought to the size of the image, non-negative, with a peak of one.

    Args:
        values: The map, two-dimensional; what is negative counts as zero.
        size: `(height, width)` of the image.

    Returns:
        `(height, width)`, float64. A constant map becomes zeros.
    """
    values = np.maximum(np.asarray(values, "float64"), 0)
    if np.ptp(values) <= FLAT * values.max():
        return np.zeros(size)
    # The cubic kernel keeps the grid of a coarse map from showing; what it overshoots is clipped.
    resized = np.maximum(cv2.resize(values, size[::-1], interpolation=cv2.INTER_CUBIC), 0)
    return resized / resized.max()


def resample(values: np.ndarray, size: Size) -> np.ndarray:
    """A map or an image brought to `(height, width)`: the mean of areas where it shrinks, linear where it grows."""
    shrinks = values.shape[0] > size[0] or values.shape[1] > size[1]
    return cv2.resize(values, size[::-1], interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)


def size_within(size: Size, longer_side: float) -> Size:
    """The `(height, width)` of the same proportion with that longer side, neither of them below one."""
    return tuple(max(1, round(side * longer_side / max(size))) for side in size)  # type: ignore[return-value]


def pyramid(image: np.ndarray, levels: int) -> list[np.ndarray]:
    """The dyadic Gaussian pyramid: a list of so many levels, the first the image itself.

    Each level is blurred and the mean of 2x2 pixels taken, in all the filter (1 5 10 10 5 1)/32 of even length. It lies
    symmetrically between the pixels, so the pyramid of a mirrored image is the mirrored pyramid. A side never falls
    below one pixel; an odd one is rounded up.
    """
    steps = [image]
    while len(steps) < levels:
        blurred = cv2.sepFilter2D(steps[-1], -1, BINOMIAL, BINOMIAL, borderType=cv2.BORDER_REFLECT)
        half = tuple((side + 1) // 2 for side in blurred.shape[1::-1])
        steps.append(cv2.resize(blurred, half, interpolation=cv2.INTER_LINEAR))
    return steps


def opponents(image: np.ndarray) -> tuple[Plane, Plane, Plane]:
    """Intensity and the broadly tuned red-green and blue-yellow of Itti, Koch & Niebur (1998).

    Args:
        image: `(height, width, 3)` in [0, 1].

    Returns:
        Three maps `(height, width)`. The colours are relative to the intensity, and zero in the dark, where hue is
        not seen: below a tenth of the brightest intensity of the image.
    """
    intensity = image.mean(2)
    seen = intensity > DARK * intensity.max()
    r, g, b = np.moveaxis(image / np.where(seen, intensity, np.inf)[..., None], 2, 0)
    red, green, blue = (np.maximum(own - (one + other) / 2, 0) for own, one, other in ((r, g, b), (g, r, b), (b, r, g)))
    yellow = np.maximum((r + g) / 2 - np.abs(r - g) / 2 - b, 0)
    return intensity, red - green, blue - yellow


def linear_light(image: np.ndarray) -> np.ndarray:
    """Values of sRGB in [0, 1] as shares of the light of white."""
    return np.where(image > 0.04045, ((image + 0.055) / 1.055) ** 2.4, image / 12.92)


def lab(image: np.ndarray) -> np.ndarray:
    """CIELAB, with the white of sRGB (D65), of an image `(height, width, 3)` in [0, 1]; greys have no a and b."""
    relative = linear_light(image) @ (XYZ / XYZ.sum(1, keepdims=True)).T
    x, y, z = np.moveaxis(np.where(relative > (6 / 29) ** 3, np.cbrt(relative), relative * 841 / 108 + 4 / 29), 2, 0)
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], 2)


def gabor_pair(angle: float, period: float, sigma: float, radius: int) -> tuple[np.ndarray, np.ndarray]:
    """The even and the odd Gabor filter, free of a mean, that answer to a grating whose normal lies at the angle."""
    y, x = np.mgrid[-radius : radius + 1, -radius : radius + 1]
    envelope = np.exp(-(x**2 + y**2) / (2 * sigma**2))
    phase = 2 * np.pi / period * (x * np.cos(angle) + y * np.sin(angle))
    even = envelope * np.cos(phase)
    even -= envelope * even.sum() / envelope.sum()
    return even, envelope * np.sin(phase)


def gabor_bank(angles: np.ndarray) -> list[list[np.ndarray]]:
    """A quadrature pair for each angle, of `GABOR_PERIOD`, scaled so that the even filter sums to one in size."""
    pairs = (gabor_pair(angle, GABOR_PERIOD, GABOR_SIGMA, GABOR_RADIUS) for angle in angles)
    return [[part / np.abs(even).sum() for part in (even, odd)] for even, odd in pairs]


_GABORS = gabor_bank(ORIENTATIONS)


def gabor_energy(intensity: Plane, pairs: Sequence[Sequence[np.ndarray]] = _GABORS) -> list[Plane]:
    """The energy of each quadrature pair of Gabor filters, a list of maps; by default those of `ORIENTATIONS`."""
    borders: dict[str, Any] = {"borderType": cv2.BORDER_REFLECT}
    return [np.hypot(*(cv2.filter2D(intensity, -1, part, **borders) for part in pair)) for pair in pairs]


def mirrored(plane: Plane, share: float = 1 / 4) -> tuple[Plane, tuple[slice, slice]]:
    """A plane mirrored beyond its borders, so that filters in the Fourier domain do not join opposite ones.

    Args:
        plane: `(height, width)`.
        share: How far at least, as a share of the shorter side; a little more where its transform is then fast.

    Returns:
        The larger plane, and where the given one lies in it.
    """
    margins = [_margin(side, int(share * min(plane.shape))) for side in plane.shape]
    rows, columns = (slice(margin, margin + side) for margin, side in zip(margins, plane.shape, strict=True))
    return np.pad(plane, [(margin, margin) for margin in margins], "symmetric"), (rows, columns)


def _margin(side, least):
    """The least margin of at least so many pixels that leaves a length whose transform is fast."""
    return next(m for m in range(least, least + side + 99) if fft.next_fast_len(side + 2 * m) == side + 2 * m)


def distance_from(centre: tuple[int, int], size: Size) -> Plane:
    """The distance from a pixel in whole pixels, rounded down, as a share of the largest."""
    rows, columns = np.ogrid[: size[0], : size[1]]
    distance = np.floor(np.hypot(rows - centre[0], columns - centre[1]))
    return distance / (distance.max() or 1)


def shares(values: np.ndarray, bins: int) -> np.ndarray:
    """For each value the share of all that lie in its bin, of so many between the extremes."""
    low, extent = values.min(), np.ptp(values) or 1
    # The highest value belongs to the last bin, not to one of its own.
    places = np.minimum((values - low) * (bins / extent), bins - 1).astype("intp")
    return (np.bincount(places.ravel(), minlength=bins) / values.size)[places]
