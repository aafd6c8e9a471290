"""The convolutional LSTM of Keras 2 on one feature map that it sees several times."""

from typing import Any

import keras
from keras import ops

from keras_saliency.formulas.types import Features, Shape
from keras_saliency.layers.conv_lstm import ConvLSTM


@keras.saving.register_keras_serializable(package="keras_saliency")
class RepeatedConvLSTM(keras.layers.Layer):
    """Looks several times at one feature map, and gives the state of a `ConvLSTM` after the last look.

    It is SAM's recurrence without its attention: each step sees the same features, so that their convolution is
    computed once. The gates are those of Keras 2, as in `ConvLSTM`, whose state is zero at first.

    Args:
        filters: The channels of the state.
        steps: How often the features are seen.
        kernel_size: Of both convolutions.

    Raises:
        ValueError: If there is no step.

    Input: `(batch, height, width, channels)`. Output: `(batch, height, width, filters)`.

    Source: Wang et al. (CVPR 2018), ASNet, who use 512 channels and three steps.
    """

    def __init__(self, filters: int = 512, steps: int = 3, kernel_size: int = 3, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if steps < 1:
            raise ValueError(f"RepeatedConvLSTM needs at least one step. Received: steps={steps}.")
        self.filters, self.steps, self.kernel_size = filters, steps, kernel_size
        self.conv_lstm = ConvLSTM(filters, kernel_size, dtype=self.dtype_policy, name="conv_lstm")

    def build(self, input_shape: Shape) -> None:
        self.conv_lstm.build((input_shape[0], None, *input_shape[1:]))

    def call(self, inputs: Features) -> Features:
        seen = self.conv_lstm.of_input(inputs)
        zeros = ops.zeros((*ops.shape(seen)[:3], self.filters), seen.dtype)
        state = {"hidden": zeros, "cell": zeros}
        for _ in range(self.steps):
            state = self.conv_lstm.step(state, seen)
        return state["hidden"]

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return (*input_shape[:-1], self.filters)

    def get_config(self) -> dict[str, Any]:
        own = {name: getattr(self, name) for name in ("filters", "steps", "kernel_size")}
        return {**super().get_config(), **own}
