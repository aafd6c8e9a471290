"""Augmentation that keeps the truth true: what moves an image moves the coordinates of its fixations alike."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from keras_saliency.data.geometry import known
from keras_saliency.formulas.types import Size, Tensor, Unbatched

# What there is, the largest value that makes sense, and what the value means.
KINDS = {
    "crop": (0.9, "the largest share of each side that is cut off"),
    "shrink": (0.9, "the largest share by which the image is made smaller; the rest is padding"),
    "rotation": (45.0, "the largest angle, in degrees, to either side"),
    "colour": (1.0, "by how much contrast, brightness and saturation change at most, as a share"),
    "blur": (20.0, "the largest standard deviation of a Gaussian blur, in pixels of the image that the network sees"),
}


def require_known(augment: Mapping[str, float]) -> None:
    """Checks names and values.

    Raises:
        ValueError: If a name is unknown or a value is out of range; names it.
    """
    for name, value in augment.items():
        if name not in KINDS:
            raise ValueError(f"Unknown augmentation {name!r}. Known augmentations: {', '.join(KINDS)}.")
        largest, meaning = KINDS[name]
        if not 0 <= value <= largest:
            raise ValueError(f"The augmentation {name}, {meaning}, is from 0 to {largest:g}. Received: {value}.")


class Move(NamedTuple):
    """Where an image goes: made `inner` pixels large, turned about its centre, and that put at `centre` of a canvas.

    Attributes:
        inner: `(height, width)` of the resized image, int32.
        angle: In radians, clockwise.
        centre: `(y, x)` of the canvas where the centre of the image comes to lie.
        canvas: `(height, width)`.
    """

    inner: Tensor
    angle: Tensor
    centre: Tensor
    canvas: Size | Sequence[Tensor]

    def points(self, y: Tensor, x: Tensor, image_size: Tensor) -> tuple[Tensor, Tensor]:
        """Where points of an image `(height, width)` are on the canvas."""
        inner, image_size = tf.cast(self.inner, tf.float32), tf.cast(image_size, tf.float32)
        down, across = (point * inner[i] / image_size[i] - inner[i] / 2 for i, point in enumerate((y, x)))
        cosine, sine = tf.cos(self.angle), tf.sin(self.angle)
        return self.centre[0] + sine * across + cosine * down, self.centre[1] + cosine * across - sine * down

    def _back(self):
        """The rows of the matrix from `(x, y, 1)` on the canvas to the resized image."""
        inner = tf.cast(self.inner, tf.float32)
        cosine, sine = tf.cos(self.angle), tf.sin(self.angle)
        (y, x), (down, across) = tf.unstack(self.centre), tf.unstack(inner / 2)
        return (cosine, sine, across - cosine * x - sine * y), (-sine, cosine, down + sine * x - cosine * y)

    def image(self, resized: Unbatched, fill: float) -> Unbatched:
        """The resized image on the canvas, interpolated bilinearly, the rest filled."""
        # The operation counts from the centre of the first pixel.
        shifted = [(a, b, c + 0.5 * (a + b) - 0.5) for a, b, c in self._back()]
        transform = tf.stack([*shifted[0], *shifted[1], 0.0, 0.0])[None]
        moved = tf.raw_ops.ImageProjectiveTransformV3(
            images=resized[None],
            transforms=transform,
            output_shape=self.canvas,
            fill_value=fill,
            interpolation="BILINEAR",
            fill_mode="CONSTANT",
        )
        return tf.ensure_shape(moved[0], (*known(self.canvas), resized.shape[-1]))

    def valid(self, part: Tensor) -> Unbatched:
        """One where the canvas shows the image, zero in padding and margins, `(height, width)`.

        Args:
            part: What of the image is no margin, `(4,)`: top, left, bottom, right as shares of its sides.
        """
        top, left, bottom, right = tf.unstack(part)
        y, x = (tf.range(side, dtype=tf.float32) + 0.5 for side in self.canvas)
        inner = tf.cast(self.inner, tf.float32)
        inside = tf.ones(self.canvas, tf.bool)
        sides = ((inner[1], left, right), (inner[0], top, bottom))
        for (a, b, c), (side, begin, end) in zip(self._back(), sides, strict=True):
            at = a * x[None] + b * y[:, None] + c
            inside &= (at > begin * side) & (at < end * side)
        return tf.cast(inside, tf.float32)

    def of_size(self, canvas: Size | Sequence[Tensor]) -> "Move":
        """The same on a canvas of another size and the same shape."""
        scale = tf.cast(tf.stack(canvas) / tf.stack(self.canvas), tf.float32)
        inner = tf.maximum(tf.cast(tf.round(tf.cast(self.inner, tf.float32) * scale), tf.int32), 1)
        return Move(inner, self.angle, self.centre * scale, canvas)


def mover(augment: Mapping[str, float]) -> Callable[[Tensor, Any, Any, Any], Move]:
    """What draws how an image is moved on a canvas.

    Args:
        augment: From a name of `KINDS` to its value.

    Returns:
        A graph function to a `Move`, from a seed `(2,)`; the canvas, `(height, width)`; the box of the image on it; and
        whether it is moved at all, else it is in its box.
    """
    largest, smallest = 1 / (1 - augment.get("crop", 0.0)), 1 - augment.get("shrink", 0.0)
    turn, shift = np.deg2rad(augment.get("rotation", 0.0)), float(smallest < largest)

    def draw(seed, size, box, moved):
        canvas, box = (tf.cast(tf.stack(each), tf.float32) for each in (size, box))
        zoom, turned, *place = tf.unstack(tf.random.stateless_uniform([4], seed, -1.0, 1.0))
        zoom = smallest * (largest / smallest) ** ((zoom + 1) / 2)
        inner = tf.round(box[2:] * tf.where(moved, zoom, 1.0))
        # As far as no more of the image is cut off than has to be.
        slack = tf.abs(canvas - inner) / 2
        centre = canvas / 2 + shift * slack * tf.stack(place)
        still = box[:2] + box[2:] / 2
        angle = tf.where(moved, turn * turned, 0.0)
        inner = tf.maximum(tf.cast(inner, tf.int32), 1)
        return Move(inner, angle, tf.where(moved, centre, still), tuple(size))

    return draw


def recolour(image: Unbatched, seed: Tensor, augment: Mapping[str, float]) -> Unbatched:
    """An image `(height, width, 3)` in [0, 255] with other contrast, brightness and saturation, and blurred."""
    contrast, brightness, saturation, blur = tf.unstack(tf.random.stateless_uniform([4], seed + 1, -1.0, 1.0))
    if strength := augment.get("colour", 0.0):
        image = image * (1 + strength * brightness)
        mean = tf.reduce_mean(image)
        image = mean + (image - mean) * (1 + strength * contrast)
        grey = tf.reduce_mean(image, -1, keepdims=True)
        image = tf.clip_by_value(grey + (image - grey) * (1 + strength * saturation), 0.0, 255.0)
    if largest := augment.get("blur", 0.0):
        reach = int(np.ceil(3 * largest))
        places = tf.range(-reach, reach + 1, dtype=tf.float32)
        kernel = tf.nn.softmax(-0.5 * tf.square(places / tf.maximum(tf.abs(blur) * largest, 1e-3)))
        around = tf.pad(image, [[reach, reach], [reach, reach], [0, 0]], "SYMMETRIC")[None]
        down, across = (tf.tile(tf.reshape(kernel, shape), (1, 1, 3, 1)) for shape in ((-1, 1, 1, 1), (1, -1, 1, 1)))
        for line in (down, across):
            around = tf.nn.depthwise_conv2d(around, line, (1, 1, 1, 1), "VALID")
        image = around[0]
    return image
