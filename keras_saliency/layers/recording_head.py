"""The head of a recording."""

from collections.abc import Callable, Mapping
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_saliency.formulas.maps import blur
from keras_saliency.formulas.recording import recorded
from keras_saliency.formulas.resizing import resize
from keras_saliency.formulas.types import Maps, Plane, Shape, Size

# Name of a weight -> its initial value, and what it must be.
NUMBERS: dict[str, tuple[float, Callable[[float], bool]]] = {
    "gain": (1.0, lambda value: value >= 0),
    "blur": (0.0, lambda value: value >= 0),
    "centre_weight": (0.0, lambda value: True),
    "uniform_share": (0.0, lambda value: 0 <= value < 1),
}


@keras.saving.register_keras_serializable(package="keras_saliency")
class RecordingHead(keras.layers.Layer):
    """Makes the log-density of one recording of what a network says of a picture, by four numbers and a centre bias.

    `keras_saliency.formulas.recording.recorded`, after a blur. As it is made, it changes nothing but that it
    normalises; `set` gives it what `keras_saliency.adapt` has found. Everything is relative to the map, so that maps of
    any size can come.

    Args:
        grid: `(height, width)` of the map of the centre bias, which is stretched over each input.
    """

    def __init__(self, grid: Size = (120, 160), **kwargs: Any) -> None:
        kwargs.setdefault("dtype", "float32")
        super().__init__(**kwargs)
        self.grid = tuple(grid)

    def build(self, input_shape: Shape) -> None:
        for name, (initial, _) in NUMBERS.items():
            setattr(self, name, self.add_weight(shape=(), initializer=keras.initializers.Constant(initial), name=name))
        self.log_centre_bias = self.add_weight(
            shape=(1, *self.grid, 1), initializer="zeros", trainable=False, name="log_centre_bias"
        )

    @property
    def numbers(self) -> dict[str, float]:
        """The four numbers by their names: `gain`, `blur`, `centre_weight`, `uniform_share`."""
        return {name: float(ops.convert_to_numpy(getattr(self, name))) for name in NUMBERS}

    def set(self, numbers: Mapping[str, float], centre_bias: Plane) -> None:
        """Takes the four numbers of `numbers` and a centre bias.

        Args:
            numbers: The gain and `blur`, the standard deviation as a share of the square root of a map's pixels, both
                not negative; `centre_weight`; `uniform_share` in [0, 1).
            centre_bias: `(height, width)` of the grid, positive, of any scale.

        Raises:
            ValueError: If one is out of range; nothing is changed then.
        """
        wrong = [n for n, (_, fits) in NUMBERS.items() if not (np.isfinite(numbers[n]) and fits(numbers[n]))]
        if wrong:
            raise ValueError(
                f"{wrong[0]} of a RecordingHead is out of range. Received: {wrong[0]}={numbers[wrong[0]]}."
            )
        centre_bias = np.asarray(centre_bias, "float64")
        if centre_bias.shape != self.grid or not np.isfinite(centre_bias).all() or centre_bias.min() <= 0:
            raise ValueError(
                f"The centre bias of a RecordingHead must be a finite, positive density of shape {self.grid}. "
                f"Received: shape {centre_bias.shape}, minimum {centre_bias.min() if centre_bias.size else None}."
            )
        for name in NUMBERS:
            getattr(self, name).assign(numbers[name])
        self.log_centre_bias.assign(np.log(centre_bias / centre_bias.max())[None, ..., None])

    def call(self, inputs: Maps) -> Maps:
        size = ops.shape(inputs)[1:3]
        sides = [ops.cast(side, "float32") for side in size]
        blurred = blur(inputs, self.blur * ops.sqrt(sides[0] * sides[1]))
        bias = resize(ops.convert_to_tensor(self.log_centre_bias), size)
        return recorded(blurred, bias, self.gain, self.centre_weight, self.uniform_share)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "grid": self.grid}
