"""Every formula of the package, once: pure functions from maps `(batch, height, width, 1)` to values `(batch,)`.

They run on tensors of any backend and on NumPy arrays, in float32 whatever the dtype policy (in float64 where that is
what they are given), and have a defined value and a finite gradient for every finite input; NaN stays NaN. `valid` is
one inside the image and zero in padding, or None; padding never counts. For a map there may stand a
`keras_saliency.formulas.maps.Map`, which brings its own mask, knows whether it is a log-density, and computes once what
several measures need. The areas under ROC curves are in `keras_saliency.formulas.roc`. Sources: Bylinskii et al.
(2019), "What do different evaluation metrics tell us about saliency models?"; Kümmerer, Wallis & Bethge (2015, 2018);
Jetley, Murray & Vig (2016); Bruckert et al. (2021).
"""

import math
from collections.abc import Sequence

import numpy as np

from keras_saliency.formulas.arrays import inner, ops
from keras_saliency.formulas.maps import Map, total
from keras_saliency.formulas.types import Features, Maps, Values

KLD_EPSILON = 1e-7  # of the loss: SAM, MSI-Net
KLD_METRIC_EPSILON = 2.2204e-16  # of the metric: the MIT benchmark, pysaliency
ROOT_GUARD = 1e-16  # added to a probability before its root, whose slope is infinite at zero
# A pixel's probability is kept this far from zero and one: the step of float32 below one, in place of Keras's 1e-7.
CROSS_ENTROPY_EPSILON = 2.0**-23


def _pair(density: Maps | Map, prediction: Maps | Map, valid: Maps | None) -> tuple[Map, Map]:
    return Map.of(density, valid), Map.of(prediction, valid)


def _sum(maps, valid=None):
    return total(maps, valid)[:, 0, 0, 0]


def _mean(maps, like):
    """The mean of maps over the valid pixels of a `Map`."""
    return _sum(maps, like.valid) / like.count


def _between(values, low, high):
    """Values kept between two limits, without a gradient beyond; unlike a clip it keeps NaN under XLA, too."""
    values = ops.where(values < low, low, values)
    return ops.where(values > high, high, values)


def _difference(s, p):
    """Prediction minus density, zero in padding; a log-density is read as its density with the mass of the truth."""
    difference = (p.density * total(s.raw, s.valid) if p.from_logits else p.raw) - s.raw
    return difference if p.valid is None else difference * p.valid


def mse(density: Maps | Map, prediction: Maps | Map, valid: Maps | None = None) -> Values:
    """Mean squared difference of the two maps as they are; one beyond 1e32 counts as that much, without a gradient."""
    s, p = _pair(density, prediction, valid)
    value = _mean(ops.square(_difference(s, p)), p)
    return ops.where(value > 1e32, 1e32, value)


def ae(density: Maps | Map, prediction: Maps | Map, valid: Maps | None = None) -> Values:
    """Mean absolute difference of the two maps as they are."""
    s, p = _pair(density, prediction, valid)
    return _mean(ops.abs(_difference(s, p)), p)


def ead(density: Maps | Map, prediction: Maps | Map, valid: Maps | None = None) -> Values:
    """Mean of exp(|P - S|) - 1; a difference beyond 60 counts as that much, without a gradient.

    For a log-density the exponential goes on as its tangent beyond a difference of one.
    """
    s, p = _pair(density, prediction, valid)
    distance = ops.abs(_difference(s, p))
    limit = 1.0 if p.from_logits else 60.0
    inside = ops.where(distance > limit, limit, distance)
    value = ops.expm1(inside)
    return _mean(value + math.e * (distance - inside) if p.from_logits else value, p)


def wmse(density: Maps | Map, prediction: Maps | Map, valid: Maps | None = None, alpha: float = 1.1) -> Values:
    """Mean of (P / max P - S)^2 / (alpha - S), S in [0, 1]; a truth with a higher peak is divided by it."""
    s, p = _pair(density, prediction, valid)
    return _mean(ops.square(p.peaked - s.bounded) / (alpha - s.bounded), p)


