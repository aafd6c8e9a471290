"""Stretching each map from zero to one."""

from typing import Any

import keras
from keras import ops

from keras_saliency.formulas.maps import SPATIAL
from keras_saliency.formulas.types import Maps


@keras.saving.register_keras_serializable(package="keras_saliency")
class MinMax(keras.layers.Layer):
    """Stretches each map from zero to one over the image (Kroner et al. 2020, MSI-Net); a constant map becomes zero."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("dtype", "float32")
        super().__init__(**kwargs)

    def call(self, inputs: Maps) -> Maps:
        lifted = inputs - ops.min(inputs, SPATIAL, keepdims=True)
        peak = ops.max(lifted, SPATIAL, keepdims=True)
        return lifted / ops.where(peak > 0, peak, 1.0)
