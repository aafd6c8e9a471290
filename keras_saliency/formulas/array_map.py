"""A map as evaluation computes it: one image, NumPy, double precision."""

import functools

import cv2
import numpy as np

from keras_saliency.formulas.maps import Map
from keras_saliency.formulas.ranks import Ranks
from keras_saliency.formulas.types import Maps, Plane

NORMALISED = 1e-13  # of the logarithm of a sum: nothing is gained by dividing by it


def exponential(values: Plane, out: Plane | None = None) -> Plane:
    """The exponential of each value, written to `out` if it is given.

    In double precision OpenCV's equals NumPy's to the last bits, at a tenth of the time where there is no AVX-512.
    """
    return cv2.exp(values, out) if values.dtype == "float64" and values.size else np.exp(values, out=out)


def log_sum(values: Plane) -> float:
    """The logarithm of the sum of the exponentials of finite values."""
    high = values.max()
    return float(high + np.log(exponential(values - high).sum()))


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
        self._given = np.asarray(values)[None, ..., None]

    @functools.cached_property
    def ranks(self) -> Ranks:
        """The ranks in the map, of what it was made of: in single precision there are fewer bytes to compare."""
        return Ranks(self._given.ravel(), self._range)

    @functools.cached_property
    def extremes(self) -> tuple[np.ndarray, np.ndarray]:
        """The smallest and the largest value, each `(1, 1, 1, 1)`."""
        low, high = self._given.min(), self._given.max()
        return np.full((1, 1, 1, 1), low, "float64"), np.full((1, 1, 1, 1), high, "float64")

    @functools.cached_property
    def _range(self):
        return tuple(float(extreme[0, 0, 0, 0]) for extreme in self.extremes)

    @functools.cached_property
    def _proportional(self):
        """What is proportional to the density, and its sum."""
        low, high = self._range
        if self.from_logits:
            values = self.raw - high
            exponential(values[0, ..., 0], out=values[0, ..., 0])
        else:
            values = self.raw - low if low < 0 else self.raw
        return values, values.sum()

    @functools.cached_property
    def density(self) -> Maps:
        """The probability at each pixel."""
        values, mass = self._proportional
        return values * (1.0 / mass) if mass != 0 else np.full_like(values, 1.0 / values.size)

    @functools.cached_property
    def _log_mass(self):
        """What is to be taken from a log-density to normalise it."""
        log_mass = self._range[1] + np.log(self._proportional[1])
        return log_mass if abs(log_mass) >= NORMALISED else 0.0

    @functools.cached_property
    def log_density(self) -> Maps:
        """The natural logarithm of the probability at each pixel."""
        if not self.from_logits:
            return super().log_density
        return self.raw - self._log_mass if self._log_mass else self.raw

    @functools.cached_property
    def _deviations(self):
        """The deviations from the mean of the map, of a log-density of what is proportional to its density."""
        values, mass = self._proportional if self.from_logits else (self.raw, self.raw.sum())
        centred = values - mass / values.size
        deviation = np.sqrt(np.vdot(centred, centred) / centred.size)
        return centred, 1.0 / deviation if self._range[1] > self._range[0] and deviation > 0 else 0.0

    @functools.cached_property
    def standardized(self) -> Maps:
        """The map, of a log-density the density, with zero mean and unit variance; zero if it is constant."""
        centred, scale = self._deviations
        return centred * scale

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
        if not self.from_logits:
            return self._taken(self._whole.log_density)
        return self.raw - self._whole._log_mass

    @functools.cached_property
    def standardized(self) -> Maps:
        """The standardised map at the pixels."""
        centred, scale = self._whole._deviations
        return self._taken(centred) * scale

    @functools.cached_property
    def stretched(self) -> Maps:
        """The stretched density at the pixels."""
        return self._taken(self._whole.stretched)
