"""The targets of a pipeline, in TensorFlow graphs: density, fixation counts and validity mask of one image."""

from collections.abc import Callable, Sequence
from typing import Any

import cv2
import numpy as np
import tensorflow as tf

from keras_saliency.data import geometry
from keras_saliency.data.windows import Places
from keras_saliency.formulas.types import Tensor, Unbatched

DENSITY, COUNTS, VALID = CHANNELS = range(3)
WHOLE = (0.0, 0.0, 1.0, 1.0)


def rows_of(table: Any) -> Callable[[Tensor], list[Any]]:
    """A graph function from the number of a row to what stands in it: plain numbers where all rows are alike.

    What depends on plain numbers alone is a constant of the graph, and need not be computed for each image.
    """
    table = np.asarray(table)
    if np.all(table == table[0]):
        row = table[0].tolist()
        return lambda i: row
    table = tf.constant(table)
    return lambda i: tf.unstack(table[i])


def target_maker(samples: Any, aim: Places, sigma: float | None = None) -> Callable[[Tensor, Tensor], Unbatched]:
    """Makes what makes targets; whatever is known before is computed here, once.

    Args:
        samples: As in `pipeline`.
        aim: Where the targets lie.
        sigma: The blur in pixels of the original image; by default that of each sample.

    Returns:
        A graph function from the number of a sample, and whether it is mirrored, to its packed target. Of a sample
        into which nobody looked nothing is known: all of it is zero, the mask, too.
    """
    image_sizes = tf.constant([sample.size for sample in samples], tf.float32)
    canvases, boxes = map(tf.constant, aim)
    scales = tf.cast(boxes[:, 2:], tf.float32) / image_sizes
    sigmas = tf.constant([sample.sigma if sigma is None else sigma for sample in samples], tf.float32)
    blurs = sigmas * tf.sqrt(scales[:, 0] * scales[:, 1])
    canvas_of, box_of, blur_of = rows_of(canvases), rows_of(boxes), rows_of(blurs[:, None])
    starts = tf.constant(np.cumsum([0, *(len(sample.fixations) for sample in samples)]), tf.int32)
    places = _places(samples, canvases, image_sizes, boxes, scales)
    whole = bool(np.all(aim.boxes[:, 2:] == aim.canvases))
    blank = tf.constant(np.eye(len(CHANNELS), dtype="float32")[VALID] * whole)
    mapped = [sample.ground_truth is not None for sample in samples]
    unknown = [each and not len(sample.fixations) for each, sample in zip(mapped, samples, strict=True)]
    usable = [sample.is_usable for sample in samples]
    pictures = picture_shares(samples)
    has_margins = bool((pictures != WHOLE).any())
    part_of = rows_of(pictures)
    # Of images alike all kernels are made here, and chosen from there.
    alike = isinstance(box_of(0)[0], int) and isinstance(blur_of(0)[0], float)
    every = [geometry.kernels(tf.range(side), side, *blur_of(0)) for side in box_of(0)[2:]] if alike else []

    def make(i, flipped):
        top, left, *inner = box_of(i)
        size = canvas_of(i)
        rows, columns, flat = tf.unstack(places[tf.cast(flipped, tf.int32), :, starts[i] : starts[i + 1]])
        at = rows, columns

        def blurred():
            if alike:
                down, across = map(tf.gather, every, at)
            else:
                down, across = (geometry.kernels(one, side, *blur_of(i)) for one, side in zip(at, inner, strict=True))
            return tf.matmul(down, across, transpose_a=True)

        density = either(mapped, i, lambda: _mirrored(measured(samples, i, inner), flipped), blurred)
        density = tf.math.divide_no_nan(density, tf.reduce_max(density))
        # The few counts first: what comes then changes the copy that they make.
        target = tf.tile(blank, [size[0] * size[1]])
        target = tf.tensor_scatter_nd_add(target, flat[:, None], tf.ones_like(flat, tf.float32))
        if whole and not has_margins:
            density = tf.ensure_shape(density, geometry.known(size))
        else:
            left = tf.where(flipped, size[1] - left - inner[1], left)
            valid = _mirrored(_pictured(part_of(i), inner), flipped) if has_margins else tf.ones_like(density)
            density, valid = (geometry.place(plane, top, left, size) for plane in (density, valid))
            target = _with_channel(target, VALID, valid)
        target = _with_channel(target, DENSITY, density)
        if not all(usable):
            valid = tf.reshape(target, (-1, len(CHANNELS)))[:, VALID]
            target = _with_channel(target, VALID, tf.where(tf.constant(usable)[i], valid, 0.0))
        if any(unknown):
            counts = tf.reshape(target, (-1, len(CHANNELS)))[:, COUNTS]
            target = _with_channel(target, COUNTS, tf.where(tf.constant(unknown)[i], np.nan, counts))
        return tf.ensure_shape(tf.reshape(target, (*size, len(CHANNELS))), (*geometry.known(size), len(CHANNELS)))

    return make


