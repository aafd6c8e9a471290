"""The convolutional LSTM of Keras 2, its state passed in and out."""

from typing import Any

import keras
from keras import layers, ops

from keras_saliency.formulas.types import Features, Shape, State, Tensor
from keras_saliency.layers.recurrent import Recurrent, frames_first, of_frames, require_share


def hard_sigmoid(x: Tensor) -> Tensor:
    """What Keras up to version 2 calls the hard sigmoid, x / 5 + 1/2 in [0, 1]; that of Keras 3 is x / 6 + 1/2."""
    return ops.clip(0.2 * x + 0.5, 0.0, 1.0)


@keras.saving.register_keras_serializable(package="keras_saliency")
class ConvLSTM(Recurrent):
    """`keras.layers.ConvLSTM2D` with the gates that Keras 2 gave it, for frames of any size.

    From the features x of a frame and the state h and c,

        i, f, o = hard_sigmoid and g = tanh of W x + U h,    c = f c + i g,    h = o tanh(c),

    and h is what the frame gives. Kernels lie as in files of Keras 2: i, f, g and o side by side. In training, dropout
    takes the same values of x in all frames of a call, and for all gates; Keras 2 drew for each gate anew.

    Args:
        filters: The channels of the state.
        kernel_size: Of both convolutions.
        dropout: The share of x that is dropped in training.

    Raises:
        ValueError: If the share is not in [0, 1).

    State: `hidden` and `cell`, `(batch, height, width, filters)` each. Output: the first for each frame.

    Source: Wang et al. (CVPR 2018), ACLNet, who use 256 channels and a share of 0.4.
    """

    def __init__(self, filters: int = 256, kernel_size: int = 3, dropout: float = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.filters, self.kernel_size, self.dropout = filters, kernel_size, require_share("dropout", dropout)
        options = {"padding": "same", "data_format": "channels_last", "dtype": self.dtype_policy}
        self.of_input = layers.Conv2D(
            4 * filters, kernel_size, bias_initializer=_remembering, name="of_input", **options
        )
        self.of_state = layers.Conv2D(
            4 * filters, kernel_size, use_bias=False, kernel_initializer="orthogonal", name="of_state", **options
        )
        self.seed = keras.random.SeedGenerator()

    def build(self, input_shape: Shape) -> None:
        self.of_input.build((None, *input_shape[2:]))
        self.of_state.build((None, None, None, self.filters))

    def state_shapes(self, input_shape: Shape) -> dict[str, Shape]:
        return dict.fromkeys(("hidden", "cell"), (*input_shape[2:4], self.filters))

    def through(self, inputs: Features, state: dict[str, Tensor], training: bool | None) -> tuple[Features, State]:
        if training and self.dropout:
            inputs = inputs * keras.random.dropout(ops.ones_like(inputs[:, :1]), self.dropout, seed=self.seed)

        def step(before, of_frame):
            after = self.step(before, of_frame)
            return after, after

        state, each = ops.scan(step, state, frames_first(of_frames(self.of_input, inputs)))
        return frames_first(each["hidden"]), state

    def step(self, state: State, of_frame: Features) -> dict[str, Tensor]:
        """The state after a frame, from that before it and W x."""
        i, f, g, o = ops.split(of_frame + self.of_state(state["hidden"]), 4, axis=-1)
        cell = hard_sigmoid(f) * state["cell"] + hard_sigmoid(i) * ops.tanh(g)
        return {"hidden": hard_sigmoid(o) * ops.tanh(cell), "cell": cell}

    def get_config(self) -> dict[str, Any]:
        own = {name: getattr(self, name) for name in ("filters", "kernel_size", "dropout")}
        return {**super().get_config(), **own}


def _remembering(shape, dtype=None):
    """A bias of one for the gate that keeps the cell, and of zero for all else."""
    quarter = shape[0] // 4
    return ops.concatenate([ops.zeros(quarter, dtype), ops.ones(quarter, dtype), ops.zeros(2 * quarter, dtype)])
