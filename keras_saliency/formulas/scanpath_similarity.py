"""How alike two scanpaths are: MultiMatch, ScanMatch, sequence score, string-edit distance, time-delay embedding.

A scanpath is an array `(fixations, 2)` of rows `(x, y)` in pixels, or `(fixations, 3)` with durations in seconds. All
of these reward the mean path and equal lengths: a model of likelihood is judged by its likelihood first.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.spatial.distance import cdist

from keras_saliency.formulas.types import Size

MULTIMATCH = ("shape", "direction", "length", "position", "duration")


def _path(given: ArrayLike, columns: int = 2) -> np.ndarray:
    path = np.asarray(given, "float64")
    if path.ndim != 2 or path.shape[1] not in (2, 3) or not len(path):
        raise ValueError(f"A scanpath is (fixations, 2 or 3) with one fixation at least. Received: {path.shape}.")
    if path.shape[1] < columns:
        raise ValueError("This compares durations: give them in seconds as a third column.")
    if not np.isfinite(path[:, :columns]).all():
        raise ValueError("A scanpath holds NaN or infinity. Leave those fixations out.")
    return path


def multimatch(one: ArrayLike, other: ArrayLike, size: Size) -> dict[str, float]:
    """Five similarities of two scanpaths whose saccades are aligned in space (Jarodzka, Holmqvist & Nyström 2010).

    Without simplification, as Dewhurst et al. (2012) name them. Saccades are aligned by the way through the matrix of
    their differences that costs least; a similarity is one minus a median along it, divided by what it can be at most.

    Args:
        one: `(fixations, 3)`, with durations.
        other: The same of the other.
        size: `(height, width)` of the screen.

    Returns:
        Shape, direction, length, position and duration, each in [0, 1] for fixations on the screen, higher is more
        alike; NaN where a scanpath has fewer than three fixations.

    Raises:
        ValueError: If a scanpath has no durations, or holds NaN.
    """
    one, other = _path(one, 3), _path(other, 3)
    if min(len(one), len(other)) < 3:
        return dict.fromkeys(MULTIMATCH, np.nan)
    u, v = np.diff(one[:, :2], axis=0), np.diff(other[:, :2], axis=0)
    i, j = np.array(_cheapest_way(cdist(u, v))).T
    turned = np.angle(np.exp(1j * (_direction(u)[i] - _direction(v)[j])))
    durations = np.stack([one[i, 2], other[j, 2]])
    longest = np.maximum(durations.max(0), np.finfo("float64").tiny)  # Two of no time are equal.
    diagonal = np.hypot(*size)
    differences = (
        np.linalg.norm(u[i] - v[j], axis=1) / (2 * diagonal),
        np.abs(turned) / np.pi,
        np.abs(np.linalg.norm(u[i], axis=1) - np.linalg.norm(v[j], axis=1)) / diagonal,
        np.linalg.norm(one[i, :2] - other[j, :2], axis=1) / diagonal,
        np.abs(durations[0] - durations[1]) / longest,
    )
    return {name: float(1 - np.median(values)) for name, values in zip(MULTIMATCH, differences, strict=True)}


def _direction(vectors):
    return np.arctan2(vectors[:, 1], vectors[:, 0])


def _cheapest_way(cost):
    """The nodes from the first to the last, by steps right, down or both, which pay for the node that they enter."""
    total = np.full((len(cost) + 1, cost.shape[1] + 1), np.inf)
    total[1, 1] = 0
    steps = ((1, 1), (1, 0), (0, 1))
    for i, j in np.ndindex(cost.shape):
        if i or j:
            total[i + 1, j + 1] = cost[i, j] + min(total[i + 1 - down, j + 1 - right] for down, right in steps)
    way = [(len(cost) - 1, cost.shape[1] - 1)]
    while way[-1] != (0, 0):
        i, j = way[-1]
        way.append(min(((i - down, j - right) for down, right in steps), key=lambda at: total[at[0] + 1, at[1] + 1]))
    return way[::-1]


def _align(scores: np.ndarray, gap: float = 0.0) -> float:
    """The score of the best alignment of two sequences from their first to their last (Needleman & Wunsch 1970).

    Args:
        scores: What it brings to match each of one with each of the other.
        gap: What it brings to leave one out.
    """
    steps = gap * np.arange(scores.shape[1] + 1)
    best = steps
    for i, row in enumerate(scores):
        without = np.concatenate([[gap * (i + 1)], np.maximum(best[:-1] + row, best[1:] + gap)])
        best = np.maximum.accumulate(without - steps) + steps
    return float(best[-1])


def _cells(path, size, bins):
    """The column and row of the cell of each fixation, in a grid of `(columns, rows)`."""
    found = np.floor(path[:, :2] / size[::-1] * bins)
    return np.clip(found, 0, np.array(bins) - 1).astype(int)


def scanmatch(
    one: ArrayLike,
    other: ArrayLike,
    size: Size,
    bins: tuple[int, int] = (16, 12),
    threshold: float = 3.5,
    seconds: float | None = None,
) -> float:
    """The best alignment of the cells that two scanpaths go through; near cells match, too (Cristino et al. 2010).

    Args:
        one: `(fixations, 2 or 3)`.
        other: The same of the other.
        size: `(height, width)` of the screen.
        bins: Columns and rows of the grid.
        threshold: The distance in cells at which a match brings nothing.
        seconds: Fixations count once for each of so many seconds, rounded; None for once each. 0.05 is usual.

    Returns:
        From 0 to 1, for equal ones; higher is more alike. NaN where no fixation lasts half of `seconds`.
    """
    cells = []
    for path in (one, other):
        path = _path(path, 2 if seconds is None else 3)
        times = 1 if seconds is None else np.round(path[:, 2] / seconds).astype(int)
        cells.append(np.repeat(_cells(path, size, bins), times, axis=0))
    longer = max(map(len, cells))
    return _align(threshold - cdist(*cells)) / (threshold * longer) if min(map(len, cells)) else np.nan


def sequence_score(one: Sequence[Any], other: Sequence[Any]) -> float:
    """The share of labels that two sequences have in common, in order (Yang et al. 2020).

    Args:
        one: What is looked at, fixation by fixation: numbers of clusters, or letters.
        other: The same of the other.

    Returns:
        From 0 to 1, for equal ones; higher is more alike.

    Raises:
        ValueError: If both are empty.
    """
    if not (len(one) or len(other)):
        raise ValueError("Two empty sequences cannot be compared. Give at least one label.")
    return _align(_equal(one, other)) / max(len(one), len(other))


def string_edit_distance(one: ArrayLike, other: ArrayLike, size: Size, bins: tuple[int, int] = (5, 5)) -> int:
    """How many cells must be put in, taken away or changed, so that two scanpaths go through the same ones.

    Args:
        one: `(fixations, 2 or 3)`.
        other: The same of the other.
        size: `(height, width)` of the screen.
        bins: Columns and rows of the grid.

    Returns:
        The Levenshtein distance: 0 for equal ones, at most the length of the longer one. Lower is more alike.
    """
    labels = [map(tuple, _cells(_path(path), size, bins).tolist()) for path in (one, other)]
    return round(-_align(_equal(*map(list, labels)) - 1.0, -1.0))


def _equal(one, other):
    return np.array([[a == b for b in other] for a in one], "float64").reshape(len(one), len(other))


def time_delay_embedding(simulated: ArrayLike, recorded: ArrayLike, size: Size) -> float:
    """How near each piece of a simulated scanpath comes to some piece of a recorded one (Wang et al. 2011), scaled.

    For each length of pieces, the mean over those of the simulated one of the mean distance to the nearest one of the
    recorded, in longer sides of the image; the exponential of minus it, averaged over lengths.

    Args:
        simulated: `(fixations, 2 or 3)`.
        recorded: The same; the two may not be exchanged.
        size: `(height, width)` of the screen.

    Returns:
        From above 0 to 1, for equal ones; higher is more alike.
    """
    distances = cdist(_path(simulated)[:, :2], _path(recorded)[:, :2]) / max(size)
    alike = []
    for length in range(1, min(distances.shape) + 1):
        # Along diagonals lie the distances of pieces.
        pieces = sum(
            distances[k : k + distances.shape[0] - length + 1, k : k + distances.shape[1] - length + 1]
            for k in range(length)
        )
        alike.append(np.exp(-np.mean(np.min(pieces / length, 1))))
    return float(np.mean(alike))


def similarities(one: ArrayLike, other: ArrayLike, size: Size) -> dict[str, float]:
    """All of these but the sequence score, by name.

    Args:
        one: `(fixations, 3)`, what is judged.
        other: `(fixations, 3)`, what it is compared with.
        size: `(height, width)` of the screen.

    Returns:
        A dictionary from name to value; NaN for what compares durations where one is NaN.
    """
    one, other = np.asarray(one, "float64"), np.asarray(other, "float64")
    timed = bool(np.isfinite(one[:, 2]).all() and np.isfinite(other[:, 2]).all())
    aligned = multimatch(np.nan_to_num(one), np.nan_to_num(other), size)
    if not timed:
        aligned["duration"] = np.nan
    return {
        **{f"multimatch_{name}": value for name, value in aligned.items()},
        "scanmatch": scanmatch(one, other, size),
        "scanmatch_duration": scanmatch(one, other, size, seconds=0.05) if timed else np.nan,
        "string_edit_distance": float(string_edit_distance(one, other, size)),
        "time_delay_embedding": time_delay_embedding(one, other, size),
    }
