"""Convolution by kernels of length one."""

from typing import Any

import keras
from keras import layers, ops

from keras_saliency.formulas.types import Features


@keras.saving.register_keras_serializable(package="keras_saliency")
class UnitConv2D(layers.Conv2D):
    """A convolution whose kernel is divided by its length, for each channel of the output by itself.

    It is weight normalisation (Salimans & Kingma 2016) with a fixed gain of one, as in SalGAN's discriminator.
    Arguments, input and output are those of `keras.layers.Conv2D`, channels last.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"data_format": "channels_last", **kwargs})

    def call(self, inputs: Features) -> Features:
        length = ops.sqrt(1e-6 + ops.sum(ops.square(self.kernel), axis=(0, 1, 2)))
        return self.activation(self.convolution_op(inputs, self.kernel / length) + self.bias)
