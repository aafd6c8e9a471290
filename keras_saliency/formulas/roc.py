"""Areas under ROC curves, each exact and without random numbers: pure functions from maps to values `(batch,)`.

Like those of `measures`, they run on tensors and on NumPy arrays. None has a gradient. Where the MIT benchmark draws
random numbers, the value is the mean over infinitely many draws: against a threshold the area is linear in the share of
negatives, so that its expectation is the area at their exact share. Sources: the code of the MIT saliency benchmark
(AUC_Judd, AUC_Borji, AUC_shuffled); Kümmerer, Wallis & Bethge (2018).
"""

import functools
from collections.abc import Sequence

import numpy as np
from keras import backend

from keras_saliency.formulas.array_map import ArrayMap
from keras_saliency.formulas.arrays import ops
from keras_saliency.formulas.maps import Map, total
from keras_saliency.formulas.ranks import Ranks, weight_below
from keras_saliency.formulas.types import Maps, Plane, Values

# Of the exact area in a graph without sorting: bins of values, fixated pixels, and pixels in the bins of these.
BINS, FIXATED, NEAR = 32768, 1024, 4096
THRESHOLDS = [k * 0.1 for k in range(10, -1, -1)]  # of Borji's and the shuffled AUC of the MIT benchmark


def _flat(maps):
    return ops.reshape(maps, (ops.shape(maps)[0], -1))


def _unless_nan(values, valid):
    """Zero for each image, NaN where it has NaN: the comparisons from which an area is made would hide it."""
    return total((values if valid is None else ops.where(valid > 0, values, 0.0)) * 0.0)[:, 0, 0, 0]


def auc(fixations: Maps, prediction: Maps | Map, valid: Maps | None = None, negatives: Maps | None = None) -> Values:
    """Area under the ROC curve of fixated against other pixels, ties counting one half.

    The probability that the prediction is higher at a fixation than at a negative. 0.5 for a constant map, and where
    there are no fixations or no negatives.

    Args:
        fixations: How often each pixel is a positive, `(batch, height, width, 1)`; repeated fixations count.
        prediction: The map, or a `Map`; only the order of its values matters.
        valid: One inside the image and zero in padding, or None.
        negatives: How often each pixel is a negative: None for each once (the uniform AUC), or the fixations of other
            images (the shuffled AUC).
    """
    prediction = Map.of(prediction, valid)
    values, valid, low = prediction.raw, prediction.valid, prediction.extremes[0]
    if isinstance(values, np.ndarray):
        known = getattr(_whole(prediction), "ranks", None)
        images = _images(values, fixations, valid, negatives)
        return np.array([_area_of_image(known, *image) for image in images])
    positives = ops.cast(fixations, values.dtype)
    negatives = ops.ones_like(values) if negatives is None else ops.cast(negatives, values.dtype)
    if valid is not None:
        positives, negatives = (ops.where(valid > 0, part, 0.0) for part in (positives, negatives))
        values = ops.where(valid > 0, values, low)
    return _area(*map(_flat, (values, positives, negatives))) + _unless_nan(prediction.raw, valid)


def _whole(prediction):
    """The map of all pixels, of which a `MapAt` holds some."""
    return getattr(prediction, "whole", prediction)


def _images(prediction, *parts):
    """The flat parts of each image; what is None is None for all, one map for all is repeated."""
    for i, values in enumerate(prediction):
        yield values.ravel(), *(None if part is None else np.asarray(part)[i % len(part)].ravel() for part in parts)


def _area_of_image(known, values, fixations, valid, negatives):
    """`auc` of one image in NumPy; `known` are the ranks in the whole map, if there are."""
    if valid is not None:
        inside = valid > 0
        values, fixations = values[inside], fixations[inside]
        negatives = None if negatives is None else negatives[inside]
    # A comparison first: NumPy finds what is true many times faster than what is not zero.
    where = np.flatnonzero(fixations != 0)
    at = None if negatives is None else np.flatnonzero(negatives != 0)
    if len(where) == 0 or values.size == 0 or (at is not None and len(at) == 0):
        return 0.5
    if at is None:
        ranks = known or Ranks(values)
        shares = ranks.counts(values[where]).mean(0) / ranks.sample.size
    else:
        shares = weight_below(values[at], negatives[at], values[where])
    return np.average(shares, weights=fixations[where])


def _area(values, positives, negatives):
    """`auc` of a batch of rows of tensors."""
    wins = _wins_by_sorting
    if (values.shape[1] or 0) >= 4 * NEAR:
        counted, complete = _wins_by_counting(values, positives, negatives)

        def wins(*parts):
            return ops.cond(complete, lambda: counted, lambda: _wins_by_sorting(*parts))

    pairs = ops.sum(positives, axis=1) * ops.sum(negatives, axis=1)
    return ops.where(pairs > 0, wins(values, positives, negatives) / ops.where(pairs > 0, pairs, 1.0), 0.5)


