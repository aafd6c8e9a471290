"""What the eye resolves: its sensitivity to contrast, and bands of frequency and orientation that sum to an image."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from scipy import fft

from keras_saliency.formulas.types import Size

PEAK, OBLIQUE, LIGHT = 250.0, 0.78, 100.0  # sensitivity, its share at 45 degrees, and the mean in cd/m^2
AREA = 500.0  # square degrees, on which the sensitivity to slow changes depends
TRANSITION = 1.0  # octaves, from one crown to the next


class Frequencies(NamedTuple):
    """Where the coefficients of a real transform lie.

    Attributes:
        radius: Cycles a degree of visual angle, `(height, width // 2 + 1)`.
        angle: Of the normal of the grating, in radians, from the x axis to the y axis, which points down.
    """

    radius: np.ndarray
    angle: np.ndarray


def frequencies(size: Size, pixels_per_degree: float) -> Frequencies:
    """Those of `scipy.fft.rfft2` of an image of `(height, width)`."""
    y, x = np.meshgrid(fft.fftfreq(size[0]), fft.rfftfreq(size[1]), indexing="ij")
    y, x = y.astype("float32"), x.astype("float32")  # which is enough, and takes half the time
    angle = np.arctan2(y, x)
    if not size[0] % 2:
        # Half a period a pixel upwards is the same as downwards: with either angle, one would be favoured.
        angle[size[0] // 2] = np.pi / 2
    return Frequencies(np.float32(pixels_per_degree) * np.hypot(y, x), angle)


def achromatic_sensitivity(at: Frequencies) -> np.ndarray:
    """The inverse of the least contrast that is seen, of gratings of light and dark; less for oblique ones.

    Source:
        Daly, "The visible differences predictor", in Digital Images and Human Vision, 1993, without its factors of
        distance, accommodation and eccentricity. Written from memory, unchecked.
    """
    oblique = (1 - OBLIQUE) / 2 * np.cos(4 * at.angle) + (1 + OBLIQUE) / 2
    return PEAK * np.minimum(_daly(at.radius), _daly(at.radius / oblique))


def chromatic_sensitivity(at: Frequencies, peak: float, half: float, steepness: float) -> np.ndarray:
    """The same of gratings of two colours: from the peak down, to a half of it at so many cycles a degree."""
    return peak / (1 + (at.radius / half) ** steepness)


def crowns(
    at: Frequencies, edges: Sequence[float], orientations: Sequence[int]
) -> Iterator[tuple[np.ndarray, float | None]]:
    """The filters of a perceptual decomposition, which sum to one at every frequency.

    Args:
        at: The frequencies.
        edges: Cycles a degree at which a crown gives half to the next one, ascending. The last crown has no upper end.
        orientations: How many bands each crown is cut into, one more of them than edges.

    Yields:
        For each band its filter, and the angle of the normals of the gratings that it passes best; None where a crown
        is not cut.
    """
    with np.errstate(divide="ignore"):
        octaves = np.log2(at.radius)
    above = [np.sin(np.pi / 2 * np.clip((octaves - np.log2(edge)) / TRANSITION + 0.5, 0, 1)) ** 2 for edge in edges]
    rings = -np.diff([np.ones_like(octaves), *above, np.zeros_like(octaves)], axis=0)
    fans = {count: [_fan(at.angle, i, count) for i in range(count)] for count in {*orientations} - {1}}
    for ring, count in zip(rings, orientations, strict=True):
        if count == 1:
            yield ring, None
        else:
            yield from ((ring * fan, i * np.pi / count) for i, fan in enumerate(fans[count]))


def _fan(angle, i, count):
    """A lobe over the angle, modulo half a turn, that falls to zero where the next of so many has its peak."""
    away = np.abs((angle - i * np.pi / count + np.pi / 2) % np.pi - np.pi / 2)
    return np.cos(np.pi / 2 * np.minimum(away * (count / np.pi), 1)) ** 2


def _daly(frequency):
    """Daly's sensitivity along an axis, as a share of the peak that he multiplies it by."""
    gain, decay = 0.801 * (1 + 0.7 / LIGHT) ** -0.2, 0.3 * (1 + 100 / LIGHT) ** 0.15
    with np.errstate(divide="ignore"):
        slow = ((3.23 * (frequency**2 * AREA) ** -0.3) ** 5 + 1) ** -0.2
    x = 0.9 * frequency
    return slow * gain * x * np.exp(-decay * x) * np.sqrt(1 + 0.06 * np.exp(decay * x))
