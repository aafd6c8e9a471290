"""A map as evaluation computes it: one image, NumPy, double precision."""

import functools

import cv2
import numpy as np

from keras_saliency.formulas.maps import Map
from keras_saliency.formulas.types import Maps, Plane

NORMALISED = 1e-13  # of the logarithm of a sum: nothing is gained by dividing by it


def exponential(values: Plane) -> Plane:
    """The exponential of each value.

    In double precision OpenCV's equals NumPy's to the last bits, at a tenth of the time where there is no AVX-512.
    """
    return cv2.exp(values) if values.dtype == "float64" and values.size else np.exp(values)


class ArrayMap(Map):
    """The forms of `Map` in as few passes over memory as they take.

    In double precision no square and no sum leaves the range of numbers, so that maps need not be brought to a scale of
    their own first, and there is neither padding nor a gradient.

    Args:
        values: `(height, width)`, finite.
        from_logits: Whether they are a log-density, normalised or not; otherwise a saliency map.
    """

    def __init__(self, values: Plane, from_logits: bool = False) -> None:
        super().__init__(np.asarray(values, "float64")[None, ..., None], from_logits=from_logits)

    @functools.cached_property
    def _range(self):
        return tuple(float(extreme[0, 0, 0, 0]) for extreme in self.extremes)

    @functools.cached_property
    def _normalised(self):
        """The density, and the logarithm of the sum by which it was divided."""
        low, high = self._range
        if self.from_logits:
            density = exponential((self.raw - high)[0, ..., 0])[None, ..., None]
        else:
            density = self.raw - min(low, 0.0)
        mass = density.sum()
        if mass == 0:
            return np.full_like(density, 1.0 / density.size), 0.0
        density *= 1.0 / mass
        return density, high + np.log(mass)

    @functools.cached_property
    def density(self) -> Maps:
        """The probability at each pixel."""
        return self._normalised[0]

    @functools.cached_property
    def log_density(self) -> Maps:
        """The natural logarithm of the probability at each pixel."""
        if not self.from_logits:
            return super().log_density
        log_mass = self._normalised[1]
        return self.raw if abs(log_mass) < NORMALISED else self.raw - log_mass

    @functools.cached_property
    def standardized(self) -> Maps:
        """The map, of a log-density the density, with zero mean and unit variance; zero if it is constant."""
        values = self.density if self.from_logits else self.raw
        centred = values - values.mean()
        deviation = np.sqrt(np.vdot(centred, centred) / centred.size)
        low, high = self._range
        centred *= 1.0 / deviation if high > low and deviation > 0 else 0.0
        return centred

    def at(self, places: np.ndarray) -> "MapAt":
        """The map at some of its pixels, given by their flat indices."""
        return MapAt(self, places)


class MapAt(Map):
    """An `ArrayMap` at a few of its pixels: what measures need that look at fixations and negatives only.

    Extremes, sums and ranks are those of the whole map.

    Args:
        whole: The map.
        places: The flat indices of the pixels.
    """

    def __init__(self, whole: ArrayMap, places: np.ndarray) -> None:
        self._whole, self._places = whole, places
        super().__init__(self._taken(whole.raw), from_logits=whole.from_logits)

    def _taken(self, maps):
        return maps.reshape(-1)[self._places].reshape(1, -1, 1, 1)

    @property
    def whole(self) -> ArrayMap:
        """The map of all pixels."""
        return self._whole

    @functools.cached_property
    def count(self) -> np.ndarray:
        """The number of pixels of the whole map."""
        return self._whole.count

    @functools.cached_property
    def extremes(self) -> tuple[np.ndarray, np.ndarray]:
        """The smallest and the largest value of the whole map."""
        return self._whole.extremes

    @functools.cached_property
    def density(self) -> Maps:
        """The probability at each of the pixels."""
        return self._taken(self._whole.density)

    @functools.cached_property
    def log_density(self) -> Maps:
        """The natural logarithm of the probability at each of the pixels."""
        return self._taken(self._whole.log_density)

    @functools.cached_property
    def standardized(self) -> Maps:
        """The standardised map at the pixels."""
        return self._taken(self._whole.standardized)

    @functools.cached_property
    def stretched(self) -> Maps:
        """The stretched density at the pixels."""
        return self._taken(self._whole.stretched)
