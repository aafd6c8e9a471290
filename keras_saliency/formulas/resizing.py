"""Resizing, also where sizes are not yet known, and as other frameworks do it."""

from collections.abc import Sequence

from keras import ops

from keras_saliency.formulas.types import Features, Tensor

# Where pixel i of `after` lies among `before` pixels, by the name of the interpolation: at half-pixel centres; with the
# corners on the corners (PyTorch's align_corners=True); with the first pixel on the first (TensorFlow 1's
# resize_bilinear); as Theano's bilinear_upsampling, which rounds the shift of the centres down to whole new pixels.
PLACES = {
    "bilinear": lambda i, before, after: (i + 0.5) * (before / after) - 0.5,
    "bilinear-corners": lambda i, before, after: i * ((before - 1.0) / ops.maximum(after - 1.0, 1.0)),
    "bilinear-origin": lambda i, before, after: i * (before / after),
    "bilinear-theano": lambda i, before, after: (i - ops.floor((after / before - 1.0) / 2.0)) * (before / after),
}
INTERPOLATIONS = ("nearest", *PLACES)


def known_interpolation(name: str) -> str:
    """The name of an interpolation.

    Raises:
        ValueError: If it is unknown; lists the known ones.
    """
    if name not in INTERPOLATIONS:
        raise ValueError(f"Unknown interpolation {name!r}. Known interpolations: {', '.join(INTERPOLATIONS)}.")
    return name


def resize(maps: Features, size: Sequence[int | Tensor], interpolation: str = "bilinear") -> Features:
    """Resizes maps with any number of channels, also where sizes are not yet known.

    Args:
        maps: `(batch, height, width, channels)`.
        size: `(height, width)`, numbers or scalar tensors.
        interpolation: `"bilinear"` or `"nearest"`, as `keras.ops.image.resize` has them; `"bilinear-corners"`,
            `"bilinear-origin"` or `"bilinear-theano"`, as networks of other frameworks were trained with. Beyond the
            outermost pixels all take these.
    """
    known = all(isinstance(side, int) for side in (*size, *maps.shape[1:3]))
    if known and interpolation in ("bilinear", "nearest"):
        return ops.image.resize(maps, size, interpolation=interpolation, data_format="channels_last")
    for axis, side in zip((1, 2), size, strict=True):
        maps = _interpolate(maps, axis, side, interpolation)
    return maps


def _interpolate(maps, axis, side, interpolation):
    """Resizes one axis, by the pixels around each new one."""
    before, after = (ops.cast(count, "float32") for count in (ops.shape(maps)[axis], side))
    pixels, last = ops.cast(ops.arange(side), "float32"), before - 1.0
    if interpolation == "nearest":
        return ops.take(maps, ops.cast(ops.minimum(ops.floor((pixels + 0.5) * (before / after)), last), "int32"), axis)
    positions = ops.clip(PLACES[interpolation](pixels, before, after), 0.0, last)
    low = ops.floor(positions)
    share = ops.cast(ops.reshape(positions - low, (-1,) + (1,) * (3 - axis)), maps.dtype)
    first, second = (ops.cast(ops.minimum(low + i, last), "int32") for i in (0.0, 1.0))
    return ops.take(maps, first, axis) * (1 - share) + ops.take(maps, second, axis) * share


def resize_bicubic(maps: Features, size: Sequence[int | Tensor]) -> Features:
    """Resizes small maps by Keys's cubic convolution, not antialiased, also where sizes are not yet known.

    Where they are, `keras.ops.image.resize` gives the same on TensorFlow and JAX. Beyond the border no pixel counts.

    Args:
        maps: `(batch, height, width, channels)`; each axis is multiplied by a matrix of the old size and the new.
        size: `(height, width)`, numbers or scalar tensors.
    """
    vertical, horizontal = map(_cubic_weights, ops.shape(maps)[1:3], size)
    return ops.einsum("ki,bijc,lj->bklc", ops.cast(vertical, maps.dtype), maps, ops.cast(horizontal, maps.dtype))


def _cubic_weights(before, after):
    """What each old pixel counts for each new one, `(after, before)`."""
    old, new = (ops.cast(ops.arange(count), "float32") for count in (before, after))
    sizes = (ops.cast(count, "float32") for count in (before, after))
    d = ops.abs(PLACES["bilinear"](new, *sizes)[:, None] - old)
    near, far = (1.5 * d - 2.5) * d * d + 1.0, ((2.5 - 0.5 * d) * d - 4.0) * d + 2.0
    weights = ops.where(d < 1, near, ops.where(d < 2, far, 0.0))
    return weights / ops.sum(weights, axis=1, keepdims=True)