def _wins_by_sorting(values, positives, negatives):
    """The pairs in which the positive is higher, ties counted by half."""
    order = ops.argsort(values, axis=1)
    values, positives, negatives = (ops.take_along_axis(part, order, axis=1) for part in (values, positives, negatives))
    # Equal values share a group, numbered within the row: a group is one step of the ROC curve.
    starts = ops.pad(ops.cast(values[:, 1:] != values[:, :-1], "int32"), ((0, 0), (1, 0)))
    groups = ops.cumsum(starts, axis=1)
    positives, negatives = (_sums(part, groups, ops.shape(values)[1]) for part in (positives, negatives))
    return ops.sum(positives * (ops.cumsum(negatives, axis=1) - negatives / 2), axis=1)


def _wins_by_counting(values, positives, negatives):
    """The same without sorting all values, and whether it is right: it is if there is not too much to look at.

    Each pixel falls into one of many bins by its value. If no positive shares its bin, the positives above it are those
    of higher bins, which a table tells. The others are few: they alone are sorted and compared with each positive.
    """
    fixated, at = ops.top_k(ops.where(positives > 0, values, -float("inf")), FIXATED)
    weights = ops.take_along_axis(positives, at, axis=1)
    low, high = ops.min(values, axis=1, keepdims=True), ops.max(values, axis=1, keepdims=True)
    # The fourth root spreads densities and log-densities alike. Values are cut to the range, so that none that is
    # infinite or no number leads out of the table.
    spread = ops.sqrt(ops.sqrt((values - low) / ops.where(high > low, high - low, 1.0)))
    bins = ops.clip(ops.cast(spread * (BINS - 1), "int32"), 0, BINS - 1)
    own = _sums(weights, ops.take_along_axis(bins, at, axis=1), BINS)
    above = ops.sum(own, axis=1, keepdims=True) - ops.cumsum(own, axis=1)
    # Bin zero holds the lowest value alone, of which there may be many, or no positive.
    table = ops.concatenate([above[:, :1] + own[:, :1] / 2, ops.where(own > 0, -1.0, above)[:, 1:]], axis=1)
    above = ops.take_along_axis(table, bins, axis=1)
    shared = above < 0
    far = ops.sum(ops.where(shared, 0.0, above) * negatives, axis=1)
    near, at = ops.top_k(ops.where(shared, values, -float("inf")), NEAR)
    mass = ops.cumsum(ops.take_along_axis(ops.where(shared, negatives, 0.0), at, axis=1), axis=1)
    mass = ops.pad(mass, ((0, 0), (1, 0)))
    higher, as_high = (
        ops.take_along_axis(mass, _count(near, fixated, reach), axis=1) for reach in (ops.greater, ops.greater_equal)
    )
    # A positive of bin zero is lower than all that are near.
    close = ops.sum(weights * (mass[:, -1:] - (higher + as_high) / 2), axis=1)
    found = [ops.max(ops.sum(ops.cast(part, "int32"), axis=1)) for part in (positives > 0, shared)]
    right = [found[0] <= FIXATED, found[1] < NEAR, ops.all(ops.isfinite(values))]
    right.append(ops.all(ops.logical_or(own[:, :1] == 0, ops.logical_or(bins > 0, values == low))))
    return far + close, functools.reduce(ops.logical_and, right)


def _sums(weights, groups, count):
    """The sum of each group in each row, `(rows, count)`; groups are numbered from zero."""
    rows = ops.shape(weights)[0]
    segments = groups + count * ops.expand_dims(ops.arange(rows, dtype="int32"), 1)
    sums = ops.segment_sum(ops.reshape(weights, (-1,)), ops.reshape(segments, (-1,)), rows * count)
    return ops.reshape(sums, (rows, count))


def _count(ordered, values, reach):
    """How many of each row, sorted downwards, reach each value; of the power of two in a row, the last never does."""
    count, step = ops.zeros_like(values, dtype="int32"), ordered.shape[1] // 2
    while step:
        probe = ops.take_along_axis(ordered, count + step - 1, axis=1)
        count = count + step * ops.cast(reach(probe, values), "int32")
        step //= 2
    return count


def curve(values: Plane | ArrayMap, counts: Plane, false_positives: Sequence[float] | np.ndarray) -> np.ndarray:
    """The ROC curve of one image, fixated against all pixels: its area is `auc`.

    Args:
        values: The map `(height, width)`, or an `ArrayMap` of it.
        counts: The number of fixations at each pixel, same shape.
        false_positives: The shares of pixels at which the curve is read, in [0, 1].

    Returns:
        The share of fixations among the pixels with the highest values; tied pixels come in evenly. NaN where there
        are no fixations.
    """
    where = np.flatnonzero(counts != 0)
    if len(where) == 0:
        return np.full(len(false_positives), np.nan)
    ranks = values.ranks if isinstance(values, ArrayMap) else Ranks(values.ravel())
    reached, above = 1 - ranks.counts(ranks.sample[where]) / ranks.sample.size
    hits = np.clip((np.asarray(false_positives)[:, None] - above) / (reached - above), 0.0, 1.0)
    return np.average(hits, axis=1, weights=counts.ravel()[where])