def _cross_entropy(s, p, salient, empty, gamma=0.0):
    """-mean(salient (1 - P)^gamma S ln P + empty P^gamma (1 - S) ln(1 - P)), S and P in [0, 1].

    A log-density is compared as its density with the mass of the truth.
    """
    truth, low, high = s.bounded, CROSS_ENTROPY_EPSILON, 1.0 - CROSS_ENTROPY_EPSILON
    if p.from_logits:
        mass = total(truth, s.valid)
        log_p = p.log_density + ops.log(ops.where(mass > 0, mass, 1.0))
        log_p = _between(log_p, math.log(low), math.log(high))
        outside = -ops.expm1(log_p)
        inside, log_q = 1.0 - outside, ops.log(outside)
    else:
        inside = _between(p.raw, low, high)
        outside = 1.0 - inside
        log_p, log_q = ops.log(inside), ops.log(outside)
    if gamma:
        salient, empty = salient * ops.power(outside, gamma), empty * ops.power(inside, gamma)
    return -_mean(salient * truth * log_p + empty * (1.0 - truth) * log_q, p)


def bce(density: Maps | Map, prediction: Maps | Map, valid: Maps | None = None) -> Values:
    """Mean binary cross-entropy of the pixels, each a probability, in nats."""
    return _cross_entropy(*_pair(density, prediction, valid), 1.0, 1.0)


def wbce(density: Maps | Map, prediction: Maps | Map, valid: Maps | None = None, weight: float = 0.9) -> Values:
    """Mean binary cross-entropy with `weight` on salient and one minus `weight` on empty pixels."""
    return _cross_entropy(*_pair(density, prediction, valid), weight, 1.0 - weight)


def focal(
    density: Maps | Map, prediction: Maps | Map, valid: Maps | None = None, alpha: float = 0.25, gamma: float = 2.0
) -> Values:
    """Mean focal loss: binary cross-entropy in which pixels that are nearly right weigh little."""
    return _cross_entropy(*_pair(density, prediction, valid), alpha, 1.0 - alpha, gamma)


def kld(density: Maps | Map, prediction: Maps | Map, valid: Maps | None = None, epsilon: float = KLD_EPSILON) -> Values:
    """Kullback-Leibler divergence of the prediction from the density, in nats.

    Eps is added to each pixel of both, and both are divided by their sums again, 1 + eps times the number of pixels.
    Zero for equal maps and never negative but for rounding; an all-zero map is read as uniform.
    """
    s, p = _pair(density, prediction, valid)
    smooth = s.density + epsilon
    # Padding is zero in both and adds nothing.
    return _sum(smooth * ops.log(smooth / (p.density + epsilon))) / (1.0 + epsilon * s.count)


def kld_published(
    density: Maps | Map,
    prediction: Maps | Map,
    valid: Maps | None = None,
    by_peak: bool = False,
    sum_epsilon: float = 0.0,
    epsilon: float = KLD_EPSILON,
) -> Values:
    """The divergence as it is published: sum s log(eps + s / (p + eps)).

    On equal maps it is as low as minus eps times the number of pixels.

    Args:
        density: As in `kld`.
        prediction: As in `kld`.
        valid: As in `kld`.
        by_peak: Whether the prediction is divided by its peak before its sum.
        sum_epsilon: Added to the sums by which the maps are divided.
        epsilon: Added inside and outside the quotient.
    """
    s, p = _pair(density, prediction, valid)
    if sum_epsilon:
        truth, map_ = s.positive, p.peaked if by_peak else p.positive
        truth, map_ = truth / (total(truth, s.valid) + sum_epsilon), map_ / (total(map_, p.valid) + sum_epsilon)
    else:
        truth, map_ = s.density, p.density
    # Where the truth is zero in padding, the product is zero, too.
    return inner(truth, ops.log(epsilon + truth / (map_ + epsilon)))


def bhattacharyya(density: Maps | Map, prediction: Maps | Map, valid: Maps | None = None) -> Values:
    """Bhattacharyya distance of the two densities, -ln sum sqrt(s p): zero for equal maps, below 19 for any."""
    s, p = _pair(density, prediction, valid)
    shared = _sum(ops.sqrt((s.density + ROOT_GUARD) * (p.density + ROOT_GUARD)), p.valid)
    distance = -ops.log(ops.where(shared == 0, 1.0, shared / (1.0 + ROOT_GUARD * p.count)))
    return ops.where(distance < 0, 0.0, distance)


def total_variation(density: Maps | Map, prediction: Maps | Map, valid: Maps | None = None) -> Values:
    """Total variation distance of the two densities, half the sum of their absolute differences, in [0, 1]."""
    s, p = _pair(density, prediction, valid)
    return _sum(ops.abs(s.density - p.density)) / 2


