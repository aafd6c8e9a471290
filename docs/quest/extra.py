"""What the study asks of some of its cells only: few images, perceptual terms, the whole network, five seeds."""

import functools

import comparing
import numpy as np
import outcome
from outcome import METRICS, NAMES, RESULTS, STUDY

from keras_saliency.quest import analysis

FIRST = outcome.SETTINGS[0]
ALL = 500
CELLS = STUDY.cells(RESULTS)[0]
Rows = dict[str, dict[int, np.ndarray]]  # from loss and seed to the values of images, more is better


@functools.cache
def with_few(metric: str, kind: str = "raw") -> dict[int, Rows]:
    """The losses of FEW by the number of training images, on OSIE with the first network."""
    whole = outcome.scores(metric, kind)
    found: dict[int, Rows] = {ALL: {loss: values for (loss, *where), values in whole.items() if (*where,) == FIRST}}
    for few in {cell.recipe.images for cell in CELLS if cell.recipe.images}:
        found[few] = _rows((cell for cell in CELLS if cell.recipe.images == few), metric, kind)
    return {
        images: {loss: rows[loss] for loss in NAMES["FEW"] if loss in rows} for images, rows in sorted(found.items())
    }


def alone(values: dict[int, np.ndarray]) -> comparing.Comparison:
    """The mean over images and seeds, with its interval."""
    return comparing.difference(values, {seed: np.zeros_like(each) for seed, each in values.items()})


def perceptual() -> list[tuple[tuple[str, str], float]]:
    """The combinations with a perceptual term, each with the same without, as far as both are there, and how many times
    as long training takes.
    """
    rows = []
    for loss in NAMES["PERCEPTUAL"]:
        bare = " + ".join(term for term in loss.split(" + ") if term not in ("deep_features", "gram"))
        both = [_at_rate(name, FIRST, NAMES["PERCEPTUAL_RATE"]) for name in (loss, bare)]
        if all(both):
            times = [np.mean([RESULTS[cell.key]["seconds"]["training"] for cell in cells]) for cells in both]
            rows.append(((loss, bare), times[0] / times[1]))
    return rows


def at_rate(
    loss: str,
    metric: str,
    kind: str = "raw",
    setting: outcome.Setting = FIRST,
    rate: float = NAMES["PERCEPTUAL_RATE"],
    split: str = "test",
) -> dict[int, np.ndarray]:
    """A loss with one learning rate, that of the perceptual ones if no other is named, by the seeds that all have; what
    broke is replaced.
    """
    return _rows(_at_rate(loss, setting, rate), metric, kind, split).get(loss, {})


def _at_rate(loss, setting, rate):
    """The cells of a loss with a rate that have scores."""
    cells = (outcome.at_rate().get((loss, *setting, seed, rate)) for seed in outcome.SEEDS)
    found = [cell for cell in cells if cell and "scores" in RESULTS.get(cell.key, {})]
    return [(outcome.again(cell) if outcome.is_broken(cell) else None) or cell for cell in found]


@functools.cache
def whole(data: str, metric: str, kind: str = "raw") -> Rows:
    """The losses with which the whole network was trained, too, with the first network on a data set."""
    where = (FIRST[0], data)
    return _rows((c for c in CELLS if c.recipe.start and (c.model, c.data) == where), metric, kind)


def _rows(cells, metric, kind, split="test"):
    """The values of those cells that have scores."""
    found: Rows = {}
    for cell in cells:
        result = RESULTS.get(cell.key, {})
        if "scores" in result:
            values = METRICS[metric][1] * analysis.values_of(result, metric, kind, split)
            found.setdefault(cell.loss, {})[cell.recipe.seed] = values
    return found
