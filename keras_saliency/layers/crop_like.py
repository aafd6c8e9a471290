"""Cutting one map to the size of another."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from keras_saliency.formulas.resizing import resize
from keras_saliency.formulas.types import Features, Shape


@keras.saving.register_keras_serializable(package="keras_saliency")
class CropLike(keras.layers.Layer):
    """Cuts the first of two inputs to the height and width of the second, from the upper left corner.

    So maps lie on each other whose networks rounded odd sides up. Where the first is the smaller one, it is resized.

    Args:
        margin: Pixels that are left out above and on the left.
    """

    def __init__(self, margin: int = 0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.margin = margin

    def call(self, inputs: Sequence[Features]) -> Features:
        x, like = inputs
        height, width = size = ops.shape(like)[1:3]
        x = x[:, self.margin : self.margin + height, self.margin : self.margin + width]
        return x if tuple(x.shape[1:3]) == tuple(size) else resize(x, size)

    def compute_output_shape(self, input_shape: Sequence[Shape]) -> Shape:
        x, like = input_shape
        return (x[0], like[1], like[2], x[3])

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "margin": self.margin}
