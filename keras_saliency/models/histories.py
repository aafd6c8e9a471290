"""Models that predict the next fixation from those before: DeepGaze III's networks on the decoders of this package."""

from typing import NamedTuple

import keras
from keras import layers, ops

from keras_saliency.formulas.types import Maps, Tensor
from keras_saliency.layers.seen_from import SeenFrom
from keras_saliency.models.deepgaze import mix, normalised
from keras_saliency.models.recording import recording_head_of
from keras_saliency.models.saliency_model import SaliencyModel

FIXATIONS = 4  # of the last ones, so many count
BLURRED = "centre_bias"  # the layer that gives maps of a quarter of the size, on which histories are learned


class WithHistory(NamedTuple):
    """What `with_history` makes of a model; all of it shares weights.

    Attributes:
        density: From images to the log-density without history.
        given: From images and fixations, `(batch, 4)` each, x in shares of the width and y in shares of the height,
            the last one first, NaN for those that are not there, to the log-density of the next one.
        learned: From features, and fixations of several histories for each image, `(batch, histories, 4)`, to the
            unnormalised log-densities on a map of a quarter of each side, `(batch, histories, places)`.
    """

    density: SaliencyModel
    given: SaliencyModel
    learned: SaliencyModel


def with_history(model: keras.Model, histories: int = 1) -> WithHistory:
    """Puts what DeepGaze III knows of earlier fixations on the decoder of a model.

    Its scanpath network (4,368 parameters) sees all places from the last four fixations, its selection network (4,674)
    joins that with the score of the decoder; both are as published. What they say is added to the score here, and
    nothing as long as they have not been trained, so that training begins at the model without history. Published is
    their output alone, in ten copies, on the spatial network that `deepgaze3` is; with that it is 29,741 parameters
    beside the backbone, as published. Blur, centre bias and normalisation, those of the model, follow.

    Args:
        model: A model of `create_model(..., head="log-density", area=...)`, that sees pictures at a size that their
            shape asks for. Its weights are shared.
        histories: How many for each image `learned` takes.

    Raises:
        ValueError: If the model sees pictures in a frame, has heads of recordings, or gives no log-density.

    Source: Kümmerer, Bethge & Wallis (2022), "DeepGaze III: Modeling free-viewing human scanpaths with deep learning".
    """
    names = [layer.name for layer in getattr(model, "layers", [])]
    view, decoder = getattr(model, "view", None), model.get_layer("decoder") if "decoder" in names else None
    if view is None or decoder is None or recording_head_of(model) or decoder.layers[-1].name != "log_density":
        raise ValueError(
            f"{model.name} cannot take a history. Expected a model of create_model with the head log-density, without "
            "input_size and without heads of recordings."
        )
    score = decoder.get_layer("quarter").input
    spatial = SaliencyModel(decoder.inputs, score, name="spatial")
    finish = SaliencyModel(score, decoder.outputs[0], name="finish")
    inputs = [keras.Input(score.shape[1:], dtype="float32"), *_fixations((FIXATIONS,))]
    change = _Change()
    history = SaliencyModel(inputs, change(*inputs), name="history")
    alone = SaliencyModel(inputs[:1], change(*inputs[:1]), name="no_history")

    images = keras.Input(model.input_shape[1:], name="images")
    scored = spatial(model.get_layer("backbone")(images))
    fixations = _fixations((FIXATIONS,))
    density = SaliencyModel(images, finish(alone(scored)), name=model.name)
    given = SaliencyModel([images, *fixations], finish(history([scored, *fixations])), name=model.name)
    density.view = given.view = view

    features = [keras.Input(each.shape[1:]) for each in decoder.inputs]
    several = _fixations((histories, FIXATIONS))
    repeated = ops.repeat(spatial(features), histories, axis=0)
    each = [ops.reshape(tensor, (-1, FIXATIONS)) for tensor in several]
    blurred = SaliencyModel(score, decoder.get_layer(BLURRED).output, name="blurred")
    logits = blurred(history([repeated, *each]))
    learned = SaliencyModel([*features, *several], _in_rows(logits, histories), name="learned")
    return WithHistory(density, given, learned)


def _fixations(shape):
    return [keras.Input(shape, name=name, dtype="float32") for name in ("x", "y")]


def _in_rows(logits, histories):
    """Those of all places in a row, `(batch, histories, places)`."""
    places = ops.shape(logits)[1] * ops.shape(logits)[2]
    return ops.reshape(logits, (-1, histories, places))


class _Change:
    """The scanpath network and the selection network, which change a score."""

    def __init__(self) -> None:
        self.seen_from = SeenFrom(128, FIXATIONS, name="seen_from")
        self.scanpath = [_softplus(), normalised("scanpath_norm"), mix(16, "scanpath", activation="softplus")]
        self.from_score = [normalised("score_norm"), mix(128, "from_score", use_bias=False)]
        self.from_scanpath = [normalised("seen_norm"), mix(128, "from_scanpath")]
        self.select = [
            layers.Add(dtype="float32", name="joined"),
            _softplus(),
            normalised("select_norm"),
            mix(16, "select", activation="softplus"),
            mix(1, "change", use_bias=False, kernel_initializer="zeros"),
        ]

    def __call__(self, score: Maps, *fixations: Tensor) -> Maps:
        seen = _through(self.scanpath, self.seen_from([score, *fixations]))
        parts = [_through(self.from_score, score), _through(self.from_scanpath, seen)]
        return layers.Add(dtype="float32", name="changed")([score, _through(self.select, parts)])


def _through(network, x):
    for layer in network:
        x = layer(x)
    return x


def _softplus():
    return layers.Activation("softplus", dtype="float32")
