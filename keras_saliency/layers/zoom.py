"""Resizing by a factor."""

from typing import Any

import keras
from keras import ops

from keras_saliency.formulas.resizing import known_interpolation, resize
from keras_saliency.formulas.types import Features, Shape


@keras.saving.register_keras_serializable(package="keras_saliency")
class Zoom(keras.layers.Layer):
    """Resizes maps by a factor for each side, rounded to whole pixels, or to multiples of some.

    Unlike `keras.layers.Resizing` it takes inputs of any size, and unlike `keras.layers.UpSampling2D` any factor.

    Args:
        factors: `(vertical, horizontal)`, positive.
        interpolation: One of `formulas.resizing.INTERPOLATIONS`: `"bilinear"` and others.
        multiple: What both sides become a multiple of.

    Raises:
        ValueError: If a factor is not positive, or `interpolation` is unknown.
    """

    def __init__(
        self, factors: tuple[float, float], interpolation: str = "bilinear", multiple: int = 1, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        if len(factors) != 2 or not min(factors) > 0:
            raise ValueError(f"Zoom needs two positive factors. Received: factors={factors}.")
        self.factors, self.interpolation = tuple(factors), known_interpolation(interpolation)
        self.multiple = multiple

    def call(self, inputs: Features) -> Features:
        size = [self._side(*pair) for pair in zip(ops.shape(inputs)[1:3], self.factors, strict=True)]
        if tuple(size) == tuple(inputs.shape[1:3]):
            return inputs
        return resize(inputs, size, self.interpolation)

    def _side(self, side, factor):
        if isinstance(side, int):
            return self.multiple * max(1, round(side * factor / self.multiple))
        cells = ops.cast(ops.round(ops.cast(side, "float32") * (factor / self.multiple)), "int32")
        return self.multiple * ops.maximum(cells, 1)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        sides = [
            side if side is None else self._side(side, factor)
            for side, factor in zip(input_shape[1:3], self.factors, strict=True)
        ]
        return (input_shape[0], *sides, input_shape[3])

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "factors": self.factors,
            "interpolation": self.interpolation,
            "multiple": self.multiple,
        }
