"""How much observers agree: each is predicted from the others."""

from collections.abc import Iterable

import numpy as np

from keras_saliency.data.samples import Sample
from keras_saliency.formulas.ground_truth import gaussian_blur
from keras_saliency.formulas.types import Values

BLUR = 3.0  # pixels; a finer map would say the same


def agreement(samples: Iterable[Sample]) -> Values:
    """The NSS of each observer's fixations in the blurred fixations of the others, the mean of each image.

    No parameter is fitted: it is lower than the NSS of the gold standard, and only for a look at the data. Maps are
    made as small as a blur of three pixels allows.

    Args:
        samples: The images; those that one observer alone has seen take no part.

    Returns:
        A value for each image that two observers and more have seen.
    """
    found = [_of_image(sample) for sample in samples if len(np.unique(sample.fixations.observer)) > 1]
    return np.array([value for value in found if np.isfinite(value)])


def _of_image(sample):
    fixations = sample.fixations
    scale = min(1.0, BLUR / sample.sigma)
    size = [max(1, round(scale * side)) for side in sample.size]
    at = [
        np.minimum((axis / side * small).astype("int64"), small - 1)
        for axis, side, small in zip((fixations.y, fixations.x), sample.size, size, strict=True)
    ]
    observers, number = np.unique(fixations.observer, return_inverse=True)
    counts = np.zeros((len(observers), *size))
    np.add.at(counts, (number, *at), 1.0)
    blurred = np.stack([gaussian_blur(own, scale * sample.sigma) for own in counts])
    others = blurred.sum(0) - blurred
    mean, deviation = (function(others, axis=(1, 2)) for function in (np.mean, np.std))
    values = (others[(number, *at)] - mean[number]) / deviation[number]
    return np.mean([values[number == i].mean() for i in range(len(observers))])
