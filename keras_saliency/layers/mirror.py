"""Mirroring."""

import keras
from keras import ops

from keras_saliency.formulas.types import Features


@keras.saving.register_keras_serializable(package="keras_saliency")
class Mirror(keras.layers.Layer):
    """Exchanges left and right; `keras.layers.RandomFlip` does so in training alone."""

    def call(self, inputs: Features) -> Features:
        return ops.flip(inputs, axis=2)
