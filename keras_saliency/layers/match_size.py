"""Resizing one map to the size of another."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from keras_saliency.formulas import maps
from keras_saliency.formulas.resizing import known_interpolation, resize
from keras_saliency.formulas.types import Features, Shape

NORMALISE = {"map": lambda resized: resized, "density": maps.to_density, "log-density": maps.log_softmax}


@keras.saving.register_keras_serializable(package="keras_saliency")
class MatchSize(keras.layers.Layer):
    """Resizes the first of two inputs to the height and width of the second; nothing happens where they agree.

    It holds no size, so that a network may be given images of any size, odd ones included.

    Args:
        interpolation: One of `formulas.resizing.INTERPOLATIONS`: `"bilinear"` and others.
        gives: What the first input is: a `"log-density"` or `"density"` is normalised again after it was resized, any
            other `"map"` is not.

    Raises:
        ValueError: If `gives` or `interpolation` is unknown.
    """

    def __init__(self, interpolation: str = "bilinear", gives: str = "map", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if gives not in NORMALISE:
            raise ValueError(f"Unknown gives={gives!r}. Known: {', '.join(NORMALISE)}.")
        self.interpolation, self.gives = known_interpolation(interpolation), gives

    def call(self, inputs: Sequence[Features]) -> Features:
        x, like = inputs
        if x.shape[1:3] == like.shape[1:3] and None not in x.shape[1:3]:
            return x
        resized = resize(x, ops.shape(like)[1:3], self.interpolation)
        return NORMALISE[self.gives](resized)

    def compute_output_shape(self, input_shape: Sequence[Shape]) -> Shape:
        x, like = input_shape
        return (x[0], like[1], like[2], x[3])

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "interpolation": self.interpolation, "gives": self.gives}
