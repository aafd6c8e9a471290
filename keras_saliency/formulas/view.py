"""At which size a network sees a picture: one that the shape of the picture asks for."""

import dataclasses
import numbers
from typing import Any

import numpy as np

from keras_saliency.formulas.types import Size, Tensor

AREA = 240 * 320  # pixels
LONGEST = 3  # shorter sides that the longer side of a picture has which is seen whole
MAX_SEEN = 1 << 26  # pixels of what a network sees of one picture


def _is_number(value):
    return isinstance(value, numbers.Real) and not isinstance(value, bool)


@dataclasses.dataclass(frozen=True)
class View:
    """How a network sees pictures of any shape: made larger or smaller, not cut, and without padding.

    Both sides are multiples of the stride, and their ratio is that of the picture to half a stride. The longer side of
    a picture may be `LONGEST` times as long as the shorter one; a longer picture is seen in windows of that shape.

    Attributes:
        area: The pixels of a picture, or of a window of it, as near as the stride lets them.
        stride: What both sides are multiples of: that of the coarsest features, or a multiple of it.
        pixels_per_degree: The pixels of a degree of visual angle, in place of the area, where it is known how many the
            picture has, so that an object has the same size for the network whatever the screen.

    Raises:
        ValueError: If one is not above zero, or the area less than a square of the stride.
    """

    area: int = AREA
    stride: int = 32
    pixels_per_degree: float | None = None

    def __post_init__(self) -> None:
        if not _is_number(self.area) or not self.stride >= 1 or not self.stride**2 <= self.area <= MAX_SEEN:
            raise ValueError(
                f"area must be from {self.stride**2} pixels, a square of the stride, to {MAX_SEEN}. "
                f"Received: area={self.area}."
            )
        degrees = self.pixels_per_degree
        if degrees is not None and not (_is_number(degrees) and 0 < degrees < float("inf")):
            raise ValueError(
                f"pixels_per_degree must be above 0, or None. Received: pixels_per_degree={self.pixels_per_degree}."
            )

    def sides(self, image_size: Tensor, pixels_per_degree: Tensor | None = None, ops: Any = np) -> Tensor:
        """The size at which pictures are seen, all windows together.

        Args:
            image_size: `(..., 2)`, float64: height and width of the pictures, in pixels.
            pixels_per_degree: Those of the pictures, `(..., 1)`, float64; None where they are not known.
            ops: Where `sqrt`, `round`, `minimum`, `maximum` and `where` are taken from: NumPy, or TensorFlow.

        Returns:
            `(..., 2)`, float64, whole multiples of the stride.
        """
        height, width = image_size[..., :1], image_size[..., 1:]
        short, ratio = ops.minimum(height, width), ops.maximum(height / width, width / height)
        seen = ops.sqrt(self.area / ops.minimum(ratio, LONGEST))
        if self.pixels_per_degree is not None and pixels_per_degree is not None:
            seen = short * self.pixels_per_degree / pixels_per_degree
        cells = ops.maximum(ops.round(seen / self.stride), 1.0)
        return self.stride * ops.where(image_size == short, cells, ops.round(cells * ratio))

    def of(self, image_size: Size, pixels_per_degree: float | None = None, name: str = "The picture") -> Size:
        """The size at which one picture is seen.

        Args:
            image_size: `(height, width)` in pixels.
            pixels_per_degree: As far as known.
            name: What an error calls the picture.

        Raises:
            ValueError: If a side of the picture is below the stride, more than `MAX_SEEN` pixels would be seen, or its
                pixels per degree are not above zero.
        """
        if pixels_per_degree is not None and not 0 < pixels_per_degree < float("inf"):
            raise ValueError(f"pixels_per_degree of {name} must be above 0. Received: {pixels_per_degree}.")
        height, width = map(int, self.sides(np.array(image_size, "float64"), pixels_per_degree))
        if min(image_size) < self.stride:
            raise ValueError(
                f"{name} has {image_size[0]}x{image_size[1]} pixels, and the network needs {self.stride} on each side. "
                "Make it larger."
            )
        if height * width > MAX_SEEN:
            raise ValueError(
                f"{name} has {image_size[0]}x{image_size[1]} pixels, of which the network would see {height}x{width}, "
                f"more than {MAX_SEEN}. Cut it into parts, or choose a smaller area."
            )
        return height, width
