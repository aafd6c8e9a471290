"""From a recipe to a compiled model."""

import dataclasses
import fnmatch
from typing import NamedTuple

import keras
import numpy as np

from keras_saliency import baselines, losses
from keras_saliency.data import DataSet, Samples
from keras_saliency.data.augmentation import require_known
from keras_saliency.data.windows import places
from keras_saliency.formulas.types import Size
from keras_saliency.formulas.view import View
from keras_saliency.legacy.model_layers import find_layers
from keras_saliency.models import SaliencyModel, create_model, mix
from keras_saliency.models.histories import with_history
from keras_saliency.models.recording import require_recording_head, with_recording_head
from keras_saliency.models.sizes import require_shown
from keras_saliency.training.optimizers import make_optimizer
from keras_saliency.training.parts import parts_of
from keras_saliency.training.recipe import Recipe, names_of

# Where the numbers of a head begin.
BEGIN = {"gain": 1.0, "blur": 0.003, "centre_weight": 1.0, "uniform_share": 0.01}


def untrained(recipe: Recipe) -> SaliencyModel:
    """The model of a recipe with random weights, or the mixture of those of its members."""
    keras.backend.clear_session()
    if recipe.members:
        return mix([untrained(member) for member in recipe.members], recipe.name, recipe.sizes)
    model = create_model(**{**dataclasses.asdict(recipe.model), "weights": None}, **recipe.shown())
    if recipe.histories:
        return with_history(model).density
    return with_recording_head(model, names_of(recipe.data)) if recipe.heads else model


class Built(NamedTuple):
    """A model that is about to be trained.

    Attributes:
        model: The whole model.
        trained: The part of it that is trained, compiled.
        computed: What gives the features that it is trained on, computed once for each image; None where all is
            trained.
        given: The model that takes a history, too, where the recipe has `histories`.
    """

    model: SaliencyModel
    trained: SaliencyModel
    computed: keras.Model | None
    given: SaliencyModel | None = None


def build(recipe: Recipe, data: DataSet, start: SaliencyModel | None = None) -> Built:
    """Makes the model of a recipe, with the centre bias of the training fixations; writes nothing.

    Args:
        recipe: The recipe.
        data: The data set that it names.
        start: A model of the same architecture whose weights it starts from.

    Returns:
        A `Built`.

    Raises:
        ValueError, FileNotFoundError, ImportError, ConnectionError: If a name in the recipe is unknown, weights cannot
            be had, a loss needs fixations, or a size degrees, that the data do not tell, or an image of any split is
            smaller than the model can see; see `create_model` and `combo`.
    """
    keras.utils.set_random_seed(recipe.seed)
    from_logits = recipe.model.head == "log-density"
    loss = losses.combo(recipe.loss, from_logits=from_logits, balance=recipe.balance, options=recipe.loss_options)
    _require_fixations(recipe, data)
    _require_degrees(recipe, data)
    require_known(recipe.augment)
    model = create_model(**dataclasses.asdict(recipe.model), **recipe.shown())
    shown = require_shown(model)
    train, validation, _ = (split.in_windows(shown) for split in data.splits.values())
    if recipe.heads:
        model = with_recording_head(model, names_of(recipe.data))
    if start is not None:
        model.set_weights(start.get_weights())
    if recipe.heads:
        _set_centre_biases(model, train, validation, start)
    elif recipe.model.head != "published":
        bias = baselines.CentreBias(train, validation).density
        model.get_layer("decoder").get_layer("centre_bias").set_density(bias)
    _freeze(recipe, model.get_layer("backbone"))
    given = None
    if recipe.histories:
        computed, (model, given, trained) = model.get_layer("backbone"), with_history(model, recipe.histories)
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)  # nll on the places of a map
    else:
        computed, trained = parts_of(recipe, model)
    optimizer = make_optimizer(recipe, steps_of(counts_of(train, shown), recipe.batch))
    trained.compile(optimizer, loss=loss)
    optimizer.build(trained.trainable_variables)
    return Built(model, trained, computed, given)


def _set_centre_biases(model, train, validation, start):
    """That of each data set in its own head, and a Gaussian in the average one; the network itself has none.

    The mean of several would carry the layout of the one, such as of web pages, into pictures of another.
    """
    centre_bias = model.get_layer("decoder").get_layer("centre_bias")
    centre_bias.set_density(np.ones(centre_bias.log_density.shape[1:3]))
    head = require_recording_head(model)
    begin = {recording: head.numbers_of(recording) if start else BEGIN for recording in (*head.recordings, None)}
    head.set(begin[None], head.centre_bias_of(None))
    for number, recording in enumerate(head.recordings):
        own = (_of_number(samples, number) for samples in (train, validation))
        head.set(begin[recording], baselines.CentreBias(*own).density, recording)


def _of_number(samples, number):
    return Samples([sample for sample in samples if sample.data_set == number], samples.pixels_per_degree)


def _require_fixations(recipe, data):
    """Losses that need fixations cannot be trained where density maps are all there is."""
    if data.train.have_fixations and data.validation.have_fixations:
        return
    for name in recipe.loss:
        if losses.LOSSES[name].needs_fixations:
            able = ", ".join(other for other, loss in losses.LOSSES.items() if not loss.needs_fixations)
            raise ValueError(
                f"The loss {name} needs fixations, and {data.name} has images of which it has density maps alone. "
                f"Losses that need no fixations: {able}."
            )


def _require_degrees(recipe, data):
    """Sizes in degrees need data of which some say what a degree is."""
    said = [data.train.pixels_per_degree, *(sample.pixels_per_degree for sample in data.train)]
    if recipe.pixels_per_degree and not any(said):
        raise ValueError(
            f"pixels_per_degree={recipe.pixels_per_degree} asks for images at a size in degrees of visual angle, and "
            f"{data.name} does not say how many pixels of its images are one. Take an area: --set "
            "pixels_per_degree=None."
        )


def _freeze(recipe, backbone):
    backbone.trainable = not recipe.freeze_backbone
    for pattern in recipe.freeze:
        layers = find_layers(backbone).values()
        matching = [layer for layer in layers if fnmatch.fnmatchcase(layer.name, pattern)]
        if not matching:
            raise ValueError(f"No layer of the backbone has a name like {pattern!r}, as freeze={recipe.freeze} asks.")
        for layer in matching:
            layer.trainable = False


def steps_of(counts: np.ndarray, batch: int) -> int:
    """The steps of an epoch.

    Args:
        counts: How many images of each size it shows, as `counts_of` gives them.
        batch: The images in a step.
    """
    return int(np.ceil(counts / batch).sum())


def counts_of(samples: Samples, shown: Size | View, shuffled: bool = True) -> np.ndarray:
    """How many images of each size an epoch shows; of a mixture shown in part, about as many.

    Args:
        samples: The split.
        shown: The frame, or the view.
        shuffled: Whether they are in random order, in which weights count, or each is shown once.
    """
    windows = samples.in_windows(shown)
    _, counts = np.unique(places(windows, shown).canvases, axis=0, return_counts=True)
    return np.round(counts * (windows.draws / len(windows))).astype(int).clip(1) if shuffled else counts
