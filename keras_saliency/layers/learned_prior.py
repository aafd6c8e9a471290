"""ML-Net's learned prior."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_saliency.formulas.resizing import known_interpolation, resize
from keras_saliency.formulas.types import Maps, Shape


@keras.saving.register_keras_serializable(package="keras_saliency")
class LearnedPrior(keras.layers.Layer):
    """Multiplies a map by one plus a coarse learned map, interpolated (Cornia et al. 2016, ML-Net).

    Where that factor is negative it is zero, so that a ReLU after the layer gives what ML-Net's ReLUs before and after
    its product give.

    Args:
        shape: `(height, width)` of the coarse map; it starts at zero, and an L2 penalty of factor 1 / (height * width)
            pulls it back there, as published.
        interpolation: One of `formulas.resizing.INTERPOLATIONS`; ML-Net has `"bilinear-theano"`.

    Raises:
        ValueError: If `interpolation` is unknown.
    """

    legacy_kernels = False  # The prior has four axes, and none of them is a kernel's.

    def __init__(self, shape: tuple[int, int] = (6, 8), interpolation: str = "bilinear", **kwargs: Any) -> None:
        kwargs.setdefault("dtype", "float32")
        super().__init__(**kwargs)
        self.shape, self.interpolation = tuple(shape), known_interpolation(interpolation)

    def build(self, input_shape: Shape) -> None:
        self.prior = self.add_weight(
            shape=(1, *self.shape, 1),
            initializer="zeros",
            regularizer=keras.regularizers.L2(1.0 / (self.shape[0] * self.shape[1])),
            name="prior",
        )

    def call(self, inputs: Maps) -> Maps:
        factor = resize(1.0 + self.prior, ops.shape(inputs)[1:3], self.interpolation)
        return inputs * ops.relu(factor)

    def from_legacy(self, arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
        """The prior from the authors' `(1, 1, rows, columns)`."""
        return [arrays[0].reshape(1, *self.shape, 1)]

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "shape": self.shape, "interpolation": self.interpolation}