def cosine(density: Maps | Map, prediction: Maps | Map, valid: Maps | None = None) -> Values:
    """One minus the cosine of the angle between the two densities, in [0, 1]."""
    s, p = _pair(density, prediction, valid)
    norms = _sum(ops.square(s.density)) * _sum(ops.square(p.density))
    return 1.0 - _sum(s.density * p.density) / ops.sqrt(ops.where(norms == 0, 1.0, norms))


def chi2(
    density: Maps | Map, prediction: Maps | Map, valid: Maps | None = None, epsilon: float = KLD_EPSILON
) -> Values:
    """Chi-squared divergence of the prediction from the density, sum s^2 / p - 1 as sum (s - p)^2 / (p + eps)."""
    s, p = _pair(density, prediction, valid)
    return _sum(ops.square(s.density - p.density) / (p.density + epsilon))


def _softmax_difference(density, prediction, valid):
    s, p = _pair(density, prediction, valid)
    return (s.density if p.from_logits else s.softmax) - p.softmax


def softmax_l1(density: Maps | Map, prediction: Maps | Map, valid: Maps | None = None) -> Values:
    """Sum of the absolute differences of the two maps after a softmax over the image, in [0, 2].

    The softmax of a log-density is its density; it is compared with the density of the truth.
    """
    return _sum(ops.abs(_softmax_difference(density, prediction, valid)))


def softmax_l2(density: Maps | Map, prediction: Maps | Map, valid: Maps | None = None) -> Values:
    """Euclidean distance of the two maps after a softmax over the image, as in `softmax_l1`; at most sqrt(2)."""
    squares = _sum(ops.square(_softmax_difference(density, prediction, valid)))
    # Guarded before the root: its slope is infinite at zero.
    return ops.where(squares == 0, 0.0, ops.sqrt(ops.where(squares == 0, 1.0, squares)))


def cc(density: Maps | Map, prediction: Maps | Map, valid: Maps | None = None) -> Values:
    """Pearson's correlation of the two maps, in [-1, 1]; zero if either is constant."""
    s, p = _pair(density, prediction, valid)
    # Both are zero in padding.
    return inner(s.standardized, p.standardized) / p.count


def sim(density: Maps | Map, prediction: Maps | Map, valid: Maps | None = None) -> Values:
    """Similarity, the intersection of the two densities, in [0, 1]."""
    s, p = _pair(density, prediction, valid)
    # The sum of the smaller values, as both sum to one; equal values have one gradient on every backend.
    return 1.0 - total_variation(s, p)


def sim_published(density: Maps | Map, prediction: Maps | Map, valid: Maps | None = None) -> Values:
    """Similarity as the MIT benchmark computes it: the minimum of each map becomes zero first."""
    s, p = _pair(density, prediction, valid)
    return 1.0 - _sum(ops.abs(s.stretched - p.stretched)) / 2


def nss(fixations: Maps, prediction: Maps | Map, valid: Maps | None = None) -> Values:
    """Normalised scanpath saliency: the standardised prediction at the fixations; zero for a constant map."""
    p = Map.of(prediction, valid)
    return at_fixations(fixations, p.standardized, p.valid)


def nss_published(
    fixations: Maps, prediction: Maps | Map, valid: Maps | None = None, epsilon: float = 0.0, unbiased: bool = False
) -> Values:
    """NSS as it is published, where that differs.

    Args:
        fixations: As in `nss`.
        prediction: As in `nss`.
        valid: As in `nss`.
        epsilon: Added to the standard deviation of the prediction divided by its peak.
        unbiased: Whether the variance is divided by the number of pixels minus one.
    """
    p = Map.of(prediction, valid)
    value = nss(fixations, p)
    if epsilon:
        mean = ops.reshape(_mean(p.peaked, p), (-1, 1, 1, 1))
        variance = _mean(ops.square(p.peaked - mean), p)
        deviation = ops.sqrt(ops.where(variance > 0, variance, 1.0))
        value = value * deviation / (deviation + epsilon)
    if unbiased:
        value = value * ops.sqrt((p.count - 1.0) / p.count)
    return value


