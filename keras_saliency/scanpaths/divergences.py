"""How far the amplitudes and directions of saccades are from those of others."""

from collections.abc import Sequence

import numpy as np
from scipy.spatial.distance import jensenshannon

from keras_saliency.formulas.types import Size
from keras_saliency.reporting.statistics import LEVEL, RESAMPLES, Interval

# Amplitudes in longer sides of the image, all that are shorter or longer in the first or last bin; directions from
# rightwards over downwards, the first one about rightwards.
AMPLITUDES, DIRECTIONS = np.geomspace(0.0125, 1.25, 14), 16
DIVERGENCES = ("amplitude_divergence", "direction_divergence")


def saccade_counts(paths: Sequence[np.ndarray], size: Size) -> tuple[np.ndarray, np.ndarray]:
    """The histograms of the amplitudes and of the directions of all saccades.

    Args:
        paths: Scanpaths, `(fixations, 2 or more)`, x and y in pixels.
        size: `(height, width)` of the image.

    Returns:
        15 counts of amplitudes and 16 of directions; a saccade of no length has none.
    """
    right, down = np.concatenate([np.empty((0, 2)), *(np.diff(path[:, :2], axis=0) for path in paths)]).T
    amplitude, moved = np.hypot(right, down) / max(size), (right != 0) | (down != 0)
    turn = np.rint(np.arctan2(down, right)[moved] % (2 * np.pi) * (DIRECTIONS / (2 * np.pi))).astype(int) % DIRECTIONS
    amplitudes = np.bincount(np.searchsorted(AMPLITUDES, amplitude, side="right"), minlength=len(AMPLITUDES) + 1)
    return amplitudes, np.bincount(turn, minlength=DIRECTIONS)


def pooled_divergence(counts: np.ndarray, others: np.ndarray) -> Interval:
    """The Jensen-Shannon divergence, in bit, of two histograms that are summed over images.

    Args:
        counts: A histogram for each image, `(images, bins)`.
        others: Those that it is compared with.

    Returns:
        What it comes to, from 0, where both are the same, to 1, where nothing is in both, as `mean`, with `low` and
        `high`, the 95 % interval of bootstrap resamples of the images; None where one holds nothing.
    """
    found = _divergence(counts.sum(0), others.sum(0))
    drawn = np.random.default_rng(0).multinomial(len(counts), np.full(len(counts), 1 / len(counts)), RESAMPLES)
    resampled = _divergence(drawn @ counts, drawn @ others)
    if np.isnan(found) or np.isnan(resampled).any():
        return {"mean": None if np.isnan(found) else float(found), "low": None, "high": None}
    low, high = np.quantile(resampled, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return {"mean": float(found), "low": float(low), "high": float(high)}


def _divergence(counts, others):
    with np.errstate(invalid="ignore"):  # Of nothing it is NaN.
        return jensenshannon(counts, others, base=2, axis=-1) ** 2
