"""The moving average of the log-densities of a video."""

from typing import Any

import keras
from keras import ops

from keras_saliency.formulas import maps
from keras_saliency.formulas.types import Features, Shape, State, Tensor
from keras_saliency.layers.recurrent import Recurrent, frames_first, require_share


@keras.saving.register_keras_serializable(package="keras_saliency")
class MovingAverage(Recurrent):
    """The exponential moving average of log-densities over frames, normalised: a weighted geometric mean.

    A frame that is n frames back has the weight `decay` to the power of n, in shares of the sum of all weights, so that
    the first frame stays as it is.

    Args:
        decay: How much less each earlier frame weighs; zero leaves every frame as it is.

    Raises:
        ValueError: If the decay is not in [0, 1).

    State: `average`, `(batch, height, width, 1)`, and `weight`, `(batch, 1, 1, 1)`, the weighted sum and that of the
    weights. Output: a log-density for each frame, in float32.
    """

    def __init__(self, decay: float = 0.8, **kwargs: Any) -> None:
        kwargs.setdefault("dtype", "float32")
        super().__init__(**kwargs)
        self.decay = require_share("decay", decay)

    def state_shapes(self, input_shape: Shape) -> dict[str, Shape]:
        return {"average": tuple(input_shape[2:5]), "weight": (1, 1, 1)}

    def through(self, inputs: Features, state: dict[str, Tensor], training: bool | None) -> tuple[Features, State]:
        def step(before, log_density):
            average = self.decay * before["average"] + (1 - self.decay) * log_density
            after = {"average": average, "weight": self.decay * before["weight"] + (1 - self.decay)}
            return after, after

        state, each = ops.scan(step, state, frames_first(inputs))
        shape = ops.shape(inputs)
        means = ops.reshape(frames_first(each["average"] / each["weight"]), (-1, *shape[2:]))
        return ops.reshape(maps.log_softmax(means), (-1, *shape[1:])), state

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "decay": self.decay}
