"""Models of videos, from a state to the next."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

import keras
from keras import ops

from keras_saliency.backbones.channels_last import channels_last
from keras_saliency.formulas.types import Frames, Maps, State, Targets, Tensor, Values
from keras_saliency.formulas.view import View
from keras_saliency.layers.moving_average import MovingAverage
from keras_saliency.layers.recurrent import Recurrent
from keras_saliency.losses.base import Combination
from keras_saliency.models.heads import declared_log_density, gives_log_density, require_log_density
from keras_saliency.models.saliency_model import named_loss, require_form


@keras.saving.register_keras_serializable(package="keras_saliency")
class VideoModel(keras.Model):
    """A model of videos: `model(frames, state) -> maps, state`.

    What it knows of the frames before is the state that it is given and gives, and nothing else, so that ten frames at
    once are five, and then five more with the state of the first. `state=None` is the start of a video. Any part
    but the encoder may be missing: without a recurrent one, each frame is seen alone, and the state is empty.

    It is compiled and fitted on `(frames, targets)`, targets as packed for images with a time axis after the batch,
    `(batch, time, height, width, channels)`; losses and metrics see each frame as an image. Every batch starts with the
    state of None. `predict` gives `maps, state`, too.

    Args:
        encoder: A functional model of images. Its first output goes through the recurrent part; without a decoder, it
            is the map.
        recurrent: A layer that goes from frame to frame.
        decoder: A functional model of all that the encoder gives, that of the recurrent part in place of the first, and
            of the images, if it takes one more; it gives a map, or a list of maps, those of the video first.
        **kwargs: As in `keras.Model`. The parts have precisions of their own.
    """

    def __init__(
        self,
        encoder: keras.Model,
        recurrent: Recurrent | None = None,
        decoder: keras.Model | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(autocast=False, **{"name": encoder.name, **kwargs})
        self.encoder, self.recurrent, self.decoder = encoder, recurrent, decoder
        if recurrent is not None and not recurrent.built:
            recurrent.build((None, None, *encoder.outputs[0].shape[1:]))
        self.built = True

    @property
    def view(self) -> View | None:
        """How frames are shown to it, as for `SaliencyModel`."""
        return getattr(self.encoder, "view", None)

    @property
    def frame_shape(self) -> tuple[int | None, int | None, int]:
        """The height, the width and the channels of the frames that it was made for; it takes any height and width."""
        return tuple(self.encoder.input_shape[1:])

    @property
    def output_names(self) -> list[str]:
        """The names of its maps."""
        return self._last().output_names

    @property
    def gives_log_density(self) -> bool:
        """Whether its maps are log-densities, or maps without negative values."""
        declared = declared_log_density(self._last().outputs[0])
        return gives_log_density(self.encoder) if declared is None else declared

    def call(
        self, frames: Frames, state: State | None = None, training: bool | None = None
    ) -> tuple[Maps | list[Maps], dict[str, Tensor]]:
        """The maps of the next frames of videos.

        Args:
            frames: `(batch, time, height, width, channels)`, one frame at least, RGB in [0, 255]; where a network sees
                motion, six channels, as `keras_saliency.data.with_flow` makes them.
            state: What the call for the frames before gave; None at the start of a video.
            training: Whether in training.

        Returns:
            The maps, `(batch, time, h, w, 1)`, or a list of such; and the state, a dictionary of tensors whose first
            dimension is the batch.

        Raises:
            ValueError: If the frames have another rank or other channels, or the state is not that of such frames.
        """
        self._require(frames.shape, state)
        time = ops.shape(frames)[1]
        images = ops.cast(_as_images(frames), "float32")
        features = keras.tree.flatten(self.encoder(images, training=training))
        if self.recurrent is None:
            state = {}
        else:
            with channels_last():
                each, state = self.recurrent(_as_frames(features[0], time), state, training=training)
            features[0] = _as_images(each)
        maps = features[0]
        if self.decoder is not None:
            given = [*features, images][: len(self.decoder.inputs)]
            if not isinstance(self.decoder, keras.Sequential):
                given = keras.tree.pack_sequence_as(self.decoder.input, given)
            maps = self.decoder(given, training=training)
        return keras.tree.map_structure(lambda each: _as_frames(each, time), maps), dict(state)

    def _require(self, shape, state):
        channels = self.frame_shape[-1]
        if len(shape) != 5 or shape[-1] not in (None, channels) or shape[1] == 0:
            stacked = " Where a network sees motion, stack it by with_flow." if channels == 6 else ""
            raise ValueError(
                f"{self.name} takes frames (batch, time, height, width, {channels}), one of each at least. Received: "
                f"{tuple(shape)}. One video is frames[None], and pictures are images[:, None].{stacked}"
            )
        if self.recurrent is None and state is not None and keras.tree.flatten(state):
            raise ValueError(f"{self.name} has no state, which sees each frame alone: pass state=None.")

    def compile(
        self,
        optimizer: str | keras.optimizers.Optimizer = "rmsprop",
        loss: str | Callable | Sequence | None = None,
        loss_weights: float | Sequence | None = None,
        metrics: Sequence | None = None,
        *args: Any,
        **kwargs: Any,
    ) -> None:
        """Compiles the model as `SaliencyModel` is, texts as losses included; one with several maps takes a list.

        Raises:
            ValueError: As `SaliencyModel`, and if there is not one loss for each map, or a loss is to be balanced.
        """
        outputs, names = self._last().outputs, self.output_names
        several, single = len(outputs) > 1, not isinstance(loss, list | tuple)
        given: list[Any] = [None] * len(outputs) if loss is None else [loss] if single else list(loss)  # type: ignore[arg-type]
        if loss is not None and (several == single or len(given) != len(outputs)):
            asked = f"a list of losses, for {', '.join(names)}" if several else "one loss"
            raise ValueError(f"{self.name} takes {asked}. Received: {loss!r}.")
        losses = [named_loss(each, output) for each, output in zip(given, outputs, strict=True)]
        for each, output, name in zip(losses, outputs, names, strict=True):
            require_form(each, declared_log_density(output), self.name)
            if isinstance(each, Combination):
                if each.balance:
                    raise ValueError("The loss of a video model is not balanced: leave balance out.")
                each.adopt(f"{name}_" if several else "")
        for metric in keras.tree.flatten(metrics):
            require_form(metric, declared_log_density(outputs[0]), self.name)
        super().compile(optimizer, losses if several and loss else losses[0], loss_weights, metrics, *args, **kwargs)

    def compile_from_config(self, config: dict[str, Any]) -> None:
        """Compiles a loaded model as it was compiled when it was saved."""
        self.compile(**keras.saving.deserialize_keras_object(config))
        self.optimizer.build(self.trainable_variables)

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        """The metrics of the model, combined losses among them."""
        losses = keras.tree.flatten(getattr(self, "loss", None))
        return super().metrics + list(dict.fromkeys(loss for loss in losses if isinstance(loss, Combination)))

    def compute_loss(
        self,
        x: Frames | None = None,
        y: Targets | None = None,
        y_pred: Any = None,
        sample_weight: Values | None = None,
        training: bool = True,
    ) -> Tensor:
        """The loss of all frames, each as an image."""
        return super().compute_loss(x, *_all_images(y, y_pred, sample_weight), training)

    def compute_metrics(
        self, x: Frames, y: Targets, y_pred: Any, sample_weight: Values | None = None
    ) -> dict[str, Any]:
        """The metrics over all frames, each as an image."""
        return super().compute_metrics(x, *_all_images(y, y_pred, sample_weight))

    def _last(self):
        return self.encoder if self.decoder is None else self.decoder

    def get_config(self) -> dict[str, Any]:
        """The parts, and what `keras.Model` has."""
        parts = {"encoder": self.encoder, "recurrent": self.recurrent, "decoder": self.decoder}
        own = {"name": self.name, "trainable": self.trainable, "dtype": self.dtype_policy}
        return {key: keras.saving.serialize_keras_object(value) for key, value in {**own, **parts}.items()}

    @classmethod
    def from_config(cls, config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Self:
        """The model of a config."""
        return cls(**{key: keras.saving.deserialize_keras_object(each) for key, each in config.items()})


def as_video(model: keras.Model) -> VideoModel:
    """A model of images as one of videos, which sees each frame alone; its weights are shared and its state is empty.

    Args:
        model: A model of one image that gives maps.

    Raises:
        ValueError: If it is not.
    """
    gives_log_density(model)
    return VideoModel(model)


def smoothed(model: keras.Model, decay: float = 0.8) -> VideoModel:
    """A model of images as one of videos, whose maps are the moving average of its log-densities over frames.

    Args:
        model: A model of one image that gives log-densities. Its weights are shared.
        decay: In [0, 1): how much less each earlier frame weighs; see `keras_saliency.layers.MovingAverage`.

    Raises:
        ValueError: If the model gives no log-density, or the decay is out of range.
    """
    require_log_density(model)
    return VideoModel(model, MovingAverage(decay, name="moving_average"))


def _as_images(frames):
    return ops.reshape(frames, (-1, *ops.shape(frames)[2:]))


def _as_frames(images, time):
    return ops.reshape(images, (-1, time, *ops.shape(images)[1:]))


def _all_images(targets, predicted, sample_weight):
    """The targets, maps and weights of all frames, without the time axis."""
    maps = predicted[0]
    if sample_weight is not None:
        time = ops.shape(keras.tree.flatten(maps)[0])[1]
        sample_weight = keras.tree.map_structure(lambda each: _weights_of_frames(each, time), sample_weight)
    return (*(keras.tree.map_structure(_as_images, each) for each in (targets, maps)), sample_weight)


def _weights_of_frames(weights, time):
    if len(weights.shape) == 1 or weights.shape[1] == 1:  # of each video
        weights = ops.repeat(ops.reshape(weights, (-1, 1)), time, axis=1)
    return ops.reshape(weights, (-1,))
