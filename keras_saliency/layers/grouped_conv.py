"""Convolution in groups of channels."""

from typing import Any

import keras
from keras import layers, ops

from keras_saliency.formulas.types import Features, Tensor


@keras.saving.register_keras_serializable(package="keras_saliency")
class GroupedConv2D(layers.Conv2D):
    """A convolution whose `groups` are computed one by one, as AlexNet's two halves were (Krizhevsky et al. 2012).

    It gives what `keras.layers.Conv2D` gives with as many groups, which Keras on TensorFlow compiles by XLA: outside of
    a graph at every call. Arguments, input and output are those of that layer, channels last.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"data_format": "channels_last", **kwargs})

    def convolution_op(self, inputs: Features, kernel: Tensor) -> Features:
        groups = zip(*(ops.split(each, self.groups, axis=-1) for each in (inputs, kernel)), strict=True)
        return ops.concatenate([super(GroupedConv2D, self).convolution_op(*group) for group in groups], axis=-1)
