"""How the places of a map lie, seen from some of them."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from keras_saliency.formulas.types import Features, Shape

SIDE = 32.0  # what the longer side of a map counts: in most recordings about its degrees of visual angle


@keras.saving.register_keras_serializable(package="keras_saliency")
class SeenFrom(keras.layers.Layer):
    """Linear functions of where each place of a map lies, seen from the last fixations (DeepGaze III).

    For each fixation the offsets to the right and downwards and the distance have weights, and there is a bias; what
    all fixations say is added. A fixation that is not there says nothing. Offsets are in parts of the longer side of
    the map, of which it has 32, and so at any size the same.

    Inputs are a map `(batch, height, width, channels)`, of which the size alone counts, and the fixations as two
    tensors `(batch, fixations)`, the last one first: x in shares of the width and y in shares of the height, NaN for
    one that is not there. A map alone has none.

    Args:
        filters: How many functions there are.
        fixations: How many of the last fixations count.

    Raises:
        ValueError: If one of them is less than one.

    Source: Kümmerer, Bethge & Wallis (2022), "DeepGaze III: Modeling free-viewing human scanpaths with deep learning".
    """

    def __init__(self, filters: int = 128, fixations: int = 4, **kwargs: Any) -> None:
        kwargs.setdefault("dtype", "float32")
        super().__init__(**kwargs)
        if min(filters, fixations) < 1:
            raise ValueError(f"SeenFrom needs one filter and fixation at least. Received: {filters}, {fixations}.")
        self.filters, self.fixations = filters, fixations

    def build(self, input_shape: Sequence[Shape]) -> None:
        # As a convolution of three channels begins in PyTorch, where it was published.
        initial = {name: keras.initializers.RandomUniform(-(3**-0.5), 3**-0.5) for name in ("kernel", "bias")}
        self.kernel = self.add_weight((self.fixations, 3, self.filters), initial["kernel"], name="kernel")
        self.bias = self.add_weight((self.fixations, self.filters), initial["bias"], name="bias")

    def call(self, inputs: Sequence[Features]) -> Features:
        if len(inputs) == 1:
            return ops.zeros((*ops.shape(inputs[0])[:3], self.filters), self.compute_dtype)
        map_, x, y = inputs
        height, width = ops.shape(map_)[1:3]
        sides = [ops.cast(side, self.compute_dtype) for side in (height, width)]
        unit = SIDE / ops.maximum(*sides)
        known = ops.logical_not(ops.logical_or(ops.isnan(x), ops.isnan(y)))
        present = ops.cast(known, self.compute_dtype)[:, None]
        offsets = []
        for length, side, at in zip((height, width), sides, (y, x), strict=True):
            places = ops.cast(ops.arange(length), self.compute_dtype) + 0.5
            shares = ops.where(known, at, 0.0)
            offsets.append((places[None, :, None] - shares[:, None] * side) * unit * present)
        down, right = offsets  # (batch, height or width, fixations)
        distance = ops.sqrt(down[:, :, None] ** 2 + right[:, None] ** 2)
        said = ops.matmul(distance, self.kernel[:, 2])
        said += ops.matmul(down, self.kernel[:, 1])[:, :, None] + ops.matmul(right, self.kernel[:, 0])[:, None]
        return said + ops.matmul(present, self.bias)[:, None]

    def compute_output_shape(self, input_shape: Sequence[Shape]) -> Shape:
        return (*input_shape[0][:3], self.filters)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "filters": self.filters, "fixations": self.fixations}
