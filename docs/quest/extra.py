"""What the study asks of some of its cells only: few images, perceptual terms, the whole network, five seeds."""

import functools

import numpy as np
import outcome
from outcome import METRICS, NAMES, RESULTS, STUDY

from keras_saliency.quest import analysis

FIRST = outcome.SETTINGS[0]
ALL = 500
Rows = dict[str, dict[int, np.ndarray]]  # from loss and seed to the values of images, more is better


@functools.cache
def with_few(metric: str, kind: str = "raw") -> dict[int, Rows]:
    """The losses of FEW by the number of training images, on OSIE with the first network."""
    whole = outcome.scores(metric, kind)
    found: dict[int, Rows] = {ALL: {loss: values for (loss, *where), values in whole.items() if (*where,) == FIRST}}
    cells = STUDY.cells(RESULTS)[0]
    for few in {cell.recipe.images for cell in cells if cell.recipe.images}:
        found[few] = _rows((cell for cell in cells if cell.recipe.images == few), metric, kind)
    return {
        images: {loss: rows[loss] for loss in NAMES["FEW"] if loss in rows} for images, rows in sorted(found.items())
    }


def alone(values: dict[int, np.ndarray]) -> outcome.Comparison:
    """The mean over images and seeds, with its interval."""
    return outcome.difference(values, {seed: np.zeros_like(each) for seed, each in values.items()})


def perceptual() -> list[tuple[tuple[str, str], float]]:
    """The combinations with a perceptual term, each with the same without, as far as both are there, and how many times
    as long training takes.
    """
    rows = []
    for loss in NAMES["PERCEPTUAL"]:
        bare = " + ".join(term for term in loss.split(" + ") if term not in ("deep_features", "gram"))
        both = [_at_rate(name) for name in (loss, bare)]
        if all(both):
            times = [np.mean([RESULTS[cell.key]["seconds"]["training"] for cell in cells]) for cells in both]
            rows.append(((loss, bare), times[0] / times[1]))
    return rows


def at_rate(loss: str, metric: str, kind: str = "raw") -> dict[int, np.ndarray]:
    """A loss with the learning rate of the perceptual ones, on OSIE with the first network."""
    return _rows(_at_rate(loss), metric, kind).get(loss, {})


@functools.cache
def _at_rate(loss):
    """The cells of a loss with that rate that have scores."""
    return [
        cell
        for cell in STUDY.cells(RESULTS)[0]
        if (cell.loss, cell.model, cell.data) == (loss, *FIRST)
        and cell.recipe.learning_rate == NAMES["PERCEPTUAL_RATE"]
        and not cell.recipe.images
        and not cell.recipe.start
        and "scores" in RESULTS.get(cell.key, {})
    ]


def broken(metric: str, kind: str = "raw") -> Rows:
    """The losses that broke on Scene, with the other rate."""
    again = (
        cell
        for cell in STUDY.cells(RESULTS)[0]
        if cell.loss in NAMES["BROKEN"]
        and (cell.model, cell.data) == outcome.SETTINGS[1]
        and cell.recipe.learning_rate == NAMES["RATES"][0]
    )
    return _rows(again, metric, kind)


@functools.cache
def whole(data: str, metric: str, kind: str = "raw") -> Rows:
    """The losses with which the whole network was trained, too, with the first network on a data set."""
    cells = STUDY.cells(RESULTS)[0]
    return _rows(
        (cell for cell in cells if cell.recipe.start and (cell.model, cell.data) == (FIRST[0], data)), metric, kind
    )


def _rows(cells, metric, kind):
    """The values of those cells that have scores."""
    found: Rows = {}
    for cell in cells:
        result = RESULTS.get(cell.key, {})
        if "scores" in result:
            values = METRICS[metric][1] * analysis.values_of(result, metric, kind)
            found.setdefault(cell.loss, {})[cell.recipe.seed] = values
    return found
