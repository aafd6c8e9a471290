"""Slow float64 versions of the metrics of the MIT saliency benchmark for one image, written from its MATLAB code.

Maps are `(height, width)`; `fixations` and `other` hold counts, of which repeats at a pixel count once. As in MATLAB a
constant map gives NaN wherever it is to be stretched from zero to one or standardised.
"""

import numpy as np
from scipy.optimize import linprog

EPSILON = 2.2204e-16


def stretched(values):
    """From zero to one."""
    values = np.asarray(values, "float64")
    with np.errstate(invalid="ignore"):
        return (values - values.min()) / np.ptp(values)


def summed(values):
    """Divided by the sum; a map of zeros stays one."""
    values = np.asarray(values, "float64")
    return values / values.sum() if values.any() else values


def area(true_positives, false_positives):
    """The trapezoids under the points, (0, 0) and (1, 1) added at the ends."""
    tp, fp = [0, *true_positives, 1], [0, *false_positives, 1]
    return sum((fp[i + 1] - fp[i]) * (tp[i + 1] + tp[i]) / 2 for i in range(len(tp) - 1))


def auc_judd(saliency, fixations, rng=None):
    """AUC_Judd.m: a threshold at each fixated value; jittered by up to 1e-7 if a generator is given."""
    saliency = np.asarray(saliency, "float64")
    if rng is not None:
        saliency = saliency + 1e-7 * rng.random(saliency.shape)
    saliency = stretched(saliency)
    thresholds = np.sort(saliency[fixations > 0])[::-1]
    count = len(thresholds)
    tp = [i / count for i in range(1, count + 1)]
    fp = [(np.sum(saliency >= t) - i) / (saliency.size - count) for i, t in enumerate(thresholds, 1)]
    return area(tp, fp)


def area_in_steps(positives, negatives, step):
    """With thresholds at 0, step, 2 step, ... up to the largest of all values.

    A value that equals a threshold but for rounding, as 153 / 255 and 6 * 0.1, reaches it; in MATLAB some do.
    """
    steps = int(np.floor(max(positives.max(), negatives.max()) / step * (1 + 1e-12)))
    thresholds = [i * step - 1e-9 for i in range(steps, -1, -1)]
    return area([np.mean(positives >= t) for t in thresholds], [np.mean(negatives >= t) for t in thresholds])


def auc_borji(saliency, fixations, rng, splits=100, step=0.1):
    """AUC_Borji.m: the mean over splits, each with as many random pixels, repeats allowed, as are fixated."""
    saliency = stretched(saliency)
    positives = saliency[fixations > 0]
    draws = rng.integers(saliency.size, size=(splits, len(positives)))
    return np.mean([area_in_steps(positives, saliency.ravel()[draw], step) for draw in draws])


def auc_shuffled(saliency, fixations, other, rng, splits=100, step=0.1):
    """AUC_shuffled.m: the mean over splits, each with as many of the pixels fixated in other images, if there are."""
    saliency = stretched(saliency)
    positives, candidates = saliency[fixations > 0], saliency[other > 0]
    count = min(len(positives), len(candidates))
    draws = [rng.permutation(candidates)[:count] for _ in range(splits)]
    return np.mean([area_in_steps(positives, draw, step) for draw in draws])


def nss(saliency, fixations):
    saliency = np.asarray(saliency, "float64")
    with np.errstate(invalid="ignore"):
        return np.mean(((saliency - saliency.mean()) / saliency.std(ddof=1))[fixations > 0])


def cc(saliency, density):
    if np.ptp(saliency) == 0 or np.ptp(density) == 0:
        return np.nan
    return np.corrcoef(np.ravel(saliency), np.ravel(density))[0, 1]


def similarity(saliency, density):
    """A map of zeros stays one, and is similar to nothing."""
    pair = [
        summed(stretched(values)) if np.any(values) else np.zeros(np.shape(values)) for values in (saliency, density)
    ]
    return np.sum(np.minimum(*pair))


def kldiv(saliency, density):
    p, g = summed(saliency), summed(density)
    return np.sum(g * np.log(EPSILON + g / (p + EPSILON)))


def info_gain(saliency, fixations, baseline):
    p, b = summed(stretched(saliency)), summed(stretched(baseline))
    return np.mean((np.log2(EPSILON + p) - np.log2(EPSILON + b))[fixations > 0])


def emd(saliency, density):
    """The least work, in pixels, that turns one map into the other, as a linear program: for tiny maps.

    Without the histogram matching that EMD.m does before.
    """
    p, g = summed(saliency).ravel(), summed(density).ravel()
    points = np.argwhere(np.ones(np.shape(saliency)))
    distances = np.linalg.norm(points[:, None] - points, axis=-1)
    # The flow is a matrix: its rows sum to p and its columns to g. One of these sums follows from the others.
    one, each = np.ones((1, p.size)), np.eye(p.size)
    sums = np.concatenate([np.kron(each, one), np.kron(one, each)])[:-1]
    return linprog(distances.ravel(), A_eq=sums, b_eq=np.concatenate([p, g])[:-1]).fun


def fourier_blur(counts, fc=8):
    """antonioGaussian.m: a Gaussian whose gain is one half at `fc` cycles per padded image, zeros around the image."""
    height, width = np.shape(counts)
    n = 2
    while n < max(height, width):
        n *= 2
    frequency = np.fft.fftfreq(n, 1 / n)
    s = fc / np.sqrt(np.log(2))
    gain = np.exp(-(frequency[:, None] ** 2 + frequency**2) / s**2)
    return np.fft.ifft2(np.fft.fft2(counts, (n, n)) * gain).real[:height, :width]
