"""The normalisation that makes a map a log-density."""

from typing import Any

import keras

from keras_saliency.formulas import maps
from keras_saliency.formulas.types import Maps


@keras.saving.register_keras_serializable(package="keras_saliency")
class LogSoftmax(keras.layers.Layer):
    """Normalises each map so that its exponential sums to one over the image; computed in float32."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("dtype", "float32")
        super().__init__(**kwargs)

    def call(self, inputs: Maps) -> Maps:
        return maps.log_softmax(inputs)
