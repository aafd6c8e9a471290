"""Where values stand in a sample: what areas under ROC curves are made of, in NumPy.

Its sort is many times faster than that of the frameworks, and what need not be sorted is counted.
"""

import functools

import numpy as np

FEW, LEVELS = 32, 65000  # values for each of which a sample may be counted anew; bins of a sample


class Ranks:
    """The ranks of values in a sample, for one set of values after the other.

    Args:
        sample: One axis, of any real type.
        extremes: Its smallest and its largest value, if they are known.
    """

    def __init__(self, sample: np.ndarray, extremes: tuple[float, float] | None = None) -> None:
        self.sample = sample
        self.low, self.high = extremes or (float(sample.min()), float(sample.max()))

    @functools.cached_property
    def _scale(self):
        return LEVELS / (self.high - self.low) if self.high > self.low else 0.0

    def _bins_of(self, values):
        # Never in the wrong order, only blind to small differences.
        return ((values - self.low) * self._scale).astype("uint16")

    @functools.cached_property
    def _bins(self):
        """The bin of each of the sample, and how many each bin holds."""
        bins = self._bins_of(self.sample)
        return bins, np.bincount(bins, minlength=LEVELS + 1)

    @functools.cached_property
    def _ordered(self):
        return np.sort(self.sample)

    def counts(self, values: np.ndarray) -> np.ndarray:
        """How many of the sample lie below each value, and how many do not lie above it.

        Args:
            values: One axis; taken for what they are in the type of the sample.

        Returns:
            `(2, values)`; NaN if the sample has NaN.
        """
        values, which = np.unique(values.astype(self.sample.dtype, copy=False), return_inverse=True)
        if len(values) <= FEW:
            reaches = (np.less, np.less_equal)
            counts = np.array([[np.count_nonzero(reach(self.sample, value)) for value in values] for reach in reaches])
        elif 0 < self._scale < np.inf:
            # What shares a bin with one of the values is sorted, the others are counted.
            (bins, held), sought = self._bins, self._bins_of(values)
            shared = np.zeros(len(held), bool)
            shared[sought] = True
            elsewhere = np.cumsum(np.where(shared, 0, held))[sought]
            counts = _positions(np.sort(self.sample[shared[bins]]), values) + elsewhere
        else:
            counts = _positions(self._ordered, values)
        return counts[:, which] + (0.0 * self.low + 0.0 * self.high)


def weight_below(sample: np.ndarray, weights: np.ndarray, values: np.ndarray) -> np.ndarray:
    """The share of the weight of a sample that lies below each value, what is equal to it counted by half.

    NaN if the sample has NaN.
    """
    if len(values) <= FEW:
        below, reached = (reach(sample, values[:, None]) @ weights for reach in (np.less, np.less_equal))
        return (below + reached) / (2 * weights.sum()) + 0.0 * sample.max()
    order = np.argsort(sample)
    below = np.concatenate([[0.0], np.cumsum(weights[order], dtype="float64")])
    places = _positions(sample[order], values).astype("int64")
    return below[places].mean(0) / below[-1] + 0.0 * sample[order[-1]]  # NaN is sorted to the end


def _positions(ordered, values):
    """How many of a sorted array lie below each value, and how many do not lie above it."""
    return np.stack([np.searchsorted(ordered, values, side) for side in ("left", "right")]).astype("float64")
