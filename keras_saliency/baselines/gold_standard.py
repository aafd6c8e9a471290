"""The gold standard: how well the other observers predict one, the ceiling of every model."""

import functools
from typing import TYPE_CHECKING

import numpy as np

from keras_saliency.baselines.centre_bias import CentreBias
from keras_saliency.baselines.fitting import fit_mixture, search
from keras_saliency.formulas.array_map import exponential
from keras_saliency.formulas.types import Plane

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keras_saliency.data.samples import Sample, Samples

BANDWIDTHS = np.geomspace(0.35, 1.4, 9)  # in units of the ground-truth blur of the image
REACH = 8.5  # standard deviations, beyond which nothing is left of a Gaussian in float64


class GoldStandard:
    """Leave one observer out: a mixture of the other observers' kernel density, centre bias and uniform.

    Bandwidth and mixture weights are those that make the left-out fixations of the validation images most likely.
    Images on which nobody else looked take no part. If there are no others, the kernel density has no weight;
    if there are no fixations, it is the centre bias.

    Args:
        validation: The validation split.
        centre_bias: A fitted `CentreBias`.

    Attributes:
        bandwidth: The standard deviation of the kernel in units of the image's ground-truth blur.
        weights: Of kernel density, centre bias and uniform; they sum to one.
    """

    def __init__(self, validation: "Samples", centre_bias: CentreBias) -> None:
        self.centre_bias = centre_bias
        # The images of most data sets are of one size or two.
        self._bias = functools.lru_cache(2)(lambda size: np.exp(centre_bias.log_density(size)))
        if not any(len(sample.fixations) for sample in validation):
            self.bandwidth, self.weights = 1.0, np.array([0.0, 1.0, 0.0])
            return
        seen = [sample for sample in validation if _observers(sample) > 1] or list(validation)
        others = [self._at_fixations(sample) for sample in seen]

        def fit(bandwidth):
            pairs = zip(seen, others, strict=True)
            parts = [np.stack([_kernel_at_fixations(sample, bandwidth), *rest]) for sample, rest in pairs]
            weights, likelihood = fit_mixture(np.concatenate(parts, axis=1))
            return likelihood, weights

        self.bandwidth, self.weights = search(BANDWIDTHS, fit, "bandwidth of the gold standard")

    def _at_fixations(self, sample):
        """Centre bias and uniform density at the fixations of a sample."""
        rows, columns = sample.fixations.pixels()
        pixels = sample.size[0] * sample.size[1]
        bias = self._bias(tuple(sample.size))
        return bias[rows, columns], np.full(len(rows), 1 / pixels)

    def predicts(self, sample: "Sample") -> bool:
        """Whether there are others to predict an observer from: on this image, and where the weights were fitted."""
        return bool(_observers(sample) > 1 and self.weights[0] > 0)

    def log_densities(self, sample: "Sample") -> tuple[np.ndarray, np.ndarray]:
        """The log-densities that predict each observer of an image.

        Returns:
            The numbers of the observers, and an array `(observers, height, width)`, float32.
        """
        observers, log_densities = zip(*self.predictions(sample), strict=True)
        return np.array(observers), np.stack(log_densities)

    def predictions(self, sample: "Sample") -> "Iterator[tuple[int, Plane]]":
        """Yields each observer of an image with the log-density that predicts it, `(height, width)`, float32.

        One map after the other: all of them at once are what a large image has no memory for.
        """
        fixations, (height, width) = sample.fixations, sample.size
        sigma = self.bandwidth * sample.sigma
        vertical = _mirrored_kernel(np.arange(height) + 0.5, fixations.y, height, sigma).astype("float32")
        horizontal = _mirrored_kernel(np.arange(width) + 0.5, fixations.x, width, sigma).astype("float32")
        observers = np.unique(fixations.observer)
        own = [fixations.observer == observer for observer in observers]
        total = np.zeros(sample.size, "float32")
        for mine in own:
            total += vertical[:, mine] @ horizontal[:, mine].T
        kernel, centre, uniform = self.weights
        bias = self._bias(tuple(sample.size))
        rest = (centre * bias + uniform / bias.size).astype("float32")
        for observer, mine in zip(observers, own, strict=True):
            density = vertical[:, mine] @ horizontal[:, mine].T
            np.subtract(total, density, out=density)
            density *= np.float32(kernel / max(np.sum(~mine), 1))
            density += rest
            density /= density.sum()
            yield observer, np.log(density, out=density)


def _observers(sample):
    return len(np.unique(sample.fixations.observer))


def _mirrored_kernel(at, centres, side, sigma):
    """Gaussians `(len(at), len(centres))` along one axis, what leaves the image mirrored back, again and again."""
    reach = REACH * sigma
    # Mirrored twice, a centre lies a whole number of periods away, and at least one side; once, at least none.
    twice, once = int(reach / (2 * side) + 0.5), int(reach / (2 * side))
    places = [centres + 2 * side * turn for turn in range(-twice, twice + 1)]
    places += [2 * side * turn - centres for turn in range(-once, once + 2)]
    kernel = np.zeros((len(at), len(centres)))
    for place in places:
        # Of most of the mirror images nothing reaches into the image.
        near = np.flatnonzero((place > -reach) & (place < side + reach))
        if len(near):
            rows = np.flatnonzero((at > place[near].min() - reach) & (at < place[near].max() + reach))
            offsets = (at[rows, None] - place[near]) / sigma
            # To take all pairs is many times faster than to pick them.
            pairs = ... if offsets.shape == kernel.shape else np.ix_(rows, near)
            kernel[pairs] += exponential(-0.5 * offsets**2)
    return kernel / (sigma * np.sqrt(2 * np.pi))


def _kernel_at_fixations(sample, bandwidth):
    """The other observers' kernel density at each fixation of a sample."""
    fixations, (height, width) = sample.fixations, sample.size
    sigma = bandwidth * sample.sigma
    # Evaluated at pixel centres, as the maps are.
    pairs = _mirrored_kernel(np.floor(fixations.y) + 0.5, fixations.y, height, sigma)
    pairs *= _mirrored_kernel(np.floor(fixations.x) + 0.5, fixations.x, width, sigma)
    others = fixations.observer[:, None] != fixations.observer[None]
    return np.sum(pairs * others, 1) / np.maximum(others.sum(1), 1)
