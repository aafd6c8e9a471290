"""How sure a mean is, and a difference: bootstrap intervals over images."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, TypeAlias

import numpy as np
import scipy.stats

from keras_saliency.formulas.types import Values

RESAMPLES, FLIPS = 2000, 9999
LEVEL = 0.95
AT_ONCE = 1_000_000  # resampled values in memory
UNDEFINED = {"mean": None, "low": None, "high": None}
Interval: TypeAlias = Annotated[dict[str, Any], "mean, low and high, each a float or None, and the reason for None"]


def _mean(a, b=None, axis=-1):
    return a.mean(axis) if b is None else a.mean(axis) / b.mean(axis)


def interval(values: Values) -> Interval:
    """The mean with the 95 % interval of 2,000 bootstrap resamples of the images.

    Args:
        values: One value for each image.

    Returns:
        `{"mean", "low", "high"}`: None where a value is not defined, no interval for a single image.
    """
    return _interval(np.asarray(values, "float64"))


def ratio(values: Values, over: Values, name: str) -> Interval:
    """The ratio of two means over the same images, as `interval` gives a mean.

    A ratio to what may as well be zero says nothing, its sign included: it is None unless the whole interval of the
    denominator is above zero.

    Args:
        values: One value for each image.
        over: The denominators.
        name: What the denominator is, with an article.

    Returns:
        `{"mean", "low", "high"}`; where all are None also `"reason"`, a clause for people.
    """
    over = np.asarray(over, "float64")
    below, undefined = interval(over), np.isnan(over).sum()
    if undefined:
        return {**UNDEFINED, "reason": f"{name} is not defined for {undefined} of {len(over)} images"}
    if below["low"] is None:
        return {**UNDEFINED, "reason": f"{name} has no interval: there is one image alone"}
    if below["low"] <= 0:
        found = f"{below['mean']:.3f} [{below['low']:.3f}, {below['high']:.3f}]"
        return {**UNDEFINED, "reason": f"{name} is not clearly above zero: {found}"}
    return _interval(np.asarray(values, "float64"), over)


def _interval(*columns):
    if np.isnan(columns).any():
        return dict(UNDEFINED)
    mean = float(_mean(*columns))
    if len(columns[0]) < 2:
        return {**UNDEFINED, "mean": mean}
    resampled = scipy.stats.bootstrap(
        columns,
        _mean,
        paired=True,
        n_resamples=RESAMPLES,
        batch=max(1, AT_ONCE // len(columns[0])),
        confidence_level=LEVEL,
        method="percentile",
        rng=np.random.default_rng(0),
    ).confidence_interval
    return {"mean": mean, "low": float(resampled.low), "high": float(resampled.high)}


def compare(
    per_image: Mapping[str, Sequence[Mapping[str, float]]], first: str, second: str
) -> dict[str, dict[str, float | None]]:
    """The paired differences of two rows over the same images.

    Args:
        per_image: From row to a list of dictionaries from metric to value, one for each image.
        first: The row that is compared.
        second: The row that it is compared with.

    Returns:
        A dictionary from metric to `{"mean", "low", "high", "p", "significant"}`: the mean difference with its 95 %
        bootstrap interval, the probability of a difference at least as large under exchange of the two rows (a paired
        permutation test of 10,000 sign flips), and whether that is below 0.05. Several comparisons are not corrected
        for.
    """
    compared = {}
    for name in per_image[first][0].keys() & per_image[second][0].keys():
        difference = np.array([a[name] - b[name] for a, b in zip(per_image[first], per_image[second], strict=True)])
        found = interval(difference)
        if found["low"] is not None:
            p = _sign_flip(difference)
            compared[name] = {**found, "p": p, "significant": p < 1 - LEVEL}
    return compared


def _sign_flip(difference):
    test = scipy.stats.permutation_test(
        (difference,),
        _mean,
        permutation_type="samples",
        vectorized=True,
        n_resamples=FLIPS,
        batch=max(1, AT_ONCE // len(difference)),
        rng=np.random.default_rng(0),
    )
    return float(test.pvalue)
