"""Resizing, also where sizes are not yet known."""

from collections.abc import Sequence

from keras import ops

from keras_saliency.formulas.types import Features, Tensor


def resize(maps: Features, size: Sequence[int | Tensor], interpolation: str = "bilinear") -> Features:
    """Resizes maps with any number of channels, as `keras.ops.image.resize` does, also where sizes are not yet known.

    Args:
        maps: `(batch, height, width, channels)`.
        size: `(height, width)`, numbers or scalar tensors.
        interpolation: `"bilinear"` or `"nearest"`.
    """
    if all(isinstance(side, int) for side in (*size, *maps.shape[1:3])):
        return ops.image.resize(maps, size, interpolation=interpolation)
    for axis, side in zip((1, 2), size, strict=True):
        maps = _interpolate(maps, axis, side, interpolation)
    return maps


def _interpolate(maps, axis, side, interpolation):
    """Resizes one axis, by the pixels around each new one."""
    last = ops.cast(ops.shape(maps)[axis] - 1, "float32")
    centres = (ops.cast(ops.arange(side), "float32") + 0.5) * ((last + 1.0) / ops.cast(side, "float32"))
    if interpolation == "nearest":
        return ops.take(maps, ops.cast(ops.minimum(ops.floor(centres), last), "int32"), axis)
    positions = ops.clip(centres - 0.5, 0.0, last)
    low = ops.floor(positions)
    share = ops.cast(ops.reshape(positions - low, (-1,) + (1,) * (3 - axis)), maps.dtype)
    before, after = (ops.cast(ops.minimum(low + i, last), "int32") for i in (0.0, 1.0))
    return ops.take(maps, before, axis) * (1 - share) + ops.take(maps, after, axis) * share
