"""The centre bias as a layer."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_saliency.formulas.recording import as_centre_bias
from keras_saliency.formulas.resizing import resize
from keras_saliency.formulas.types import Maps, Plane, Shape, Tensor


@keras.saving.register_keras_serializable(package="keras_saliency")
class CentreBias(keras.layers.Layer):
    """Adds a learned weight times the log centre bias to a log-density (Kümmerer et al. 2016, DeepGaze II).

    The centre bias is a frozen map at the size of the input: a Gaussian with a quarter of each side as its standard
    deviation, until `set_density` gives it another. It lies over the whole input, padding included, and is resized to
    inputs of another size than the one the layer was built for. The weight starts at one.
    """

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("dtype", "float32")
        super().__init__(**kwargs)

    def build(self, input_shape: Shape) -> None:
        _, height, width, _ = input_shape
        self.weight = self.add_weight(shape=(), initializer="ones", name="weight")
        self.log_density = self.add_weight(
            shape=(1, height, width, 1), initializer=log_gaussian, trainable=False, name="log_density"
        )

    def set_density(self, density: Plane) -> None:
        """Takes a centre bias `(height, width)` of any scale; it is resized to the layer's map.

        Raises:
            ValueError: If it is not a positive, finite map.
        """
        log_density = np.log(as_centre_bias(density)).astype("float32")[None, ..., None]
        size = self.log_density.shape[1:3]
        resized = ops.image.resize(log_density, size, antialias=True, data_format="channels_last")
        self.log_density.assign(resized - ops.max(resized))

    def call(self, inputs: Maps) -> Maps:
        log_density = ops.convert_to_tensor(self.log_density)
        if inputs.shape[1:3] != log_density.shape[1:3]:
            log_density = resize(log_density, ops.shape(inputs)[1:3])
        return inputs + self.weight * log_density


def log_gaussian(shape: Sequence[int], dtype: str | None = None) -> Tensor:
    """The initializer of a central Gaussian with a quarter of each side as its standard deviation, as a logarithm."""
    y, x = (((np.arange(side) + 0.5) / side - 0.5) / 0.25 for side in shape[1:3])
    plane = -(y[:, None] ** 2 + x**2)[None, ..., None] / 2
    return ops.convert_to_tensor(np.broadcast_to(plane, shape), dtype)
