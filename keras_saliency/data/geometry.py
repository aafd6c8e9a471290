"""What happens to pixels, in TensorFlow graphs: letterboxing and its inverse, fixations to maps.

A letterbox is an aspect-preserving resize followed by centred padding. Coordinates are continuous: pixel (i, j)
covers [j, j + 1) x [i, i + 1), so that a resize is a multiplication and a flip is x -> width - x.
"""

import types
from collections.abc import Sequence

import tensorflow as tf

from keras_saliency.formulas.mirrored import TURNS, mirrored_gaussian
from keras_saliency.formulas.types import Size, Tensor, Unbatched

PADDING = 126.0  # MSI-Net's grey
# A pipeline is TensorFlow's whatever the backend is.
TENSORFLOW = types.SimpleNamespace(
    exp=tf.exp, square=tf.square, sum=tf.reduce_sum, minimum=tf.minimum, maximum=tf.maximum
)


def box(image_size: Size | Tensor, size: Size | Tensor) -> Tensor:
    """Where images lie in their letterbox: `(..., top, left, height, width)`, int32, for sizes `(..., 2)`."""
    image_size, size = tf.cast(image_size, tf.float32), tf.cast(size, tf.float32)
    scale = tf.reduce_min(size / image_size, -1, keepdims=True)
    inner = tf.maximum(tf.minimum(tf.round(image_size * scale), size), 1.0)
    return tf.cast(tf.concat([(size - inner) // 2, inner], -1), tf.int32)


def letterbox(
    image: Unbatched, size: Size | Sequence[Tensor], inside: Sequence[int | Tensor] | None = None
) -> Unbatched:
    """Resizes an image `(height, width, 3)` into `size`, the rest filled with grey: float32 in [0, 255].

    Args:
        image: Of any type of number.
        size: `(height, width)`, numbers or scalar tensors.
        inside: The numbers that `box` gives for it, where they are known.
    """
    top, left, *inner = inside or tf.unstack(box(tf.shape(image)[:2], size))
    # From bytes as they are, which take a quarter of the memory of floats.
    image = tf.cast(tf.image.resize(image, inner, antialias=True), tf.float32)
    return tf.ensure_shape(place(image, top, left, size, PADDING), (*known(size), 3))


def known(size: Sequence[int | Tensor]) -> tuple[int | None, ...]:
    """The sides that are known before a graph runs, None for the others."""
    return tuple(side if isinstance(side, int) else None for side in size)


def place(
    maps: Unbatched, top: int | Tensor, left: int | Tensor, size: Size | Sequence[Tensor], value: float = 0.0
) -> Unbatched:
    """Surrounds `(height, width, ...)` with a value up to `size`."""
    if maps.shape[:2] == known(size):
        return maps
    height, width, *rest = tf.unstack(tf.shape(maps))
    around = [[top, size[0] - top - height], [left, size[1] - left - width]]
    return tf.pad(maps, [*around, *([0, 0] for _ in rest)], constant_values=value)


def unletterbox(
    prediction: Unbatched, image_size: Size | Tensor, log_density: bool = True, to: Size | None = None
) -> Unbatched:
    """Brings one predicted map `(height, width, 1)` back to the size of its image; a log-density is normalised again.

    The padding is cut off, the rest is interpolated bilinearly, a log-density as it is, in the log domain.

    Args:
        prediction: The map.
        image_size: `(height, width)` of the image.
        log_density: Whether it is a log-density.
        to: `(height, width)` that the map gets instead of the size of the image, all of which it covers; then the
            interpolation is bicubic.
    """
    image_size = tf.convert_to_tensor(image_size, tf.int32)
    return _unletterbox(tf.convert_to_tensor(prediction), image_size, log_density, to)


# In a graph outside of one, too: there its parts share their memory.
@tf.function(reduce_retracing=True, autograph=False)
def _unletterbox(prediction, image_size, log_density, to):
    shape = tf.shape(prediction)[:2]
    top, left, height, width = tf.unstack(box(image_size, shape))
    return fitted(prediction[top : top + height, left : left + width], image_size, log_density, to)


@tf.function(reduce_retracing=True, autograph=False)
def fitted(prediction: Unbatched, image_size: Tensor, log_density: bool, to: Size | None = None) -> Unbatched:
    """A map `(height, width, 1)` of a whole image at another size, as in `unletterbox`."""
    if to is None:
        resized = tf.image.resize(prediction, image_size)
    else:  # Who lays it over the picture resizes it again, and bilinear interpolation lowers peaks each time.
        resized = tf.image.resize(prediction, to, "bicubic", antialias=True)
        resized = resized if log_density else tf.maximum(resized, 0.0)
    return resized - tf.reduce_logsumexp(resized) if log_density else resized


def to_saliency(predictions: Tensor, log_density: bool = True, peak: float | Tensor | None = None) -> Tensor:
    """Maps in [0, 1] with a peak of one, from log-densities or other maps `(..., height, width, 1)`; zeros stay.

    Args:
        predictions: The maps.
        log_density: Whether they are log-densities.
        peak: Of the map that a part is of; by default its own.
    """
    peak = tf.reduce_max(predictions, (-3, -2), keepdims=True) if peak is None else peak
    return tf.exp(predictions - peak) if log_density else tf.math.divide_no_nan(predictions, peak)


def pixels(at: Tensor, side: int | Tensor) -> Tensor:
    """The rows or columns, int32, under continuous coordinates on a side of so many pixels."""
    return tf.cast(tf.clip_by_value(tf.floor(at), 0.0, tf.cast(side, tf.float32) - 1), tf.int32)


def kernels(at: Tensor, side: int | Tensor, sigma: float | Tensor) -> Tensor:
    """What of a Gaussian with mirrored borders reaches each place of a side.

    Args:
        at: The rows or columns where Gaussians stand, int32, `(fixations,)`.
        side: The number of rows or columns.
        sigma: The standard deviation in pixels.

    Returns:
        `(fixations, side)`. The outer product of that of the row and that of the column is the blur of one fixation
        by `maps.blur`.
    """
    places, turns = (tf.cast(tf.range(*ends), tf.float32) for ends in ((2 * side,), (-TURNS, TURNS + 1)))
    across = tf.cast(side, tf.float32)
    line = mirrored_gaussian(places[:, None] + 2.0 * across * turns, across, sigma, TENSORFLOW)
    at, places = at[:, None], tf.range(side)
    return tf.gather(line, tf.abs(places - at)) + tf.gather(line, places + at + 1)
