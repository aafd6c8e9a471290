"""How a network is shown a picture, and how what it gives is put on the picture: in TensorFlow graphs, for every door.

A picture is shown in a frame, surrounded by padding up to one size, or by a `View`, at a size that its shape asks for;
then a very long one is shown in windows, which overlap by a third.
"""

import numpy as np
import tensorflow as tf

from keras_saliency.data import geometry
from keras_saliency.formulas.types import Maps, Size, Tensor, Unbatched
from keras_saliency.formulas.view import LONGEST, MAX_SEEN, View


def seen_size(image_size: Tensor, view: View, pixels_per_degree: float | Tensor | None = None) -> Tensor:
    """The size at which a picture is seen, all windows together: `View.sides` as `(2,)`, int32."""
    if not tf.is_symbolic_tensor(image_size):  # Then NumPy is many times as fast.
        degrees = None if pixels_per_degree is None else np.array([pixels_per_degree], "float64")
        return tf.constant(view.sides(np.array(image_size, "float64"), degrees), tf.int32)
    degrees = None
    if pixels_per_degree is not None:
        degrees = tf.reshape(tf.convert_to_tensor(pixels_per_degree, tf.float64), (1,))
    return tf.cast(view.sides(tf.cast(image_size, tf.float64), degrees, tf), tf.int32)


