"""A Gaussian between two mirrors: the borders of every blur."""

from typing import Any

import keras
import numpy as np

from keras_saliency.formulas.arrays import ops
from keras_saliency.formulas.types import Tensor

TURNS = 14  # periods of two mirrors that a Gaussian of three times their distance reaches in float64


def mirrored_gaussian(distances: Tensor, side: float | Tensor, sigma: Tensor, ops: Any = ops) -> Tensor:
    """What reaches the places of a line, that goes there and back again between two mirrors, from a Gaussian at zero.

    The Gaussian stands at each multiple of 2 side. Those within reach are more the wider it is; where it is as wide as
    three sides, the line is flat beyond the digits of float64, and there the width ends.

    Args:
        distances: From each of the places 0, 1, ..., 2 side - 1 to the Gaussians, `(2 side, 2 TURNS + 1)`.
        side: The number of pixels between the mirrors.
        sigma: The standard deviation in pixels.
        ops: Where `exp`, `square`, `sum`, `minimum` and `maximum` are taken from.

    Returns:
        `(2 side,)`, summing to one.
    """
    sigma = ops.minimum(ops.maximum(sigma, 1e-3), 3.0 * side)
    line = ops.sum(ops.exp(-0.5 * ops.square(distances * (1.0 / sigma))), axis=1)
    return line / ops.sum(line)


def gaussian_matrix(size: int | Tensor, sigma: float | Tensor, dtype: str = "float32") -> Tensor:
    """The `(size, size)` matrix that blurs a line by a Gaussian between two mirrors; rows and columns sum to one.

    Half precision is computed in float32.
    """
    asked, dtype = dtype, dtype if dtype == "float64" else "float32"
    size = np.int64(size) if isinstance(size, int) else size  # what depends on it alone is a constant of the graph
    places, turns = (ops.cast(ops.arange(*ends), dtype) for ends in ((2 * size,), (-TURNS, np.int64(TURNS + 1))))
    side = ops.cast(size, dtype)
    distances = keras.ops.convert_to_tensor(places[:, None] + 2.0 * side * turns, dtype=dtype)
    line = mirrored_gaussian(distances, side, keras.ops.convert_to_tensor(sigma, dtype=dtype))
    # Row i begins at place i, for one place more than there are.
    shifted = ops.reshape(ops.tile(line, (size + 1,))[: size * (2 * size + 1)], (size, -1))
    # To pixel j it is i + j + 1 by the mirror, and directly i - j, which is i - j + 2 size.
    return ops.cast(shifted[:, 1 : size + 1] + ops.flip(shifted[:, size + 1 :], axis=1), asked)
