"""Fits the tables of `Saccades` by likelihood: a convex problem, with smoothness as the only prior."""

from collections.abc import Sequence

import numpy as np
from scipy.optimize import minimize
from scipy.sparse import csr_matrix

from keras_saliency.data.samples import Samples
from keras_saliency.data.scanpaths import Scanpath, scanpaths_of
from keras_saliency.formulas.types import Plane
from keras_saliency.scanpaths.models import ScanpathModel
from keras_saliency.scanpaths.saccades import (
    BLOCKS,
    MEMORY,
    NUMBERS,
    SHAPES,
    Saccades,
    before_terms,
    cell_of,
    cell_terms,
    place_of,
    saccade_terms,
    step_of,
    turn_terms,
)

CANDIDATES = 128  # places that stand for all of an image, beside that of each fixation
NEAREST = 2.0  # pixels, from where on some of them lie about the last fixation
SMOOTHNESS, SMALLNESS = 1e-4, 1e-5  # what second differences and numbers themselves cost, squared
UNIFORM = 1e-3  # the share that is mixed in, so that no fixation is impossible
TERMS = ("saccade", "before", "turn")
KNOWN = (*TERMS, "cell")


def fit_saccades(
    model: ScanpathModel,
    samples: Samples,
    terms: Sequence[str] = TERMS,
    smoothness: float = SMOOTHNESS,
    seed: int = 0,
) -> Saccades:
    """Finds the tables that make scanpaths most likely.

    The density of each fixation is normalised over random places, half of them drawn from the spatial model, a quarter
    from all of the image and a quarter about the last fixation, each weighed by how likely it was drawn. The first
    fixation of a scanpath is what the next one is seen from, and no more. Takes 30 kB of memory a fixation at most.

    Args:
        model: What gives the spatial density, such as `SaccadeModel("general", Saccades())`.
        samples: Images with scanpaths. Those that the spatial model was trained on make it look better than it is.
        terms: The tables that are fitted beside what the spatial model is multiplied by, of `"saccade"`, `"before"`,
            `"turn"` and `"cell"`; others stay empty.
        smoothness: What neighbours in a table that differ cost.
        seed: Of the random places.

    Raises:
        ValueError: If there is no fixation with one before it, fixations have no order, or a term is unknown.
        RuntimeError: If the likelihood is still rising after thousands of steps.
    """
    unknown = {*terms} - {*KNOWN}
    if unknown:
        raise ValueError(f"Unknown terms {sorted(unknown)}. Known terms: {', '.join(KNOWN)}.")
    rng = np.random.default_rng(seed)
    parts = [
        _rows(path, conditional(np.empty(0), np.empty(0)), rng, terms)
        for sample, conditional in zip(samples, model.conditionals(samples), strict=True)
        for path in scanpaths_of(sample.name, sample.fixations)
        if len(path) > 1
    ]
    if not parts:
        raise ValueError("No scanpath has two fixations: there is nothing to fit saccades to. Give longer ones.")
    where, weights, offset = (np.concatenate(column) for column in zip(*parts, strict=True))
    ends = np.arange(0, where.size + 1, where.shape[-1])
    design = csr_matrix((weights.ravel(), where.ravel(), ends), shape=(len(ends) - 1, NUMBERS))
    transposed, differences = design.T.tocsr(), _differences()
    start = Saccades().vector  # Where no term stands, it stays as it is.

    def cost(numbers):
        logits = (design @ numbers).reshape(offset.shape)
        drawn = logits + offset  # The first of each is the fixation itself, which was not drawn.
        largest = drawn.max(1, keepdims=True)
        shares = np.exp(drawn - largest)
        total = shares.sum(1, keepdims=True)
        shares /= total
        shares[:, 0] = -1
        rough, away = differences @ numbers, numbers - start
        value = np.mean(np.log(total) + largest - logits[:, :1]) + smoothness * rough @ rough + SMALLNESS * away @ away
        slope = transposed @ shares.ravel() / len(shares)
        return value, slope + 2 * smoothness * (differences.T @ rough) + 2 * SMALLNESS * away

    found = minimize(cost, start, jac=True, method="L-BFGS-B", options={"maxiter": 5000, "maxfun": 10_000})
    if not found.success:
        raise RuntimeError(f"The most likely tables were not found: {found.message}. Raise the smoothness.")
    return Saccades.of_vector(found.x, UNIFORM)


