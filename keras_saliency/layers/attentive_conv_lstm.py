"""SAM's attentive convolutional LSTM."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import layers, ops

from keras_saliency.formulas.types import Features, Shape

# What odds are divided by, so that attention has this one.
ATTENTIONS = {"sum": ops.sum, "mean": ops.mean, None: None}


@keras.saving.register_keras_serializable(package="keras_saliency")
class AttentiveConvLSTM(keras.layers.Layer):
    """Looks several times at one feature map, with the attention that its state asks for (Cornia et al. 2018, SAM).

    For inputs X, in each step

        a = softmax over all pixels of V_a(tanh(W_a h + U_a X)), times their number for `attention="mean"`,
        i, f, o = sigmoid and g = tanh of W(a X) + U h,
        c = f c + i g,    h = o tanh(c),

    from h = c = 0; the last h is returned. One cell is unrolled: no step keeps more than the gradient needs.

    As published, V_a starts at zero: all pixels have equal attention, and W_a and U_a have no gradient until V_a has
    moved. As published, too, attention sums to one, so that what the gates see of X is the smaller the more pixels
    there are.

    Args:
        filters: The channels of the state and of the attention.
        steps: How often the cell is applied.
        kernel_size: Of every convolution.
        recompute: Whether the steps are computed again for the gradient instead of being kept, which trades time for
            memory.
        attention: `"sum"`, as published: it sums to one; `"mean"`: its mean is one, whatever the number of pixels;
            None: there is none, and each step sees X.

    Raises:
        ValueError: If there is no step, or the kind of attention is unknown.

    Input: `(batch, height, width, channels)`. Output: `(batch, height, width, filters)`.
    """

    def __init__(
        self,
        filters: int = 512,
        steps: int = 4,
        kernel_size: int = 3,
        recompute: bool = False,
        attention: str | None = "sum",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if steps < 1:
            raise ValueError(f"AttentiveConvLSTM needs at least one step. Received: steps={steps}.")
        if attention not in ATTENTIONS:
            raise ValueError(f"Unknown attention {attention!r}. Known: {', '.join(map(repr, ATTENTIONS))}.")
        self.filters, self.steps, self.kernel_size, self.recompute = filters, steps, kernel_size, recompute
        self.attention = attention
        if attention:
            self.attend_state = self._convolution("attend_state", filters, kernel_initializer=_normal)
            self.attend_input = self._convolution("attend_input", filters, kernel_initializer=_normal)
            self.attend_score = self._convolution("attend_score", 1, use_bias=False, kernel_initializer="zeros")
        # The gates i, f, g, o lie side by side: one convolution for four.
        self.input_gates = self._convolution("input_gates", 4 * filters, kernel_initializer=_normal)
        self.state_gates = self._convolution("state_gates", 4 * filters, kernel_initializer=_orthogonal_gates)

    def _convolution(self, name, filters, **options):
        options = {"padding": "same", "data_format": "channels_last", "dtype": self.dtype_policy, **options}
        return layers.Conv2D(filters, self.kernel_size, name=name, **options)

    def build(self, input_shape: Shape) -> None:
        state_shape = (*input_shape[:-1], self.filters)
        if self.attention:
            self.attend_state.build(state_shape)
            self.attend_input.build(input_shape)
            self.attend_score.build(state_shape)
        self.input_gates.build(input_shape)
        self.state_gates.build(state_shape)

    def call(self, inputs: Features) -> Features:
        attended = self.attend_input(inputs) if self.attention else None
        step = keras.remat(self._step) if self.recompute else self._step
        # The state is zero at first, and a convolution of it its bias.
        h, c = self._step(inputs, attended, None, self.state_gates.bias, None)
        for _ in range(self.steps - 1):
            h, c = step(inputs, attended, h, self.state_gates(h), c)
        return h

    def _attended(self, inputs, attended, h):
        """The inputs, times the attention that the state asks for."""
        if not self.attention:
            return inputs
        of_state = self.attend_state.bias if h is None else self.attend_state(h)
        score = ops.cast(self.attend_score(ops.tanh(attended + of_state)), "float32")
        # Not ops.softmax, which over two axes must know their sizes.
        odds = ops.exp(score - ops.max(score, axis=(1, 2), keepdims=True))
        attention = odds / ATTENTIONS[self.attention](odds, axis=(1, 2), keepdims=True)
        return inputs * ops.cast(attention, inputs.dtype)

    def _step(self, inputs, attended, h, gates, c):
        """The next state from X, U_a X, h, U h and the cell."""
        gates = gates + self.input_gates(self._attended(inputs, attended, h))
        i, f, g, o = ops.split(gates, 4, axis=-1)
        update = ops.sigmoid(i) * ops.tanh(g)
        c = update if c is None else ops.sigmoid(f) * c + update
        return ops.sigmoid(o) * ops.tanh(c), c

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return (*input_shape[:-1], self.filters)

    def from_legacy(self, arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
        """The weights from those of the authors' layer: W_a, U_a, V_a, then W and U of i, f, g and o, biases between.

        Args:
            arrays: Kernels `(rows, columns, in, out)` and biases, 21 in all.
        """
        state, state_bias, inputs, inputs_bias, score, *gates = arrays
        w, w_bias, u, u_bias = (keras.ops.convert_to_numpy(ops.concatenate(gates[k::4], -1)) for k in range(4))
        return [state, state_bias, inputs, inputs_bias, score, w, w_bias, u, u_bias]

    def get_config(self) -> dict[str, Any]:
        own = {name: getattr(self, name) for name in ("filters", "steps", "kernel_size", "recompute", "attention")}
        return {**super().get_config(), **own}


# An initializer of Keras gives the same values each time it is called, so that each kernel takes one of its own.
def _normal(shape, dtype=None):
    return keras.initializers.RandomNormal(stddev=0.05)(shape, dtype)


def _orthogonal_gates(shape, dtype=None):
    """Orthogonal for each of the four gates by itself, computed in float32: bfloat16 has no QR decomposition."""
    gate = (*shape[:-1], shape[-1] // 4)
    gates = [keras.initializers.Orthogonal()(gate, "float32") for _ in range(4)]
    return ops.cast(ops.concatenate(gates, axis=-1), dtype or "float32")
