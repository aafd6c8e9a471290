"""Slow float64 versions of every measure for one image, written from the definitions, independent of the package."""

import numpy as np


def density(values):
    values = np.asarray(values, "float64")
    if values.min() < 0:
        values = values - values.min()
    return values / values.sum() if values.sum() > 0 else np.full(values.shape, 1 / values.size)


def log_density(logits):
    logits = np.asarray(logits, "float64")
    shifted = logits - logits.max()
    return shifted - np.log(np.sum(np.exp(shifted)))


def fixated(fixations):
    """The pixel of each fixation, repeats repeated."""
    return [pixel for pixel, count in np.ndenumerate(fixations) for _ in range(int(count))]


def kld(truth, prediction, epsilon=1e-7):
    s, p = density(truth), density(prediction)
    return sum(a * np.log(epsilon + a / (b + epsilon)) for a, b in zip(s.ravel(), p.ravel(), strict=True))


def cc(truth, prediction):
    if np.ptp(truth) == 0 or np.ptp(prediction) == 0:
        return 0.0
    return np.corrcoef(np.ravel(truth).astype("float64"), np.ravel(prediction).astype("float64"))[0, 1]


def sim(truth, prediction):
    return sum(min(a, b) for a, b in zip(density(truth).ravel(), density(prediction).ravel(), strict=True))


def nss(fixations, prediction):
    prediction = np.asarray(prediction, "float64")
    if np.ptp(prediction) == 0 or not fixated(fixations):
        return 0.0
    return np.mean([(prediction[pixel] - prediction.mean()) / prediction.std() for pixel in fixated(fixations)])


def nll(fixations, log_p):
    return -np.mean([log_p[pixel] for pixel in fixated(fixations)]) if fixated(fixations) else 0.0


def ig(fixations, log_p, log_baseline):
    if not fixated(fixations):
        return 0.0
    return np.mean([(log_p[pixel] - log_baseline[pixel]) / np.log(2) for pixel in fixated(fixations)])


def auc(fixations, prediction):
    """The probability that a fixated pixel has a higher value than a pixel drawn from all, ties one half."""
    if not fixated(fixations):
        return 0.5
    wins = [np.mean((prediction < prediction[p]) + 0.5 * (prediction == prediction[p])) for p in fixated(fixations)]
    return np.mean(wins)


def mse(truth, prediction):
    return np.mean((np.asarray(truth, "float64") - np.asarray(prediction, "float64")) ** 2)
