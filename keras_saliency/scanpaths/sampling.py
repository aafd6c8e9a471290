"""Scanpaths as a model makes them, fixation after fixation."""

import numpy as np

from keras_saliency.scanpaths.models import Conditional
from keras_saliency.scanpaths.saccades import require_inside


def sample_scanpaths(
    conditional: Conditional, n: int, length: int, seed: int = 0, start: tuple[float, float] | None = None
) -> np.ndarray:
    """Draws scanpaths from a model.

    Args:
        conditional: A model for one image, as `SaccadeModel.on` gives it.
        n: How many scanpaths.
        length: How many fixations each, the first included.
        seed: Equal seeds give equal scanpaths.
        start: `(x, y)` of the first fixation in pixels, which nobody chose; by default the middle of the image.

    Returns:
        `(n, length, 2)`, x and y in pixels, somewhere in the pixel that was drawn.

    Raises:
        ValueError: If `n` or `length` is less than one, or the start is outside of the image.
    """
    if n < 1 or length < 1:
        raise ValueError(f"At least one scanpath of one fixation can be drawn. Received: n={n}, length={length}.")
    rng = np.random.default_rng(seed)
    height, width = conditional(np.empty(0), np.empty(0)).shape
    found = np.empty((n, length, 2))
    found[:, 0] = (width / 2, height / 2) if start is None else start
    require_inside(found[:1, 0, 0], found[:1, 0, 1], (height, width))
    for path in found:
        for i in range(1, length):
            summed = np.cumsum(np.exp(conditional(*path[:i].T)))
            pixel = min(np.searchsorted(summed, rng.random() * summed[-1], side="right"), summed.size - 1)
            path[i] = np.array([pixel % width, pixel // width]) + rng.random(2)
    return found
