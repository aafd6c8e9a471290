"""Every formula of the package, once: pure functions from maps `(batch, height, width, 1)` to values `(batch,)`.

They run in float32 whatever the dtype policy (in float64 where that is what they are given) and have a defined
value and a finite gradient for every finite input; NaN stays NaN. `valid` is one inside the image and zero in
padding, or None; padding never counts. Sources: Bylinskii et al. (2019), "What do different evaluation metrics tell us
about saliency models?"; Kümmerer, Wallis & Bethge (2015, 2018); Bruckert et al. (2021).
"""

import math

import numpy as np
from keras import ops

from keras_saliency.maps import standardize, to_density, total

KLD_EPSILON = 1e-7  # of the loss: SAM, MSI-Net
KLD_METRIC_EPSILON = 2.2204e-16  # of the metric: the MIT benchmark, pysaliency


def _per_image(maps, valid=None):
    return total(maps, valid)[:, 0, 0, 0]


def _mean(maps, valid):
    count = _per_image(ops.ones_like(maps), valid)
    return _per_image(maps, valid) / ops.maximum(count, 1.0)


def at_fixations(fixations, maps, valid=None):
    """Averages a map over the fixations of its image, repeats included; zero if there are none."""
    count = _per_image(fixations, valid)
    return _per_image(fixations * maps, valid) / ops.where(count > 0, count, 1.0)


def mse(density, prediction, valid=None):
    """Mean squared difference of the two maps as they are, without normalisation."""
    return _mean(ops.square(prediction - density), valid)


def kld(density, prediction, valid=None, epsilon=KLD_EPSILON):
    """Kullback-Leibler divergence of the prediction from the density, in nats: sum s log(eps + s / (p + eps)).

    Zero for equal maps, up to eps; an all-zero map is read as uniform.
    """
    s, p = to_density(density, valid), to_density(prediction, valid)
    return _per_image(s * ops.log(epsilon + s / (p + epsilon)))


def cc(density, prediction, valid=None):
    """Pearson's correlation of the two maps, in [-1, 1]; zero if either is constant."""
    return _mean(standardize(density, valid) * standardize(prediction, valid), valid)


def sim(density, prediction, valid=None):
    """Similarity, the intersection of the two densities, in [0, 1]."""
    return _per_image(ops.minimum(to_density(density, valid), to_density(prediction, valid)))


def nss(fixations, prediction, valid=None):
    """Normalised scanpath saliency: the standardised prediction at the fixations; zero for a constant map."""
    return at_fixations(fixations, standardize(prediction, valid), valid)


def nll(fixations, log_density, valid=None):
    """Negative mean log-likelihood of the fixations under a normalised log-density, in nats per fixation."""
    return -at_fixations(fixations, log_density, valid)


def ig(fixations, log_density, log_baseline, valid=None):
    """Information gain over a baseline, both normalised log-densities, in bits per fixation."""
    return at_fixations(fixations, log_density - log_baseline, valid) / math.log(2.0)


def auc(fixations, prediction, valid=None):
    """Area under the ROC curve of fixated against all pixels, exact, ties counting one half.

    Every fixation is a positive, repeats included, and every valid pixel a negative (the Tübingen convention).
    0.5 for a constant map and for an image without fixations. It has no gradient.
    """
    pixels = ops.ones_like(prediction) if valid is None else ops.cast(valid, prediction.dtype)
    flat = [ops.reshape(part, (ops.shape(part)[0], -1)) for part in (prediction, fixations * pixels, pixels)]
    order = ops.argsort(flat[0], axis=1)
    values, positives, negatives = (ops.take_along_axis(part, order, axis=1) for part in flat)
    # Equal values share a group, numbered within the row: a group is one step of the ROC curve.
    starts = ops.pad(ops.cast(values[:, 1:] != values[:, :-1], "int32"), ((0, 0), (1, 0)))
    images, size = ops.shape(values)
    groups = ops.cumsum(starts, axis=1) + size * ops.expand_dims(ops.arange(images, dtype="int32"), 1)
    positives, negatives = (
        ops.reshape(
            ops.segment_sum(ops.reshape(part, (-1,)), ops.reshape(groups, (-1,)), images * size), (images, size)
        )
        for part in (positives, negatives)
    )
    below = (ops.cumsum(negatives, axis=1) - negatives / 2) / ops.maximum(ops.sum(negatives, 1, keepdims=True), 1.0)
    count = ops.sum(positives, axis=1)
    area = ops.where(count > 0, ops.sum(positives * below, axis=1) / ops.where(count > 0, count, 1.0), 0.5)
    masked = prediction if valid is None else ops.where(valid > 0, prediction, 0.0)
    return ops.where(ops.isnan(_per_image(masked)), float("nan"), area)


def auc_of_image(fixated, pixels):
    """`auc` of one image in NumPy, for evaluation: NumPy sorts a map many times faster than TensorFlow.

    Args:
        fixated: The prediction at each fixation, `(fixations,)`.
        pixels: The prediction at every pixel.
    """
    ordered = np.sort(pixels, axis=None)
    ranks = np.searchsorted(ordered, fixated, "left") + np.searchsorted(ordered, fixated, "right")
    return float(np.mean(ranks) / (2 * ordered.size))
