"""A Gaussian blur whose width is learned."""

import math
from typing import Any

import keras
from keras import ops

from keras_saliency.formulas import maps
from keras_saliency.formulas.types import Maps, Shape


@keras.saving.register_keras_serializable(package="keras_saliency")
class LearnedBlur(keras.layers.Layer):
    """Blurs one-channel maps by a Gaussian of learned standard deviation, with mirrored borders.

    Args:
        sigma: The initial standard deviation in pixels of the input; it stays positive, being learned as a logarithm.
    """

    def __init__(self, sigma: float = 2.0, **kwargs: Any) -> None:
        kwargs.setdefault("dtype", "float32")
        super().__init__(**kwargs)
        if not sigma > 0:
            raise ValueError(f"LearnedBlur needs a positive sigma. Received: sigma={sigma}.")
        self.sigma = sigma

    def build(self, input_shape: Shape) -> None:
        initial = keras.initializers.Constant(math.log(self.sigma))
        self.log_sigma = self.add_weight(shape=(), initializer=initial, name="log_sigma")

    def call(self, inputs: Maps) -> Maps:
        return maps.blur(inputs, ops.exp(self.log_sigma))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "sigma": self.sigma}