def either(
    choices: Sequence[bool], i: Tensor, one: Callable[[], Unbatched], other: Callable[[], Unbatched]
) -> Unbatched:
    """What one function gives where `choices[i]`, and another where not; what is never needed is not in the graph."""
    if all(choices) or not any(choices):
        return one() if choices[0] else other()
    return tf.cond(tf.constant(choices)[i], one, other)


def picture_shares(samples: Any) -> np.ndarray:
    """The part of each image that is no margin, `(samples, 4)`: top, left, bottom, right as shares of its sides."""
    parts = [sample.picture or (0, 0, *sample.size) for sample in samples]
    return np.array(
        [np.divide(part, (*sample.size,) * 2) for part, sample in zip(parts, samples, strict=True)], "float32"
    )


def _pictured(part, size):
    """One in the part of an image of some size that is no margin, zero in its margins."""
    top, left, bottom, right = part
    down, across = ((tf.range(side, dtype=tf.float32) + 0.5) / tf.cast(side, tf.float32) for side in size)
    rows, columns = (down > top) & (down < bottom), (across > left) & (across < right)
    return tf.cast(rows[:, None] & columns[None], tf.float32)


def measured(samples: Any, i: Tensor, size: Sequence[int | Tensor]) -> Unbatched:
    """The map that a sample brings, resized to `(height, width)`."""

    def read(i, height, width):
        values = samples[int(i)].read_ground_truth().astype("float32")
        return cv2.resize(values, (int(width), int(height)), interpolation=cv2.INTER_AREA)

    return tf.reshape(tf.numpy_function(read, [i, *size], tf.float32, stateful=False), size)


def _mirrored(plane, flipped):
    return tf.where(flipped, plane[:, ::-1], plane)


def _places(samples, canvases, image_sizes, boxes, scales):
    """Rows and columns of all fixations in the box, and their places in the flat target; as they are, and mirrored."""
    lengths = [len(sample.fixations) for sample in samples]
    x, y = (tf.constant(np.concatenate([getattr(s.fixations, axis) for s in samples]), tf.float32) for axis in "xy")
    width, across, boxes, scales = (
        tf.repeat(table, lengths, 0) for table in (image_sizes[:, 1], canvases[:, 1], boxes, scales)
    )
    top, left, *inner = tf.unstack(boxes, axis=1)
    rows = geometry.pixels(y * scales[:, 0], inner[0])
    made = []
    for mirrored in (False, True):
        columns = geometry.pixels((width - x if mirrored else x) * scales[:, 1], inner[1])
        begin = across - left - inner[1] if mirrored else left
        flat = ((rows + top) * across + columns + begin) * len(CHANNELS) + COUNTS
        made.append(tf.stack([rows, columns, flat]))
    return tf.stack(made)


def _with_channel(target, channel, plane):
    """A flat target with one channel set to a plane of its size: many times as fast as to stack planes."""
    end, step = tf.size(target), len(CHANNELS)
    return tf.raw_ops.TensorStridedSliceUpdate(
        input=target, begin=[channel], end=[end], strides=[step], value=tf.reshape(plane, (-1,))
    )
