"""The base of layers that go from frame to frame."""

from collections.abc import Mapping
from typing import Any

import keras
from keras import ops

from keras_saliency.formulas.types import Features, Shape, State, Tensor

REMEDY = (
    "Pass state=None at the start of a video, and then what the model returned for the frames before, of as many "
    "videos and of the same size."
)


class Recurrent(keras.layers.Layer):
    """Goes through the frames of videos from a state, and gives the state after the last one.

    Nothing is kept between two calls, so that frames one after the other give what all give at once, whatever the
    backend. A subclass says what its state is, and how frames change it.

    Input: `(batch, time, height, width, channels)`, and a state, None for zeros. Output: the same for each frame, and
    the state, in float32.
    """

    def state_shapes(self, input_shape: Shape) -> dict[str, Shape]:
        """The shape of each tensor of the state, without the batch, for inputs of a shape."""
        raise NotImplementedError

    def through(self, inputs: Features, state: dict[str, Tensor], training: bool | None) -> tuple[Features, State]:
        """What the frames give, and the state after them, from the state before them."""
        raise NotImplementedError

    def call(
        self, inputs: Features, state: State | None = None, training: bool | None = None
    ) -> tuple[Features, dict[str, Tensor]]:
        """Goes through the frames.

        Args:
            inputs: The features of all frames.
            state: What the call for the frames before gave; None for zeros.
            training: Whether in training.

        Raises:
            ValueError: If the state is not that of such inputs.
        """
        batch, size = ops.shape(inputs)[0], ops.shape(inputs)
        shapes = self.state_shapes(size)
        if state is None:
            state = {name: ops.zeros((batch, *shape), self.compute_dtype) for name, shape in shapes.items()}
        _require(state, {name: (inputs.shape[0], *shape) for name, shape in self.state_shapes(inputs.shape).items()})
        outputs, state = self.through(inputs, {name: state[name] for name in shapes}, training)
        return outputs, {name: ops.cast(value, "float32") for name, value in state.items()}


def _require(state, expected):
    """Checks that a state has the shapes that are expected, as far as both are known."""
    if not isinstance(state, Mapping) or set(state) != set(expected):
        found = sorted(state) if isinstance(state, Mapping) else type(state).__name__
        raise ValueError(f"The state must be a dictionary of {', '.join(expected)}. Received: {found}. {REMEDY}")
    for name, shape in expected.items():
        found = tuple(state[name].shape)
        if len(found) != len(shape) or any(
            None not in pair and pair[0] != pair[1] for pair in zip(found, shape, strict=True)
        ):
            raise ValueError(f"The state {name!r} must be {shape} for these frames. Received: {found}. {REMEDY}")


def require_share(name: str, value: float) -> float:
    """The value, if it is a share.

    Raises:
        ValueError: If it is not in [0, 1); says the name.
    """
    if not 0 <= value < 1:
        raise ValueError(f"{name} must be in [0, 1). Received: {value}.")
    return value


def frames_first(sequence: Any) -> Any:
    """`(batch, time, ...)` as `(time, batch, ...)`, and back."""
    return ops.transpose(sequence, (1, 0, *range(2, len(sequence.shape))))


def of_frames(layer: keras.layers.Layer, sequence: Features) -> Features:
    """What a layer of images gives for all frames at once: for all that does not depend on a state."""
    shape = ops.shape(sequence)
    outputs = layer(ops.reshape(sequence, (-1, *shape[2:])))
    return ops.reshape(outputs, (-1, shape[1], *ops.shape(outputs)[1:]))