def _rows(
    path: Scanpath, spatial: Plane, rng: np.random.Generator, terms: Sequence[str]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of each fixation but the first, and of its candidates: where the numbers of its logit stand, what they count, and
    what is added to the logits of candidates, minus infinity for the fixation itself.
    """
    size, side, count = spatial.shape, max(spatial.shape), len(path) - 1
    x, y = path.x.astype(int), path.y.astype(int)
    spatial_share = np.exp(spatial.astype("float64"))
    summed = np.cumsum(spatial_share)
    # Candidates: from the spatial model, from all of the image, and about the last fixation, where many may be outside.
    shape = count, CANDIDATES // 4
    pixels = np.minimum(np.searchsorted(summed, rng.random((count, CANDIDATES // 2)) * summed[-1]), spatial.size - 1)
    radius, angle = np.exp(rng.uniform(np.log(NEAREST), np.log(side), shape)), rng.uniform(0, 2 * np.pi, shape)
    drawn_x = pixels % size[1], rng.integers(0, size[1], shape), x[:-1, None] + radius * np.cos(angle)
    drawn_y = pixels // size[1], rng.integers(0, size[0], shape), y[:-1, None] + radius * np.sin(angle)
    columns, rows = (np.rint(np.concatenate(each, 1)).astype(int) for each in (drawn_x, drawn_y))
    outside = (columns < 0) | (columns >= size[1]) | (rows < 0) | (rows >= size[0])
    columns, rows = np.clip(columns, 0, size[1] - 1), np.clip(rows, 0, size[0] - 1)
    distance = np.hypot(columns - x[:-1, None], rows - y[:-1, None])
    near = (distance >= NEAREST) & (distance < side)
    about = np.where(near, 1 / np.maximum(distance, 1) ** 2, 0)
    likely = spatial_share[rows, columns] / summed[-1] / 2 + 1 / (4 * spatial.size)
    likely += about / (2 * np.pi * np.log(side / NEAREST)) / 4
    # What was drawn about the last fixation and rounded out of reach is not how such a place is drawn.
    outside[:, -shape[1] :] |= ~near[:, -shape[1] :]
    offset = np.where(outside, -np.inf, -np.log(likely * CANDIDATES))
    columns, rows = np.concatenate([x[1:, None], columns], 1), np.concatenate([y[1:, None], rows], 1)
    offset = np.concatenate([np.full((count, 1), -np.inf), offset], 1)
    # What each counts.
    amplitude, direction = place_of(rows - y[:-1, None], columns - x[:-1, None], size)
    step = np.broadcast_to(step_of(np.arange(1, count + 1))[:, None], rows.shape)
    counted = [(step, spatial[rows, columns])]
    if "saccade" in terms:
        counted += saccade_terms(amplitude, direction)
    if "turn" in terms:
        # What stays in a pixel has no direction to turn from.
        right, down = np.diff(x[:-1], prepend=x[0])[:, None], np.diff(y[:-1], prepend=y[0])[:, None]
        last, known = np.arctan2(down, right), (right != 0) | (down != 0)
        counted += [(where, weight * known) for where, weight in turn_terms(amplitude, direction, last)]
    if "cell" in terms:
        counted += cell_terms(cell_of(y[:-1], x[:-1], size)[:, None], amplitude, direction)
    for lag in range(MEMORY) if "before" in terms else ():
        before = np.arange(count) - 1 - lag
        known, before = (before >= 0)[:, None], np.maximum(before, 0)
        away = place_of(rows - y[before, None], columns - x[before, None], size)[0]
        counted += [(where, weight * known) for where, weight in before_terms(away, lag)]
    where, weights = (np.stack(np.broadcast_arrays(*each), -1) for each in zip(*counted, strict=True))
    return where.astype("int32"), weights.astype("float32"), offset


def _differences():
    """What gives the second differences of neighbours in all tables; directions go around."""
    numbers = {name: start + np.arange(np.prod(SHAPES[name])).reshape(SHAPES[name]) for name, start in BLOCKS.items()}
    lines = [*numbers["before"], *numbers["turn"], *numbers["turn"].T]
    for table in (numbers["saccade"], *numbers["cell"]):
        lines += [*np.concatenate([table, table[:, :2]], 1), *table.T]
    found = np.concatenate([np.stack([line[:-2], line[1:-1], line[2:]], 1) for line in lines])
    rows, values = np.repeat(np.arange(len(found)), 3), np.tile([1.0, -2.0, 1.0], len(found))
    return csr_matrix((values, (rows, found.ravel())), shape=(len(found), NUMBERS))
