"""Scanpaths as a model makes them, fixation after fixation."""

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np

from keras_saliency.scanpaths.models import Conditional
from keras_saliency.scanpaths.saccades import require_inside

Seed: TypeAlias = int | Sequence[int]


def sample_scanpaths(
    conditional: Conditional,
    n: int,
    length: int,
    seed: Seed = 0,
    start: tuple[float, float] | None = None,
    candidates: int = 1,
) -> np.ndarray:
    """Draws scanpaths from a model.

    Args:
        conditional: A model for one image, as `SaccadeModel.on` gives it.
        n: How many scanpaths.
        length: How many fixations each, the first included.
        seed: A number or several; equal seeds give equal scanpaths.
        start: `(x, y)` of the first fixation in pixels, which nobody chose; by default the middle of the image.
        candidates: How many places are drawn for a fixation, of which the one is taken that is likeliest without
            history, in the manner of Le Meur & Liu (2015), who draw five. With more than one, scanpaths are no longer
            drawn from the density of the model.

    Returns:
        `(n, length, 2)`, x and y in pixels, somewhere in the pixel that was drawn.

    Raises:
        ValueError: If `n`, `length` or `candidates` is less than one, or the start is outside of the image.
    """
    if min(n, length, candidates) < 1:
        raise ValueError(
            "At least one scanpath of one fixation can be drawn, from one candidate. Received: "
            f"n={n}, length={length}, candidates={candidates}."
        )
    rng = np.random.default_rng(seed)
    spatial = conditional(np.empty(0), np.empty(0))
    height, width = spatial.shape
    found = np.empty((n, length, 2))
    found[:, 0] = (width / 2, height / 2) if start is None else start
    require_inside(found[:1, 0, 0], found[:1, 0, 1], (height, width))
    for path in found:
        for i in range(1, length):
            summed = np.cumsum(np.exp(conditional(*path[:i].T)))
            drawn = np.searchsorted(summed, rng.random(candidates) * summed[-1], side="right")
            drawn = np.minimum(drawn, summed.size - 1)
            pixel = drawn[np.argmax(spatial.ravel()[drawn])]
            path[i] = np.array([pixel % width, pixel // width]) + rng.random(2)
    return found
