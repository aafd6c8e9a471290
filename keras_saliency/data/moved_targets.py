"""The targets of images that are moved by augmentation, in TensorFlow graphs."""

from typing import Any

import numpy as np
import tensorflow as tf

from keras_saliency.data import geometry
from keras_saliency.data.augmentation import Move
from keras_saliency.data.targets import either, measured, picture_shares, rows_of
from keras_saliency.data.windows import Places
from keras_saliency.formulas.types import Tensor, Unbatched


class MovedTargets:
    """Makes targets of images that a `Move` has put on a canvas.

    Args:
        samples: As in `pipeline`.
        aim: Where the targets lie.
        sigma: The blur in pixels of the original image; by default that of each sample.
    """

    def __init__(self, samples: Any, aim: Places, sigma: float | None = None) -> None:
        self.samples, self.canvas_of = samples, rows_of(aim.canvases)
        self.sizes = tf.constant([sample.size for sample in samples], tf.float32)
        self.sigmas = tf.constant([sample.sigma if sigma is None else sigma for sample in samples], tf.float32)
        self.x, self.y = (
            tf.constant(np.concatenate([getattr(sample.fixations, axis) for sample in samples]), tf.float32)
            for axis in "xy"
        )
        self.starts = tf.constant(np.cumsum([0, *(len(sample.fixations) for sample in samples)]), tf.int32)
        self.unknown = tf.constant([not len(sample.fixations) for sample in samples])
        self.pictures = tf.constant(picture_shares(samples))
        self.mapped = [sample.ground_truth is not None for sample in samples]

    def points(self, i: Tensor, move: Move) -> tuple[Tensor, Tensor]:
        """Rows and columns, int32, of the fixations of a sample that are left on the canvas."""
        own = slice(self.starts[i], self.starts[i + 1])
        y, x = move.points(self.y[own], self.x[own], self.sizes[i])
        height, width = (tf.cast(side, tf.float32) for side in move.canvas)
        left = (y >= 0) & (y < height) & (x >= 0) & (x < width)
        return tuple(tf.cast(tf.floor(tf.boolean_mask(axis, left)), tf.int32) for axis in (y, x))  # type: ignore[return-value]

    def leaves_any(self, i: Tensor, move: Move) -> Tensor:
        """Whether a target is left: some of its fixations, or its map."""
        return self.unknown[i] | (tf.size(self.points(i, move)[0]) > 0)

    def make(self, i: Tensor, move: Move, flipped: Tensor) -> Unbatched:
        """The packed target: density, fixation counts, validity mask."""
        move = move.of_size(self.canvas_of(i))
        rows, columns = self.points(i, move)
        valid = move.valid(self.pictures[i])

        def blurred():
            scale = tf.sqrt(tf.reduce_prod(tf.cast(move.inner, tf.float32) / self.sizes[i]))
            axes = zip((rows, columns), move.canvas, strict=True)
            down, across = (geometry.kernels(at, side, self.sigmas[i] * scale) for at, side in axes)
            return tf.matmul(down, across, transpose_a=True)

        density = either(self.mapped, i, lambda: self._moved_map(i, move), blurred)
        density = density * valid
        density = tf.math.divide_no_nan(density, tf.reduce_max(density))
        counts = tf.scatter_nd(tf.stack([rows, columns], 1), tf.ones_like(rows, tf.float32), move.canvas)
        counts = tf.where(self.unknown[i], np.nan, counts)
        target = tf.stack([density, counts, valid], -1)
        return tf.where(flipped, target[:, ::-1], target)

    def _moved_map(self, i, move):
        return move.image(measured(self.samples, i, tf.unstack(move.inner))[..., None], 0.0)[..., 0]
