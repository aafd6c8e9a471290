"""What happens to pixels, in TensorFlow graphs: letterboxing and its inverse, fixations to maps.

A letterbox is an aspect-preserving resize followed by centred padding. Coordinates are continuous: pixel (i, j)
covers [j, j + 1) x [i, i + 1), so that a resize is a multiplication and a flip is x -> width - x.
"""

import types

import tensorflow as tf

from keras_saliency.formulas.mirrored import TURNS, mirrored_gaussian
from keras_saliency.formulas.types import Size, Tensor, Unbatched

PADDING = 126.0  # MSI-Net's grey
# A pipeline is TensorFlow's whatever the backend is.
TENSORFLOW = types.SimpleNamespace(
    exp=tf.exp, square=tf.square, sum=tf.reduce_sum, minimum=tf.minimum, maximum=tf.maximum
)


def box(image_size: Size | Tensor, size: Size | Tensor) -> Tensor:
    """Where an image lies in its letterbox: `(top, left, height, width)`, int32."""
    image_size, size = tf.cast(image_size, tf.float32), tf.cast(size, tf.float32)
    inner = tf.maximum(tf.minimum(tf.round(image_size * tf.reduce_min(size / image_size)), size), 1.0)
    return tf.cast(tf.concat([(size - inner) // 2, inner], 0), tf.int32)


def letterbox(image: Unbatched, size: Size) -> Unbatched:
    """Resizes an image `(height, width, 3)` into `size`, the rest filled with grey: float32 in [0, 255]."""
    top, left, height, width = tf.unstack(box(tf.shape(image)[:2], size))
    # From bytes as they are, which take a quarter of the memory of floats.
    image = tf.cast(tf.image.resize(image, (height, width), antialias=True), tf.float32)
    return tf.ensure_shape(place(image - PADDING, top, left, size) + PADDING, (*size, 3))


def place(maps: Unbatched, top: int | Tensor, left: int | Tensor, size: Size) -> Unbatched:
    """Surrounds `(height, width, channels)` with zeros up to `size`."""
    return tf.image.pad_to_bounding_box(maps, top, left, *size)


def unletterbox(prediction: Unbatched, image_size: Size | Tensor, log_density: bool = True) -> Unbatched:
    """Brings one predicted map `(height, width, 1)` back to the size of its image; a log-density is normalised again.

    The padding is cut off, the rest is interpolated bilinearly, a log-density as it is, in the log domain.
    """
    return _unletterbox(tf.convert_to_tensor(prediction), tf.convert_to_tensor(image_size, tf.int32), log_density)


# In a graph outside of one, too: there its parts share their memory.
@tf.function(reduce_retracing=True, autograph=False)
def _unletterbox(prediction, image_size, log_density):
    shape = tf.shape(prediction)[:2]
    top, left, height, width = tf.unstack(box(image_size, shape))
    inner = tf.image.crop_to_bounding_box(prediction, top, left, height, width)
    native = tf.image.resize(inner, image_size)
    return native - tf.reduce_logsumexp(native) if log_density else native


def to_saliency(predictions: Tensor, log_density: bool = True, peak: float | Tensor | None = None) -> Tensor:
    """Maps in [0, 1] with a peak of one, from log-densities or other maps `(..., height, width, 1)`; zeros stay.

    Args:
        predictions: The maps.
        log_density: Whether they are log-densities.
        peak: Of the map that a part is of; by default its own.
    """
    peak = tf.reduce_max(predictions, (-3, -2), keepdims=True) if peak is None else peak
    return tf.exp(predictions - peak) if log_density else tf.math.divide_no_nan(predictions, peak)


def fixation_maps(x: Tensor, y: Tensor, size: Size | Tensor, sigma: float | Tensor) -> tuple[Unbatched, Unbatched]:
    """Makes maps of fixations.

    Args:
        x: The columns of the fixations, continuous, `(fixations,)`.
        y: Their rows.
        size: `(height, width)`, int32.
        sigma: The standard deviation of the blur in pixels.

    Returns:
        The counts at each pixel, and the counts blurred by a Gaussian with mirrored borders, both
        `(height, width, 1)`. The blur is that of `maps.blur`, as a product of one column for each fixation and
        not of whole matrices.
    """
    pixels = [
        tf.cast(tf.clip_by_value(tf.floor(axis), 0.0, tf.cast(side, tf.float32) - 1), tf.int32)
        for axis, side in zip((y, x), tf.unstack(size), strict=True)
    ]
    counts = tf.scatter_nd(tf.stack(pixels, 1), tf.ones_like(x), size)

    def kernels(at, side):
        places, turns = (tf.cast(tf.range(*ends), tf.float32) for ends in ((2 * side,), (-TURNS, TURNS + 1)))
        across = tf.cast(side, tf.float32)
        line = mirrored_gaussian(places[:, None] + 2.0 * across * turns, across, sigma, TENSORFLOW)
        rows, columns = tf.range(side)[:, None], at[None]
        return tf.gather(line, tf.abs(rows - columns)) + tf.gather(line, rows + columns + 1)

    density = tf.matmul(kernels(pixels[0], size[0]), kernels(pixels[1], size[1]), transpose_b=True)
    return counts[..., None], density[..., None]
