"""Outputs around zero as grey values."""

from typing import Any

import keras
from keras import ops

from keras_saliency.formulas.types import Maps


@keras.saving.register_keras_serializable(package="keras_saliency")
class GreyValues(keras.layers.Layer):
    """The map of an output that was trained on grey values v as (v - 127) / 128 (Pan et al., CVPR 2016, SalNet).

    Clipped to [0, 1], black and white.
    """

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("dtype", "float32")
        super().__init__(**kwargs)

    def call(self, inputs: Maps) -> Maps:
        return ops.clip((128.0 * inputs + 127.0) / 255.0, 0.0, 1.0)