def windows(image_size: Tensor, seen: Tensor, stride: int) -> tuple[Tensor, Tensor, Tensor]:
    """The windows in which a picture is seen: one, all of it, but of very long ones.

    Args:
        image_size: `(2,)`, height and width of the picture.
        seen: `(2,)`, the size at which it is seen.
        stride: Windows begin at multiples of it.

    Returns:
        The size of each window, `(2,)`; where it begins in what is seen, `(windows, 2)`; and what part of the picture
        it shows, `(windows, 4)`: top, left, height, width in whole pixels. All int32.
    """
    image_size, seen = tf.cast(image_size, tf.int64), tf.cast(seen, tf.int64)
    window = tf.minimum(seen, LONGEST * tf.reduce_min(seen))
    # By two thirds of a window at most, and evenly.
    count = tf.reduce_max(-(-3 * (seen - window) // (2 * window))) + 1
    last = tf.maximum(count - 1, 1)
    starts = stride * ((2 * tf.range(count)[:, None] * ((seen - window) // stride) + last) // (2 * last))
    begin, end = ((2 * edge * image_size + seen) // (2 * seen) for edge in (starts, starts + window))
    return tuple(tf.cast(each, tf.int32) for each in (window, starts, tf.concat([begin, end - begin], 1)))  # type: ignore[return-value]


# In a graph outside of one, too: its many small operations take longer one by one.
@tf.function(reduce_retracing=True, autograph=False)
def _windows_shown(image, seen, stride):
    image_size = tf.shape(image)[:2]
    fits = (tf.reduce_min(image_size) >= stride) & (tf.reduce_prod(tf.cast(seen, tf.int64)) <= MAX_SEEN)
    says = "the image is too small on a side, or too long for its width"
    with tf.control_dependencies([tf.raw_ops.Assert(condition=fits, data=[says, image_size])]):
        size, _, parts = windows(image_size, seen, stride)

    def show(part):
        top, left, height, width = tf.unstack(part)
        # From bytes as they are, which take a quarter of the memory of floats.
        shown = image[top : top + height, left : left + width]
        return tf.cast(tf.image.resize(shown, size, antialias=True), tf.float32)

    spec = tf.TensorSpec((None, None, 3))
    return tf.map_fn(tf.autograph.experimental.do_not_convert(show), parts, fn_output_signature=spec)


def show(image: Unbatched, size: Size | View, pixels_per_degree: float | None = None) -> Tensor:
    """What a network sees of a picture, a batch of its windows: `(windows, height, width, 3)`, float32 in [0, 255].

    Args:
        image: `(height, width, 3)`, uint8.
        size: The frame, whose picture is a single window; or the view.
        pixels_per_degree: Those of the picture, as far as known.
    """
    if not isinstance(size, View):
        return geometry.letterbox(image, size)[None]
    known = image.shape[:2] if None not in image.shape[:2] else tf.shape(image)[:2]
    seen = seen_size(known, size, pixels_per_degree)
    return _windows_shown(tf.convert_to_tensor(image), seen, size.stride)


def put_back(
    predictions: Maps,
    image_size: Size | Tensor,
    size: Size | View,
    log_density: bool = True,
    pixels_per_degree: float | None = None,
    to: Size | None = None,
) -> Unbatched:
    """Puts what a network gives for the windows of a picture together, at the size of the picture.

    Args:
        predictions: `(windows, height, width, 1)`, for what `show` gave.
        image_size: `(height, width)` of the picture.
        size: As in `show`.
        log_density: Whether these are log-densities, of which each is normalised over its window, as what is returned
            is over the picture.
        pixels_per_degree: As in `show`.
        to: `(height, width)` of the map instead, such as all maps of a batch have: it covers the whole picture.

    Returns:
        The map `(height, width, 1)`, interpolated bilinearly, log-densities as they are. A window says how places in it
        compare; how those of two windows do follows from where these overlap. There a map is the mean of both, weighted
        by pyramids that fall to nothing at the edges of each, and log-densities have been made to agree before.
    """
    predictions, image_size = tf.convert_to_tensor(predictions), tf.convert_to_tensor(image_size, tf.int32)
    if not isinstance(size, View):
        return geometry.unletterbox(predictions[0], image_size, log_density, to)
    if predictions.shape[0] == 1:
        joined = predictions[0]
    else:
        seen = seen_size(image_size, size, pixels_per_degree)
        joined = _joined(predictions, image_size, seen, size.stride, log_density)
    return geometry.fitted(joined, image_size, log_density, to)


@tf.function(reduce_retracing=True, autograph=False)
def _joined(predictions, image_size, seen, stride, log_density):
    """The maps of all windows as one, as fine as they are."""
    shown, starts, _ = windows(image_size, seen, stride)
    # What a network gives may be larger or smaller than what it sees.
    scale = tf.cast(tf.shape(predictions)[1:3], tf.float64) / tf.cast(shown, tf.float64)
    starts = tf.reduce_max(tf.cast(tf.round(tf.cast(starts, tf.float64) * scale), tf.int32), 1)
    # The longer side, along which windows lie, comes first.
    turn = tf.where(shown[1] > shown[0], [0, 2, 1], [0, 1, 2])
    maps = tf.transpose(predictions[..., 0], turn)
    count, long, short = tf.unstack(tf.shape(maps))
    down, across = (tf.range(side, dtype=tf.float32) + 0.5 for side in (long, short))
    weights = tf.minimum(down, down[::-1])[:, None] * tf.minimum(across, across[::-1])
    if log_density:
        maps += _offsets(maps, starts, weights)[:, None, None]
    rows = tf.reshape(starts[:, None] + tf.range(long), (-1,))
    sums = [
        tf.math.unsorted_segment_sum(tf.reshape(each, (-1, short)), rows, starts[-1] + long)
        for each in (weights * maps, tf.tile(weights[None], (count, 1, 1)))
    ]
    return tf.transpose(tf.math.divide_no_nan(*sums)[None], turn)[0, ..., None]


def _offsets(maps, starts, weights):
    """What log-densities lack to agree in the weighted mean where each window overlaps the next; of the first, zero."""
    steps = (starts[1:] - starts[:-1])[:, None]
    here = steps + tf.range(tf.shape(maps)[1])
    inside = tf.cast(here < tf.shape(maps)[1], tf.float32)[..., None]
    here = tf.minimum(here, tf.shape(maps)[1] - 1)
    shared = inside * tf.gather(weights, here) * weights
    lacking = shared * (tf.gather(maps[:-1], here, batch_dims=1) - maps[1:])
    mean = tf.reduce_sum(lacking, (1, 2)) / tf.reduce_sum(shared, (1, 2))
    return tf.concat([[0.0], tf.cumsum(mean)], 0)
