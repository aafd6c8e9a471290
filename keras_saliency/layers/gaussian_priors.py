"""SAM's learned Gaussian priors."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_saliency.formulas.types import Features, Shape, Tensor

# mu_x, mu_y, sigma_x, sigma_y: the bounds, and the intervals of the uniform initial values.
BOUNDS = np.array([[0.25, 0.75], [0.35, 0.65], [0.1, 0.9], [0.2, 0.8]], "float32")
INITIAL = np.array([[0.3, 0.7], [0.3, 0.7], [0.05, 0.3], [0.05, 0.3]], "float32")
FORMS = ("sigmoid", "clip")


@keras.saving.register_keras_serializable(package="keras_saliency")
class GaussianPriors(keras.layers.Layer):
    """Joins learned Gaussians, where people tend to look, to the channels of its input (Cornia et al. 2018, SAM).

    A Gaussian has a centre and two standard deviations in shares of the width: x runs from 0 to 1 over the columns,
    and y from (1 - e) / 2 to (1 + e) / 2 over the rows, with e = height / width. Each is divided by its largest value
    on the grid. Centres and deviations stay within the published bounds.

    Args:
        count: The number of Gaussians.
        form: How they stay there. `"clip"`, as published, clips the parameters: at the start about a quarter of the
            mu_y, a fifth of the sigma_x and six tenths of the sigma_y are outside and have no gradient, ever.
            `"sigmoid"` squeezes unbounded parameters between the bounds, starts inside and always learns.

    Raises:
        ValueError: If the form is unknown.
    """

    def __init__(self, count: int = 16, form: str = "sigmoid", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if form not in FORMS:
            raise ValueError(f"Unknown form {form!r}. Known forms: {', '.join(FORMS)}.")
        self.count, self.form = count, form

    def build(self, input_shape: Shape) -> None:
        # In float32 under any policy: a hundredth of the width is much for a half.
        self.gaussians = self.add_weight(
            shape=(self.count, 4), initializer=self._initialise, dtype="float32", autocast=False, name="gaussians"
        )

    def _initialise(self, shape, dtype=None):
        shares = keras.random.uniform(shape, dtype=dtype)
        if self.form == "clip":
            low, high = _tensors(INITIAL)
            return low + (high - low) * shares
        # The part of the published interval within the bounds, off the flat ends of the sigmoid; in shares of them.
        extent = BOUNDS[:, 1:] - BOUNDS[:, :1]
        low, high = _tensors(np.clip((INITIAL - BOUNDS[:, :1]) / extent, 0.05, 0.95))
        inside = low + (high - low) * shares
        return ops.log(inside) - ops.log1p(-inside)

    def bounded(self) -> Tensor:
        """The parameters within their bounds: `(count, 4)`, mu_x, mu_y, sigma_x, sigma_y."""
        low, high = _tensors(BOUNDS)
        if self.form == "clip":
            return ops.clip(self.gaussians, low, high)
        return low + (high - low) * ops.sigmoid(self.gaussians)

    def call(self, inputs: Features) -> Features:
        height, width = ops.shape(inputs)[1:3]
        mu_x, mu_y, sigma_x, sigma_y = ops.split(self.bounded(), 4, axis=1)
        rows, columns = (ops.cast(side, "float32") for side in (height, width))
        e = rows / columns
        x = ops.expand_dims(_line(width, columns), 0)
        y = ops.expand_dims((1.0 - e) / 2 + e * _line(height, rows), 0)
        # A product of two, each divided by its largest value on the grid, as a difference of logarithms.
        horizontal, vertical = (
            -ops.square((axis - mu) / sigma) / 2 for axis, mu, sigma in ((x, mu_x, sigma_x), (y, mu_y, sigma_y))
        )
        horizontal, vertical = (
            ops.transpose(ops.exp(line - ops.max(line, axis=1, keepdims=True))) for line in (horizontal, vertical)
        )
        priors = ops.cast(ops.expand_dims(vertical, 1) * ops.expand_dims(horizontal, 0), inputs.dtype)
        return ops.concatenate([inputs, ops.broadcast_to(priors, (*ops.shape(inputs)[:3], self.count))], axis=-1)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        channels = None if input_shape[-1] is None else input_shape[-1] + self.count
        return (*input_shape[:-1], channels)

    def from_legacy(self, arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
        """The parameters from the authors' flat array, blocks of mu_x, mu_y, sigma_x and sigma_y."""
        parameters = np.reshape(arrays[0], (4, self.count)).T
        if self.form == "sigmoid":
            low, high = BOUNDS.T
            inside = np.clip((parameters - low) / (high - low), 1e-4, 1 - 1e-4)
            parameters = np.log(inside) - np.log1p(-inside)
        return [parameters]

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "count": self.count, "form": self.form}


def _tensors(intervals):
    """The lower and the upper ends of intervals as tensors, with which PyTorch mixes no arrays."""
    return (ops.convert_to_tensor(ends, "float32") for ends in intervals.T)


def _line(count, count_float):
    """From zero to one in equal steps, as `linspace`; one point alone lies at zero."""
    return ops.cast(ops.arange(count), "float32") / ops.maximum(count_float - 1.0, 1.0)
