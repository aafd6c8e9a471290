"""What belongs to a recording and not to seeing: how sharp, how central and how scattered its fixations are."""

import keras
import numpy as np

from keras_saliency.formulas.arrays import ops
from keras_saliency.formulas.maps import log_softmax
from keras_saliency.formulas.mirrored import gaussian_matrix
from keras_saliency.formulas.types import Maps, Plane, Size, Tensor

LEAST = 1e-30  # of a uniform share, whose logarithm is taken


def recorded(
    score: Maps,
    log_centre_bias: Maps,
    gain: float | Tensor = 1.0,
    centre_weight: float | Tensor = 0.0,
    uniform_share: float | Tensor = 0.0,
) -> Maps:
    """The log-density of fixations in a recording, from what a network says of its pictures.

    log((1 - u) softmax(gain score + centre_weight log_centre_bias) + u / pixels), with u the uniform share (Kümmerer,
    Khanuja & Bethge 2025 name the quantities).

    Args:
        score: `(batch, height, width, 1)`, a log-density, normalised or not, blurred as far as fixations scatter.
        log_centre_bias: The same shape, or a batch of one for all: the logarithm of a density of any scale.
        gain: Below one where the network is too sure of itself; zero leaves the centre bias alone.
        centre_weight: Zero for none; below zero it takes away what the network has learned of another one.
        uniform_share: In [0, 1).

    Returns:
        The log-density, `(batch, height, width, 1)`.
    """
    log_density = log_softmax(gain * score + centre_weight * log_centre_bias)
    pixels = ops.cast(ops.prod(ops.shape(score)[1:3]), log_density.dtype)
    share = ops.maximum(np.float64(uniform_share) if isinstance(uniform_share, float) else uniform_share, LEAST)
    return ops.logaddexp(ops.log(1.0 - share) + log_density, ops.log(share) - ops.log(pixels))


def blur_each(maps: Maps, sigmas: Tensor, rows: Tensor) -> Maps:
    """Blurs maps as `keras_saliency.formulas.maps.blur` does, each by a Gaussian of its own.

    Args:
        maps: `(batch, height, width, 1)`, tensors.
        sigmas: Standard deviations in pixels, a vector.
        rows: Which of them is that of each map, `(batch,)`, integers.
    """
    vertical, horizontal = (
        keras.ops.take(
            keras.ops.stack([gaussian_matrix(side, sigmas[i], maps.dtype) for i in range(sigmas.shape[0])]),
            rows,
            axis=0,
        )
        for side in keras.ops.shape(maps)[1:3]
    )
    return keras.ops.einsum("bij,bjkc,blk->bilc", vertical, maps, horizontal)


def as_centre_bias(density: Plane, size: Size | None = None) -> Plane:
    """Checks a centre bias: a float64 map of any scale, none of whose pixels is impossible.

    Args:
        density: The map.
        size: `(height, width)` that it must have; None for any.

    Raises:
        ValueError: If it is not finite and positive, or of another shape.
    """
    density = np.asarray(density, "float64")
    fits = density.ndim == 2 and density.shape == (size or density.shape) and density.size
    if not fits or not np.isfinite(density).all() or density.min() <= 0:
        raise ValueError(
            f"A centre bias must be a finite, positive density of shape {size or '(height, width)'}: mix in a uniform "
            f"share where it is zero. Received: shape {density.shape}, minimum "
            f"{density.min() if density.size else None}."
        )
    return density
