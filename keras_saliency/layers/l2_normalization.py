"""Dividing features by their length."""

from typing import Any

import keras
from keras import ops

from keras_saliency.formulas.types import Shape, Tensor


@keras.saving.register_keras_serializable(package="keras_saliency")
class L2Normalization(keras.layers.Layer):
    """Divides features by their L2 norm over all positions and channels, times one learned scale.

    What comes out has the scale as its norm, so that features of several depths are of one size where they are joined;
    zeros stay zeros. Computed in float32.

    Args:
        scale: The scale at the start.

    Input: `(batch, ...)`. Output: the same.

    Source: Liu & Han (TIP 2018), DSCLRCN, who start at 400 for maps and at 9 for their context.
    """

    def __init__(self, scale: float = 400.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.initial_scale = scale

    def build(self, input_shape: Shape) -> None:
        # In float32 under any policy: a step is little beside a scale in the hundreds.
        self.scale = self.add_weight(
            shape=(),
            initializer=keras.initializers.Constant(self.initial_scale),
            dtype="float32",
            autocast=False,
            name="scale",
        )

    def call(self, inputs: Tensor) -> Tensor:
        x = ops.cast(inputs, "float32")
        square = ops.sum(ops.square(x), axis=tuple(range(1, len(x.shape))), keepdims=True)
        return ops.cast(x * (self.scale * ops.rsqrt(square + 1e-10)), self.compute_dtype)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "scale": self.initial_scale}