def auc_judd(fixations: Maps, prediction: Maps | Map, valid: Maps | None = None) -> Values:
    """The AUC of the MIT benchmark: fixated against unfixated pixels, thresholds at the fixated values only.

    The trapezoids between these thresholds add up to a little more than the exact area. Ties, which the benchmark
    breaks by a jitter of 1e-7, are broken at random here: the value is the mean over all orders of tied pixels. Unlike
    the jitter, that leaves values alone that differ by less than 1e-7.

    Args:
        fixations: As in `auc`; repeats count once.
        prediction: As in `auc`, or a `Map`.
        valid: One inside the image and zero in padding, or None.

    Returns:
        `(batch,)`; 0.5 for a constant map, and where there are no fixated or no unfixated pixels.
    """
    prediction = Map.of(prediction, valid)
    values, (low, high) = prediction.raw, prediction.extremes
    pixels = ops.ones_like(values) if prediction.valid is None else ops.cast(prediction.valid, values.dtype)
    fixated = ops.cast(fixations * pixels > 0, values.dtype)
    unfixated = pixels - fixated
    lowest = ops.min(ops.where(fixated > 0, values, high), (1, 2, 3), keepdims=True)
    tie = ops.cast(values == lowest, values.dtype)
    above, tied, tied_fixated = (
        total(part)[:, 0, 0, 0]
        for part in (unfixated * ops.cast(values > lowest, values.dtype), unfixated * tie, fixated * tie)
    )
    # Unfixated pixels that come before the last of the fixated ones.
    reached = above + tied * tied_fixated / (tied_fixated + 1.0)
    pairs = (total(fixated) * total(unfixated))[:, 0, 0, 0]
    area = auc(fixated, prediction, negatives=unfixated) + reached / ops.where(pairs > 0, 2.0 * pairs, 1.0)
    undefined = ops.logical_or(pairs == 0, (high == low)[:, 0, 0, 0])
    return ops.where(undefined, 0.5, area)


def _steps_of_image(values, fixations, negatives, pool, varies):
    """`auc_by_steps` of one image in NumPy, its map scaled to [0, 1]."""
    drawn = values[fixations > 0], pool if negatives is None else values[negatives > 0]
    if not (varies.all() and all(len(part) for part in drawn)):
        return 0.5
    rounding = _rounding(values)
    hits, alarms = ([np.count_nonzero(part >= t - rounding) for t in THRESHOLDS] for part in drawn)
    return np.trapezoid([0, *hits], [0, *alarms]) / (len(drawn[0]) * len(drawn[1]))


def _rounding(scaled):
    """A value that equals a threshold but for this, such as 153 / 255 and 0.6, reaches it."""
    return 1e-9 if backend.standardize_dtype(scaled.dtype) == "float64" else 1e-6


def auc_by_steps(
    fixations: Maps, prediction: Maps | Map, valid: Maps | None = None, negatives: Maps | None = None
) -> Values:
    """Area under the ROC curve at thresholds 0, 0.1, ..., 1 of the map scaled to [0, 1]: Borji's and the shuffled AUC.

    The mean over infinitely many splits of the MIT benchmark, of which each draws as many negatives as there are
    fixated pixels. 0.5 for a constant map, and where there are no fixations or no negatives.

    Args:
        fixations: As in `auc`; repeats count once.
        prediction: A map or `Map`; the thresholds make its scale matter.
        valid: As in `auc`.
        negatives: Where the negatives are drawn from: None for every pixel (Borji), or pixels that are fixated in other
            images (shuffled); repeats count once.
    """
    prediction = Map.of(prediction, valid)
    peak = ops.max(_whole(prediction).stretched, (1, 2, 3), keepdims=True)
    scaled = prediction.stretched / peak
    if isinstance(scaled, np.ndarray) and prediction.valid is None:
        pool = scaled if negatives is not None else _whole(prediction).stretched / peak
        low, high = prediction.extremes
        images = enumerate(_images(scaled, fixations, negatives))
        areas = [
            _steps_of_image(part, hit, drawn, pool[i].ravel(), high[i] > low[i]) for i, (part, hit, drawn) in images
        ]
        return np.array(areas) + _unless_nan(prediction.raw, None)
    pixels = ops.ones_like(scaled) if prediction.valid is None else ops.cast(prediction.valid > 0, scaled.dtype)
    negatives = pixels if negatives is None else negatives
    once = [ops.cast(part * pixels > 0, scaled.dtype) for part in (fixations, negatives)]
    area = 0.0
    before: Sequence[Values] = (0.0, 0.0)
    for threshold in THRESHOLDS:
        reached = ops.cast(scaled >= threshold - _rounding(scaled), scaled.dtype)
        now = [total(part * reached)[:, 0, 0, 0] for part in once]
        area = area + (now[0] + before[0]) * (now[1] - before[1]) / 2
        before = now
    pairs = before[0] * before[1]  # all reach zero
    low, high = prediction.extremes
    defined = ops.logical_and(pairs > 0, (high > low)[:, 0, 0, 0])
    area = ops.where(defined, area / ops.where(pairs > 0, pairs, 1.0), 0.5)
    return area + _unless_nan(prediction.raw, prediction.valid)
