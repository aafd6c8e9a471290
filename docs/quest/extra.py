"""What the study asks of some of its cells only: few images, perceptual terms, the whole network, five seeds."""

import functools

import numpy as np
import outcome
from outcome import BOTH, METRICS, NAMES, RESULTS, STUDY

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


def interval(values: dict[int, np.ndarray]) -> tuple[float, float, float]:
    """The mean over images and seeds, and the ends of its interval."""
    each = np.array([values[seed] for seed in sorted(values)])
    found = analysis.difference(each, np.zeros_like(each))
    return found["mean"], found["low"], found["high"]


def perceptual() -> list[tuple[str, str, list[int], float]]:
    """For each combination with a perceptual term and the same without: the verdict in each score, uncorrected, and how
    many times as long an epoch takes.
    """
    finals = outcome.finals_by_row()
    rows = []
    for loss in NAMES["PERCEPTUAL"]:
        bare = " + ".join(term for term in loss.split(" + ") if term not in ("deep_features", "gram"))
        both = [finals.get((name, *FIRST)) for name in (loss, bare)]
        if all(both):
            times = [np.mean([RESULTS[cell.key]["seconds"]["training"] for cell in cells]) for cells in both]
            rows.append(
                (
                    loss,
                    bare,
                    [outcome.compare(loss, bare, FIRST, *score).verdict for score in BOTH],
                    times[0] / times[1],
                )
            )
    return rows


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
