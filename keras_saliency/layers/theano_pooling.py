"""Max pooling as Keras 1 had it on Theano."""

from typing import Any

import keras
from keras import layers, ops

from keras_saliency.formulas.types import Features, Shape

BEFORE = "before"


@keras.saving.register_keras_serializable(package="keras_saliency")
class TheanoMaxPooling2D(layers.MaxPooling2D):
    """Max pooling of maps without negative values that is padded by zeros above and on the left alone.

    So Keras 1 padded windows of even size on Theano where TensorFlow pads below and on the right: ML-Net and SAM, whose
    weights come from there, see other pixels together. The output has the size that `padding="same"` gives.

    Args:
        padding: `"before"`; there is no other.
        **kwargs: As in `keras.layers.MaxPooling2D`.

    Raises:
        ValueError: If `padding` is anything else.
    """

    def __init__(self, padding: str = BEFORE, **kwargs: Any) -> None:
        super().__init__(padding="valid", **{"data_format": "channels_last", **kwargs})
        if padding != BEFORE:
            raise ValueError(f"TheanoMaxPooling2D has the padding {BEFORE!r}. Received: {padding!r}.")

    def call(self, inputs: Features) -> Features:
        return super().call(ops.pad(inputs, [(0, 0), *((size - 1, 0) for size in self.pool_size), (0, 0)]))

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        steps = zip(input_shape[1:3], self.strides, strict=True)
        return (input_shape[0], *(side and -(-side // step) for side, step in steps), input_shape[3])

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "padding": BEFORE}
