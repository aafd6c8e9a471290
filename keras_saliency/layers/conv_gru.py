"""A convolutional GRU of separable convolutions."""

from typing import Any

import keras
from keras import layers, ops

from keras_saliency.formulas.types import Features, Shape, State, Tensor
from keras_saliency.layers.recurrent import Recurrent, frames_first, of_frames, require_share


@keras.saving.register_keras_serializable(package="keras_saliency")
class ConvGRU(Recurrent):
    """A gated recurrent unit whose products are depthwise 3x3 and then 1x1 convolutions, as UNISAL's for videos.

    From the features x of a frame and the state h,

        r, z = sigmoid of W(x) + U(h),    n = tanh(W_n(x) + U_n(r h)),    h = z h + (1 - z) n,

    and h is what the frame gives. In training, dropout takes the same channels and places of h, where U and U_n read
    it, in all frames of a call.

    Args:
        filters: The channels of the state.
        kernel_size: Of the depthwise convolutions.
        recurrent_dropout: The share of h that is dropped in training.

    Raises:
        ValueError: If the share is not in [0, 1).

    State: `hidden`, `(batch, height, width, filters)`. Output: the same for each frame.

    Source: Droste et al. (ECCV 2020), UNISAL, who use 256 channels and a share of 0.2.
    """

    def __init__(self, filters: int = 256, kernel_size: int = 3, recurrent_dropout: float = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.filters, self.kernel_size = filters, kernel_size
        self.recurrent_dropout = require_share("recurrent_dropout", recurrent_dropout)
        # The gates r and z and the candidate n side by side: one convolution for three, and for two.
        self.of_input = self._separable("of_input", 3 * filters, use_bias=True)
        self.of_state = self._separable("of_state", 2 * filters, use_bias=False)
        self.of_candidate = self._separable("of_candidate", filters, use_bias=False)
        self.seed = keras.random.SeedGenerator()

    def _separable(self, name, filters, use_bias):
        return layers.SeparableConv2D(
            filters,
            self.kernel_size,
            padding="same",
            data_format="channels_last",
            use_bias=use_bias,
            dtype=self.dtype_policy,
            name=name,
        )

    def build(self, input_shape: Shape) -> None:
        state_shape = (None, None, None, self.filters)
        self.of_input.build((None, *input_shape[2:]))
        self.of_state.build(state_shape)
        self.of_candidate.build(state_shape)

    def state_shapes(self, input_shape: Shape) -> dict[str, Shape]:
        return {"hidden": (*input_shape[2:4], self.filters)}

    def through(self, inputs: Features, state: dict[str, Tensor], training: bool | None) -> tuple[Features, State]:
        h, kept = state["hidden"], None
        if training and self.recurrent_dropout:
            kept = keras.random.dropout(ops.ones_like(h), self.recurrent_dropout, seed=self.seed)

        def step(h, of_frame):
            seen = h if kept is None else h * kept
            r, z = ops.split(ops.sigmoid(of_frame[..., : 2 * self.filters] + self.of_state(seen)), 2, axis=-1)
            n = ops.tanh(of_frame[..., 2 * self.filters :] + self.of_candidate(r * seen))
            h = z * h + (1.0 - z) * n
            return h, h

        h, outputs = ops.scan(step, h, frames_first(of_frames(self.of_input, inputs)))
        return frames_first(outputs), {"hidden": h}

    def get_config(self) -> dict[str, Any]:
        own = {name: getattr(self, name) for name in ("filters", "kernel_size", "recurrent_dropout")}
        return {**super().get_config(), **own}
