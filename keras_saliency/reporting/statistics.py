"""How sure a mean is, and a difference: bootstrap intervals over images, or over the videos that they are frames of."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, NamedTuple, TypeAlias

import numpy as np
import scipy.stats

from keras_saliency.formulas.types import Values

RESAMPLES, FLIPS = 2000, 9999
LEVEL = 0.95
AT_ONCE = 1_000_000  # resampled values in memory
UNDEFINED = {"mean": None, "low": None, "high": None}
Interval: TypeAlias = Annotated[dict[str, Any], "mean, low and high, each a float or None, and the reason for None"]


class Videos(NamedTuple):
    """Which images are frames of one video: they are not independent, and videos are resampled as wholes.

    Attributes:
        names: The name of the video of each image, `(images,)`.
        weighted: Whether a video counts by its frames, so that the mean is that of all frames; else all count alike.
        unseen: Which images nobody looked at, `(images,)`: where they have no value, they are left out.
    """

    names: np.ndarray
    weighted: bool
    unseen: np.ndarray

    def gathered(self, values: Values) -> tuple[np.ndarray, np.ndarray | None]:
        """A value for each video in the order of their names, and how many frames it stands for where those count.

        It is the mean of the frames, or their sum where they count. A video without any value is left out.

        Args:
            values: One value for each image.
        """
        values = np.asarray(values, "float64")
        kept = ~(np.isnan(values) & self.unseen)
        _, numbers = np.unique(self.names[kept], return_inverse=True)
        sums, counts = np.bincount(numbers, values[kept]), np.bincount(numbers)
        return (sums, counts.astype("float64")) if self.weighted else (sums / counts, None)

    def divisors(self) -> np.ndarray:
        """What the value of each image is divided by to sum up to the mean, where all have one, `(images,)`."""
        _, numbers, counts = np.unique(self.names, return_inverse=True, return_counts=True)
        return np.full(len(numbers), len(numbers)) if self.weighted else len(counts) * counts[numbers]


def _gathered(values, videos):
    """What is resampled: values, and the numbers of images that they stand for, if these count."""
    if videos is None:
        return [np.asarray(values, "float64")]
    return [column for column in videos.gathered(values) if column is not None]


def _mean(a, b=None, axis=-1):
    return a.mean(axis) if b is None else a.mean(axis) / b.mean(axis)


def interval(values: Values, videos: Videos | None = None) -> Interval:
    """The mean with the 95 % interval of 2,000 bootstrap resamples of the images.

    Args:
        values: One value for each image.
        videos: Which images are frames of one video: then videos are resampled.

    Returns:
        `{"mean", "low", "high"}`: None where a value is not defined, no interval for a single image or video.
    """
    return _interval(*_gathered(values, videos))


def ratio(values: Values, over: Values, name: str, videos: Videos | None = None) -> Interval:
    """The ratio of two means over the same images, as `interval` gives a mean.

    A ratio to what may as well be zero says nothing, its sign included: it is None unless the whole interval of the
    denominator is above zero.

    Args:
        values: One value for each image.
        over: The denominators.
        name: What the denominator is, with an article.
        videos: As in `interval`.

    Returns:
        `{"mean", "low", "high"}`; where all are None also `"reason"`, a clause for people.
    """
    over = np.asarray(over, "float64")
    below, what = interval(over, videos), "image" if videos is None else "video"
    undefined = np.isnan(over if videos is None else over[~videos.unseen]).sum()
    if undefined:
        return {**UNDEFINED, "reason": f"{name} is not defined for {undefined} of {len(over)} images"}
    if below["low"] is None:
        return {**UNDEFINED, "reason": f"{name} has no interval: there is one {what} alone"}
    if below["low"] <= 0:
        found = f"{below['mean']:.3f} [{below['low']:.3f}, {below['high']:.3f}]"
        return {**UNDEFINED, "reason": f"{name} is not clearly above zero: {found}"}
    return _interval(_gathered(values, videos)[0], _gathered(over, videos)[0])  # the same frames of a video count


def _interval(*columns):
    if not len(columns[0]) or np.isnan(columns).any():
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
    per_image: Mapping[str, Sequence[Mapping[str, float]]], first: str, second: str, videos: Videos | None = None
) -> dict[str, dict[str, float | None]]:
    """The paired differences of two rows over the same images.

    Args:
        per_image: From row to a list of dictionaries from metric to value, one for each image.
        first: The row that is compared.
        second: The row that it is compared with.
        videos: As in `interval`; then signs are flipped of whole videos.

    Returns:
        A dictionary from metric to `{"mean", "low", "high", "p", "significant"}`: the mean difference with its 95 %
        bootstrap interval, the probability of a difference at least as large under exchange of the two rows (a paired
        permutation test of 10,000 sign flips), and whether that is below 0.05. Several comparisons are not corrected
        for.
    """
    compared = {}
    for name in per_image[first][0].keys() & per_image[second][0].keys():
        difference = np.array([a[name] - b[name] for a, b in zip(per_image[first], per_image[second], strict=True)])
        found = interval(difference, videos)
        if found["low"] is not None:
            p = _sign_flip(_gathered(difference, videos)[0])
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
