"""The normalisation across channels of the networks of 2012 to 2014."""

from typing import Any

import keras
from keras import ops

from keras_saliency.formulas.types import Features, Shape


@keras.saving.register_keras_serializable(package="keras_saliency")
class LocalResponseNormalization(keras.layers.Layer):
    """Divides each channel by a power of the squares of the channels around it (Krizhevsky et al. 2012).

    In Caffe's form, `x / (k + alpha / local_size * sum) ** beta`, where the sum is that of the squares of the
    `local_size` channels centred on this one; channels that do not exist count as zero. Computed in float32.

    Args:
        local_size: The number of channels, odd.
        alpha: The weight of the mean square.
        beta: The power.
        k: What is added to the mean square.
        **kwargs: As in `keras.layers.Layer`.

    Raises:
        ValueError: If `local_size` is not odd and positive.
    """

    def __init__(
        self, local_size: int = 5, alpha: float = 5e-4, beta: float = 0.75, k: float = 2.0, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        if local_size < 1 or local_size % 2 == 0:
            raise ValueError(f"local_size must be odd and positive. Received: {local_size}.")
        self.local_size, self.alpha, self.beta, self.k = local_size, alpha, beta, k

    def call(self, inputs: Features) -> Features:
        x = ops.cast(inputs, "float32")
        channels, half = inputs.shape[-1], self.local_size // 2
        squares = ops.pad(ops.square(x), [(0, 0)] * (len(inputs.shape) - 1) + [(half, half)])
        total = sum(squares[..., i : i + channels] for i in range(self.local_size))
        return ops.cast(x / (self.k + self.alpha / self.local_size * total) ** self.beta, self.compute_dtype)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "local_size": self.local_size,
            "alpha": self.alpha,
            "beta": self.beta,
            "k": self.k,
        }
