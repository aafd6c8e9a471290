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
    """Between the two densities with eps added to each pixel, normalised again."""
    s, p = (density(values) + epsilon for values in (truth, prediction))
    s, p = s / s.sum(), p / p.sum()
    return sum(a * np.log(a / b) for a, b in zip(s.ravel(), p.ravel(), strict=True))


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


def sauc(fixations, prediction, others):
    """The same with a pixel drawn from the fixations of other images, repeats repeated."""
    negatives = np.array([prediction[pixel] for pixel in fixated(others)])
    wins = [np.mean((negatives < prediction[p]) + 0.5 * (negatives == prediction[p])) for p in fixated(fixations)]
    return np.mean(wins)


def differences(truth, prediction):
    """The differences of all pixels as they are, in float64."""
    return [float(b) - float(a) for a, b in zip(np.ravel(truth), np.ravel(prediction), strict=True)]


def mse(truth, prediction):
    return np.mean([d**2 for d in differences(truth, prediction)])


def ae(truth, prediction):
    return np.mean([abs(d) for d in differences(truth, prediction)])


def ead(truth, prediction):
    return np.mean([np.expm1(abs(d)) for d in differences(truth, prediction)])


def peaked(values):
    values = np.asarray(values, "float64") - min(np.min(values), 0.0)
    return values / values.max() if values.max() > 0 else values


def wmse(truth, prediction, alpha=1.1):
    truth = np.ravel(truth).astype("float64") / max(np.max(truth), 1.0)
    return np.mean([(p - s) ** 2 / (alpha - s) for s, p in zip(truth, peaked(prediction).ravel(), strict=True)])


def cross_entropy(truth, prediction, salient=1.0, empty=1.0, gamma=0.0):
    """Pixel by pixel, the probabilities 2^-23 or more away from zero and one."""
    truth = np.asarray(truth, "float64") / max(np.max(truth), 1.0)
    values = []
    for s, p in zip(truth.ravel(), np.ravel(prediction).astype("float64"), strict=True):
        p = min(max(p, 2.0**-23), 1 - 2.0**-23)
        values.append(-salient * (1 - p) ** gamma * s * np.log(p) - empty * p**gamma * (1 - s) * np.log(1 - p))
    return np.mean(values)


def bhattacharyya(truth, prediction, epsilon=1e-16):
    s, p = density(truth) + epsilon, density(prediction) + epsilon
    return -np.log(sum(np.sqrt(s / s.sum() * p / p.sum()).ravel()))


def total_variation(truth, prediction):
    return 0.5 * sum(abs(density(truth) - density(prediction)).ravel())


def cosine(truth, prediction):
    s, p = density(truth).ravel(), density(prediction).ravel()
    return 1 - s @ p / np.linalg.norm(s) / np.linalg.norm(p)


def chi2(truth, prediction, epsilon=1e-7):
    """sum s^2 / p - 1, written as the sum of the squared differences, with eps in the denominator."""
    s, p = density(truth).ravel(), density(prediction).ravel()
    return sum((a - b) ** 2 / (b + epsilon) for a, b in zip(s, p, strict=True))


def reverse_kld(truth, prediction):
    return kld(prediction, truth)


def sfne(truth, fixations, prediction):
    """Over the fixations, and over what has none and no more density than the mean."""
    z_truth, z = ((values - values.mean()) / (values.std() or 1.0) for values in map(np.float64, (truth, prediction)))
    empty = [pixel for pixel in np.ndindex(z.shape) if not fixations[pixel] and z_truth[pixel] <= 0]
    return sum(np.mean([(z[p] - z_truth[p]) ** 2 for p in pixels]) for pixels in (fixated(fixations), empty) if pixels)


def sinkhorn(truth, prediction, blur=0.1):
    """Debiased entropic transport from every pixel to every other, solved until nothing changes."""
    places = np.indices(np.shape(truth)).reshape(2, -1).T / np.hypot(*np.shape(truth))
    work, epsilon = ((places[:, None] - places) ** 2).sum(-1) / 2, blur**2
    kernel = np.exp(-work / epsilon)

    def potentials(a, b):
        u, v = np.ones(len(a)), np.ones(len(b))
        for _ in range(20_000):
            before, u = u, 1 / (kernel @ (b * v))
            v = 1 / (kernel @ (a * u))
            if np.allclose(u, before, rtol=1e-13, atol=0):
                break
        return epsilon * np.log(u), epsilon * np.log(v)

    s, p = density(truth).ravel(), density(prediction).ravel()
    of_s, of_p = potentials(s, p)
    return s @ of_s + p @ of_p - sum(a @ sum(potentials(a, a)) / 2 for a in (s, p))


def softmax(values):
    return np.exp(log_density(values))


def softmax_l1(truth, prediction):
    return sum(abs(softmax(truth) - softmax(prediction)).ravel())


def softmax_l2(truth, prediction):
    return np.linalg.norm((softmax(truth) - softmax(prediction)).ravel())


def feature_distance(truth, prediction):
    """Of lists of features `(height, width, channels)`."""
    return sum(np.sum((s - p) ** 2) / s.size for s, p in zip(truth, prediction, strict=True))


def gram_distance(truth, prediction):
    def gram(features):
        return np.einsum("ijc,ijd->cd", features, features) / features.size

    return sum(np.sum((gram(s) - gram(p)) ** 2) for s, p in zip(truth, prediction, strict=True))
