"""DSCLRCN's LSTM along the lines of an image, told at their start what the whole image shows."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import layers, ops

from keras_saliency.formulas.types import Features, Shape

DIRECTIONS = ("horizontal", "vertical")


@keras.saving.register_keras_serializable(package="keras_saliency")
class DSCLSTM(keras.layers.Layer):
    """A line of DSCLRCN's deep spatial contextual LSTM: one LSTM along every row, or every column, from both ends.

    With the features x of a position, the hidden state h and the cell c, which are zero before the first step,

        i, f, o = sigmoid and g = tanh of W x + U h + b, for f plus one,    c = f c + i g,    h = o tanh(c),

    where V times the context is added to the first step alone. Both ends share all weights: they are further sequences,
    as all lines are, so that there are as many steps as a line has positions. Each position gets the h of both, that
    from the left, or from above, first. An image that is mirrored along its lines gives the mirrored map with the two
    halves of the channels swapped.

    Args:
        units: The channels of the state.
        direction: `"horizontal"` along rows, `"vertical"` along columns.

    Raises:
        ValueError: If the direction is unknown.

    Input: features `(batch, height, width, channels)` and a context `(batch, channels)`. Output: `(batch, height,
    width, 2 * units)`.

    Source: Liu & Han (TIP 2018), who use 128 units and draw all kernels from U(-0.2, 0.2).
    """

    def __init__(self, units: int = 128, direction: str = "horizontal", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if direction not in DIRECTIONS:
            raise ValueError(f"Unknown direction {direction!r}. Known directions: {', '.join(DIRECTIONS)}.")
        self.units, self.direction = units, direction
        # The gates i, f, o and g lie side by side: one product for four.
        self.of_input = self._product("of_input", use_bias=True)
        self.of_state = self._product("of_state")
        self.of_context = self._product("of_context")

    def _product(self, name, use_bias=False):
        # An initializer gives the same values each time it is called, so that each kernel takes one of its own.
        uniform = keras.initializers.RandomUniform(-0.2, 0.2)
        return layers.Dense(
            4 * self.units, use_bias=use_bias, kernel_initializer=uniform, dtype=self.dtype_policy, name=name
        )

    def build(self, input_shape: Sequence[Shape]) -> None:
        features, context = input_shape
        self.of_input.build(features)
        self.of_state.build((None, None, self.units))
        self.of_context.build(context)

    def call(self, inputs: Sequence[Features]) -> Features:
        features, context = inputs
        # The positions of a line first, then batch and lines; and back.
        order, back = ((2, 0, 1, 3), (1, 2, 0, 3)) if self.direction == "horizontal" else ((1, 0, 2, 3), (1, 0, 2, 3))
        gates = ops.transpose(self.of_input(features), order)
        gates = ops.concatenate([gates, ops.flip(gates, axis=0)], axis=2)
        first = gates[:1] + ops.expand_dims(self.of_context(context), 1)
        gates = ops.concatenate([first, gates[1:]], axis=0)

        def step(before, of_position):
            hidden, cell = before
            i, f, o, g = ops.split(of_position + self.of_state(hidden), 4, axis=-1)
            cell = ops.sigmoid(f + 1.0) * cell + ops.sigmoid(i) * ops.tanh(g)
            after = ops.sigmoid(o) * ops.tanh(cell), cell
            return after, after  # TensorFlow keeps what is of the shape of the state.

        zeros = ops.zeros((*ops.shape(gates)[1:3], self.units), gates.dtype)
        _, (hidden, _) = ops.scan(step, (zeros, zeros), gates)
        forwards, backwards = ops.split(hidden, 2, axis=2)
        return ops.transpose(ops.concatenate([forwards, ops.flip(backwards, axis=0)], axis=-1), back)

    def compute_output_shape(self, input_shape: Sequence[Shape]) -> Shape:
        return (*input_shape[0][:-1], 2 * self.units)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "units": self.units, "direction": self.direction}
