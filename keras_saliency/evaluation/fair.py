"""Fair scores of a predicted density: each metric is given the map that is best for it.

A model that predicts a density says everything about fixations; which map to derive from it depends on the metric. One
map for all cannot be best on all. Source: Kümmerer, Wallis & Bethge (2018), "Saliency Benchmarking Made Easy:
Separating Models, Maps and Metrics".
"""

from collections.abc import Mapping

import cv2
import numpy as np

from keras_saliency.evaluation.scoring import Truth, score
from keras_saliency.formulas.array_map import ArrayMap, exponential
from keras_saliency.formulas.ground_truth import BLURS
from keras_saliency.formulas.types import Plane

SAMPLES = 100  # of the fixations of an image, for SIM
GRAIN = 4.0  # pixels of the grid for SIM in the standard deviation of the blur: nothing finer is left by the blur


def fair_maps(
    log_density: Plane,
    log_baseline: Plane,
    sigma: float,
    fixations: float,
    convention: str = "tuebingen",
    seed: int = 0,
) -> dict[str, ArrayMap]:
    """The maps that suit each metric best, if fixations follow the density.

    - `sauc`: the density divided by the centre bias, where the negatives are.
    - `cc`, `kld`, `emd`: the density blurred as the ground truth will be, the mean of the maps to be expected. That is
      optimal for KLD and very nearly for CC; for EMD, of which no optimum is known, it is the natural choice.
    - `sim`: at each pixel the same quantile of sampled ground truths, that one for which the map sums to one. There the
      derivative of the expected SIM, the probability that a ground truth is higher, is the same everywhere: it is the
      optimum for these samples.

    AUC, NSS, IG and the log-likelihood suits the density itself.

    Args:
        log_density: The predicted log-density `(height, width)`.
        log_baseline: The log-density of the centre bias.
        sigma: The standard deviation of the ground-truth blur in pixels.
        fixations: The number of fixations to be expected on an image.
        convention: Whose blur the ground truth has.
        seed: Of the samples for SIM.

    Returns:
        A dictionary from metric to a map `(height, width)`, the same one where one suits several.
    """
    density = exponential(log_density)
    ratio = log_density - log_baseline
    blurred = ArrayMap(BLURS[convention][0](density, sigma))
    return {
        "sauc": ArrayMap(exponential(ratio - ratio.max())),
        "cc": blurred,
        "kld": blurred,
        "emd": blurred,
        "sim": ArrayMap(_sim_map(density, sigma, fixations, convention, np.random.default_rng(seed))),
    }


def fair_score(
    raw: Mapping[str, float], maps: Mapping[str, ArrayMap], truth: Truth, convention: str = "tuebingen"
) -> dict[str, float]:
    """The scores of a log-density, each of the map that suits its metric best.

    Args:
        raw: What `score` gives for the log-density.
        maps: From `fair_maps`.
        truth: As in `score`.
        convention: As in `score`.
    """
    suited = [name for name in raw if name in maps]
    return dict(raw) | {name: score(maps[name], truth, False, convention, [name])[name] for name in suited}


# The standard deviation of the blur; that of `mit` is a 42nd of the longer side or more. Here it is a power of two, so
# that a map and its padding shrink by the same factor.
_SIGMA = {"tuebingen": lambda sigma, side: sigma, "mit": lambda sigma, side: 2.0 ** np.floor(np.log2(side / 42))}


def _sim_map(density, sigma, fixations, convention, rng):
    height, width = density.shape
    shrink = max(1.0, _SIGMA[convention](sigma, max(density.shape)) / GRAIN)
    small = cv2.resize(density, (round(width / shrink), round(height / shrink)), interpolation=cv2.INTER_AREA)
    cumulative = np.cumsum(small)
    drawn = np.searchsorted(cumulative, rng.random((SAMPLES, round(fixations))) * cumulative[-1])
    # The samples of a pixel side by side: they are sorted.
    cells = drawn * SAMPLES + np.arange(SAMPLES)[:, None]
    counts = np.bincount(cells.ravel(), minlength=SAMPLES * small.size).astype("float32")
    truths = BLURS[convention][0](counts.reshape(*small.shape, SAMPLES), sigma / shrink)
    truths /= truths.sum((0, 1), "float64")
    truths.sort(-1)
    # Between two order statistics the quantile is linear, and so is its sum.
    sums = truths.sum((0, 1), "float64")
    upper = int(np.clip(np.searchsorted(sums, 1.0), 1, SAMPLES - 1))
    share = np.clip((1.0 - sums[upper - 1]) / max(sums[upper] - sums[upper - 1], 1e-12), 0.0, 1.0)
    quantile = truths[..., upper - 1] + share * (truths[..., upper] - truths[..., upper - 1])
    return np.maximum(cv2.resize(quantile, (width, height), interpolation=cv2.INTER_LINEAR), 0.0)