def exp_nss(fixations: Maps, prediction: Maps | Map, valid: Maps | None = None) -> Values:
    """exp(-NSS); an NSS below -60 counts as that much, without a gradient."""
    below = -nss(fixations, prediction, valid)
    return ops.exp(ops.where(below > 60.0, 60.0, below))


def sigmoid_nss(fixations: Maps, prediction: Maps | Map, valid: Maps | None = None) -> Values:
    """One minus the logistic function of NSS, in (0, 1)."""
    return ops.sigmoid(-nss(fixations, prediction, valid))


def sfne(density: Maps | Map, fixations: Maps, prediction: Maps | Map, valid: Maps | None = None) -> Values:
    """The squared difference of the standardised maps: its mean at the fixations, plus its mean at what is empty.

    Empty is a pixel without a fixation whose density is not above the mean.
    """
    s, p = _pair(density, prediction, valid)
    squares = ops.square(p.standardized - s.standardized)
    empty = ops.cast(ops.logical_and(fixations == 0, s.standardized <= 0), squares.dtype)
    return at_fixations(fixations, squares, p.valid) + at_fixations(empty, squares, p.valid)


def at_fixations(fixations: Maps, maps: Maps, valid: Maps | None = None) -> Values:
    """Averages a map over the fixations of its image, repeats included; zero if there are none."""
    if isinstance(maps, np.ndarray) and valid is None:
        return np.array([_at_fixations_of_image(*image) for image in zip(fixations, maps, strict=True)])
    count = _sum(fixations, valid)
    return _sum(fixations * maps, valid) / ops.where(count > 0, count, 1.0)


def _at_fixations_of_image(fixations, map_):
    counts = fixations.ravel()
    # A comparison first: NumPy finds what is true many times faster than what is not zero.
    where = np.flatnonzero(counts != 0)
    counts = counts[where]
    return np.sum(counts * map_.ravel()[where]) / counts.sum() if len(where) else np.zeros((), map_.dtype)


def nll(fixations: Maps, log_density: Maps, valid: Maps | None = None) -> Values:
    """Negative mean log-likelihood of the fixations under a normalised log-density, in nats per fixation."""
    return -at_fixations(fixations, log_density, valid)


def ig(fixations: Maps, log_density: Maps, log_baseline: Maps, valid: Maps | None = None) -> Values:
    """Information gain over a baseline, both normalised log-densities, in bits per fixation."""
    if isinstance(log_density, np.ndarray):
        # In double precision the two means may be subtracted, and only the fixated pixels are looked at.
        gain = at_fixations(fixations, log_density, valid) - at_fixations(fixations, log_baseline, valid)
    else:
        gain = at_fixations(fixations, log_density - log_baseline, valid)
    return gain / math.log(2.0)


def ig_published(
    fixations: Maps,
    prediction: Maps | Map,
    baseline: Maps | Map,
    valid: Maps | None = None,
    epsilon: float = KLD_METRIC_EPSILON,
) -> Values:
    """Information gain as the MIT benchmark computes it, in bits: maps, the minimum of each at zero, eps added."""
    p, b = _pair(prediction, baseline, valid)
    gain = ops.log(p.stretched + epsilon) - ops.log(b.stretched + epsilon)
    return at_fixations(fixations, gain, p.valid) / math.log(2.0)


def feature_distance(truth: Sequence[Features], prediction: Sequence[Features]) -> Values:
    """Perceptual distance: the mean squared difference of two feature maps of each level, summed over the levels.

    Args:
        truth: A list of features `(batch, height, width, channels)`, one for each level.
        prediction: The same of the prediction.
    """
    return sum(ops.mean(ops.square(s - p), (1, 2, 3)) for s, p in zip(truth, prediction, strict=True))


def gram_distance(truth: Sequence[Features], prediction: Sequence[Features]) -> Values:
    """Style distance: the squared Frobenius distance of the Gram matrices of each level, summed over the levels.

    A Gram matrix is the product of all pairs of channels, summed over the pixels and divided by the number of values.
    """

    def gram(features):
        _, height, width, channels = ops.shape(features)
        flat = ops.reshape(features, (-1, height * width, channels))
        return ops.matmul(ops.transpose(flat, (0, 2, 1)), flat) / ops.cast(height * width * channels, flat.dtype)

    return sum(ops.sum(ops.square(gram(s) - gram(p)), (1, 2)) for s, p in zip(truth, prediction, strict=True))
