"""The head of a recording, or of several."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_saliency.formulas.maps import blur
from keras_saliency.formulas.recording import as_centre_bias, blur_each, recorded
from keras_saliency.formulas.resizing import resize
from keras_saliency.formulas.types import Maps, Plane, Shape, Size, Tensor
from keras_saliency.layers.centre_bias import log_gaussian

# Name of a weight -> its initial value, and what it must be.
NUMBERS: dict[str, tuple[float, Callable[[float], bool]]] = {
    "gain": (1.0, lambda value: value >= 0),
    "blur": (0.0, lambda value: value >= 0),
    "centre_weight": (0.0, lambda value: True),
    "uniform_share": (0.0, lambda value: 0 <= value < 1),
}
# Between which a number stays in training.
BOUNDS = {"gain": (0.0, 10.0), "blur": (1e-3, 0.2), "centre_weight": (-2.0, 10.0), "uniform_share": (1e-4, 0.5)}


@keras.saving.register_keras_serializable(package="keras_saliency")
class RecordingHead(keras.layers.Layer):
    """Makes the log-density of a recording of what a network says of a picture, by four numbers and a centre bias.

    `keras_saliency.formulas.recording.recorded`, after a blur. As it is made, it changes nothing but that it
    normalises: the centre bias, a Gaussian with a quarter of each side as its standard deviation, has no weight. `set`
    gives it what `keras_saliency.adapt` has found. Everything is relative to the map, so that maps of
    any size can come.

    Where several networks, or one at several sizes, say something of a picture, `(batch, height, width, maps)`, the
    gain is a weight for each map, and `gain` their sum.

    A network that is trained on several recordings has numbers and a centre bias for each, and one more for pictures of
    none of them, the average, which is used unless told otherwise. Called with `numbers`, `(batch,)`, the layer takes
    for each picture the head of the recording of that number.

    Args:
        grid: `(height, width)` of the map of the centre bias, which is stretched over each input.
        recordings: The names of the recordings that have heads of their own.
        recording: That whose head is used; None for the average.

    Raises:
        ValueError: If a name is unknown; lists the known ones.
    """

    def __init__(
        self, grid: Size = (120, 160), recordings: Sequence[str] = (), recording: str | None = None, **kwargs: Any
    ) -> None:
        kwargs.setdefault("dtype", "float32")
        super().__init__(**kwargs)
        self.grid = (int(grid[0]), int(grid[1]))
        self.recordings, self.recording = tuple(recordings), recording
        self.row = self.row_of(recording)

    def row_of(self, recording: str | None) -> int:
        """The number of a recording; that of the average is the last.

        Raises:
            ValueError: If the name is unknown; lists the known ones.
        """
        if recording is not None and recording not in self.recordings:
            known = ", ".join(self.recordings) or "none but the average, None"
            raise ValueError(f"Unknown recording {recording!r}. Known recordings: {known}.")
        return len(self.recordings) if recording is None else self.recordings.index(recording)

    def build(self, inputs_shape: Shape, numbers_shape: Shape | None = None) -> None:
        rows, maps = len(self.recordings) + 1, inputs_shape[-1] or 1
        for name, (initial, _) in NUMBERS.items():
            is_gain = name == "gain"
            weight = self.add_weight(
                shape=(rows, maps) if is_gain else (rows,),
                initializer=keras.initializers.Constant(initial / maps if is_gain else initial),
                constraint=Between(*BOUNDS[name]),
                name=name,
            )
            setattr(self, name, weight)
        self.log_centre_bias = self.add_weight(
            shape=(rows, *self.grid, 1), initializer=log_gaussian, trainable=False, name="log_centre_bias"
        )

    def numbers_of(self, recording: str | None) -> dict[str, float]:
        """The four numbers of a recording, or of the average, by their names: `gain`, `blur`, `centre_weight` and
        `uniform_share`.
        """
        row = self.row_of(recording)
        return {name: float(np.sum(ops.convert_to_numpy(getattr(self, name))[row])) for name in NUMBERS}

    def shares_of(self, recording: str | None) -> np.ndarray:
        """The share of each map in the gain of a recording, or of the average, `(maps,)`."""
        gains = ops.convert_to_numpy(self.gain)[self.row_of(recording)]
        return gains / gains.sum() if gains.sum() else np.full(gains.shape, 1.0 / gains.size)

    @property
    def numbers(self) -> dict[str, float]:
        """Those of the recording that is used."""
        return self.numbers_of(self.recording)

    def centre_bias_of(self, recording: str | None) -> Plane:
        """The centre bias of a recording, or of the average, `(height, width)` of the grid, summing to one."""
        density = np.exp(ops.convert_to_numpy(self.log_centre_bias)[self.row_of(recording), ..., 0].astype("float64"))
        return density / density.sum()

    def set(
        self,
        numbers: Mapping[str, float],
        centre_bias: Plane,
        recording: str | None = None,
        shares: Sequence[float] | None = None,
    ) -> None:
        """Takes the four numbers of `numbers` and a centre bias.

        Args:
            numbers: The gain and `blur`, the standard deviation as a share of the square root of a map's pixels, both
                not negative; `centre_weight`; `uniform_share` in [0, 1).
            centre_bias: `(height, width)` of the grid, positive, of any scale.
            recording: Whose they are; None for the average.
            shares: Those of the maps in the gain, not negative and summing to one; by default they stay as they are.

        Raises:
            ValueError: If one is out of range, or the recording unknown; nothing is changed then.
        """
        row = self.row_of(recording)
        parts = np.asarray(self.shares_of(recording) if shares is None else shares, "float64")
        if parts.shape != self.gain.shape[1:] or not np.min(parts) >= 0 or not np.isclose(parts.sum(), 1.0):
            raise ValueError(
                f"The shares of a RecordingHead must be {self.gain.shape[1]} numbers, not negative, that sum to one. "
                f"Received: {parts.tolist()}."
            )
        wrong = [n for n, (_, fits) in NUMBERS.items() if not (np.isfinite(numbers[n]) and fits(numbers[n]))]
        if wrong:
            raise ValueError(
                f"{wrong[0]} of a RecordingHead is out of range. Received: {wrong[0]}={numbers[wrong[0]]}."
            )
        centre_bias = as_centre_bias(centre_bias, self.grid)
        log_density = np.log(centre_bias / centre_bias.max())[..., None]
        for name, value in {**numbers, "gain": numbers["gain"] * parts, "log_centre_bias": log_density}.items():
            values = ops.convert_to_numpy(getattr(self, name)).copy()
            values[row] = value
            getattr(self, name).assign(values)

    def call(self, inputs: Maps, numbers: Tensor | None = None) -> Maps:
        size = ops.shape(inputs)[1:3]
        sides = [ops.cast(side, "float32") for side in size]
        side = ops.sqrt(sides[0] * sides[1])
        rows = ops.convert_to_tensor([self.row], "int32") if numbers is None else ops.cast(numbers, "int32")
        gain, width, weight, share = (ops.take(getattr(self, name), rows, axis=0) for name in NUMBERS)
        score = ops.sum(inputs * gain[:, None, None], axis=-1, keepdims=True)
        blurred = blur(score, width[0] * side) if numbers is None else blur_each(score, self.blur * side, rows)
        bias = resize(ops.take(self.log_centre_bias, rows, axis=0), size)
        return recorded(blurred, bias, 1.0, *(each[:, None, None, None] for each in (weight, share)))

    def compute_output_shape(self, inputs_shape: Shape, numbers_shape: Shape | None = None) -> Shape:
        return (*inputs_shape[:-1], 1)

    def get_config(self) -> dict[str, Any]:
        own = {"grid": self.grid, "recordings": self.recordings, "recording": self.recording}
        return {**super().get_config(), **own}


@keras.saving.register_keras_serializable(package="keras_saliency")
class Between(keras.constraints.Constraint):
    """Keeps weights between two numbers in training.

    Args:
        low: The least.
        high: The most.
    """

    def __init__(self, low: float, high: float) -> None:
        self.low, self.high = low, high

    def __call__(self, w: Tensor) -> Tensor:
        return ops.clip(w, self.low, self.high)

    def get_config(self) -> dict[str, Any]:
        return {"low": self.low, "high": self.high}
