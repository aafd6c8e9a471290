"""What the results of a study say: differences with intervals over images and seeds, ranks, and shares of variance."""

import functools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import scipy.stats

from keras_saliency.quest.study import Study

# Draws of images, and of seeds with each of them: p-values that are to bear a correction need many. Intervals do not.
IMAGE_DRAWS, SEED_DRAWS = 10_000, 20
LEVEL = 0.95

Scores = dict[tuple[str, str, str], dict[int, np.ndarray]]


def scores(
    study: Study, results: Mapping[str, Mapping[str, Any]], metric: str, kind: str = "raw", split: str = "test"
) -> Scores:
    """The scores of the cells that are compared, those at the best rates, of every image.

    Args:
        study: The study.
        results: Its results, by the keys of cells.
        metric: Which metric.
        kind: `"raw"`, or `"fair"` of the metrics that have maps of their own; the others have the raw scores in both.
        split: `"validation"` or `"test"`.

    Returns:
        From loss, model and data set to the values of all images, `(images,)`, for each seed. Cells without a result
        and those that failed are missing.
    """
    found: Scores = {}
    for cell in study.finals(results):
        result = results.get(cell.key, {})
        if "scores" in result:
            values = values_of(result, metric, kind, split)
            found.setdefault((cell.loss, cell.model, cell.data), {})[cell.recipe.seed] = values
    return found


def values_of(result: Mapping[str, Any], metric: str, kind: str = "raw", split: str = "test") -> np.ndarray:
    """The values of all images in the result of a cell; see `scores`."""
    both = result["scores"][split]
    return np.array(both[kind].get(metric, both["raw"][metric]))


def paired(*losses: Mapping[int, np.ndarray]) -> list[np.ndarray]:
    """The values of several losses by the seeds that all of them have, in order: `(seeds, images)` for each."""
    seeds = sorted(set.intersection(*map(set, losses)))
    return [np.array([values[seed] for seed in seeds]) for values in losses]


def difference(one: np.ndarray, other: np.ndarray, seed: int = 0) -> dict[str, float]:
    """The mean difference of two losses, with an interval over images and seeds.

    Pairs are of one image and one seed, which both losses began with. Images and seeds are drawn with replacement, each
    by itself (the "pigeonhole bootstrap", Owen 2007); with few seeds the interval says what these few differ by, and
    no more.

    Args:
        one: `(seeds, images)`.
        other: The same of another loss.
        seed: Of the resampling.

    Returns:
        `{"mean", "low", "high", "p"}`: the ends of the 95 % interval, of 10,000 resamples, and twice the share of
        200,000 on the other side of zero, at least twice their inverse number.

    Raises:
        ValueError: If both have not the same seeds and images.
    """
    if one.shape != other.shape:
        raise ValueError(f"Two losses are compared by the same seeds and images. Received: {one.shape}, {other.shape}.")
    paired = one - other
    drawn_seeds, drawn_images = _draws(*paired.shape, seed)
    each = drawn_images @ paired.T
    means = (drawn_seeds @ each[..., np.newaxis])[..., 0]
    low, high = np.quantile(means[:, 0], [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    beyond = min(np.mean(means <= 0), np.mean(means >= 0))
    p = min(1.0, 2 * max(beyond, 1 / means.size))
    return {"mean": float(paired.mean()), "low": float(low), "high": float(high), "p": float(p)}


@functools.lru_cache(4)
def _draws(seeds, images, seed):
    """How often each seed and each image is drawn, in shares: then a resampled mean is a product of matrices."""
    rng = np.random.default_rng(seed)
    drawn = (seeds, (IMAGE_DRAWS, SEED_DRAWS)), (images, IMAGE_DRAWS)
    return [rng.multinomial(count, np.full(count, 1 / count), size) / count for count, size in drawn]


def holm(p_values: Sequence[float]) -> list[float]:
    """P-values corrected for their number (Holm 1979): one below 0.05 holds whatever the others are."""
    order, corrected, largest = np.argsort(p_values), np.empty(len(p_values)), 0.0
    for rank, i in enumerate(order):
        largest = max(largest, min(1.0, p_values[i] * (len(p_values) - rank)))
        corrected[i] = largest
    return corrected.tolist()


def mean_ranks(table: np.ndarray) -> tuple[np.ndarray, float, float]:
    """The mean rank of each loss over several comparisons, and how far apart two have to be.

    Args:
        table: A score of each loss in each comparison, such as a metric on a data set, higher is better:
            `(comparisons, losses)`.

    Returns:
        The mean ranks, one for the best; the critical difference of the Nemenyi test at 5 %; and the p-value of the
        Friedman test that all losses are alike (Demsar 2006).
    """
    comparisons, losses = table.shape
    ranks = scipy.stats.rankdata(-table, axis=1).mean(0)
    quantile = scipy.stats.studentized_range.ppf(LEVEL, losses, np.inf) / np.sqrt(2)
    critical = quantile * np.sqrt(losses * (losses + 1) / (6 * comparisons))
    return ranks, float(critical), float(scipy.stats.friedmanchisquare(*table.T).pvalue)


def variance_shares(table: np.ndarray, factors: Sequence[str], drawn: str = "seed") -> dict[str, float]:
    """What share of the variance of the mean scores each factor has by itself, and what is left to several together.

    Args:
        table: A mean score for each combination of the levels of the factors, an axis for each.
        factors: Their names.
        drawn: The factor whose levels are drawn at random. All that changes with it is chance, and its share: what it
            does by itself, and together with others.

    Returns:
        From each factor, and `"together"`, to its share of the sum of squares; they sum to one. Zero for all if there
        is no variance.
    """
    centred = table - table.mean()
    total = float(np.sum(centred**2))
    certain = centred.mean(tuple(i for i, name in enumerate(factors) if name == drawn), keepdims=True)
    squares = {
        name: _squares(certain.mean(tuple(i for i in range(table.ndim) if i != axis), keepdims=True), table.shape)
        for axis, name in enumerate(factors)
        if name != drawn
    }
    known = _squares(certain, table.shape)
    squares |= {"together": known - sum(squares.values()), drawn: total - known}
    return {name: squares[name] / total if total else 0.0 for name in (*factors, "together")}


def _squares(effect, shape):
    return float(np.sum(np.broadcast_to(effect, shape) ** 2))
