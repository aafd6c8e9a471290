"""A network as a graph of constants, which the converters of other runtimes take."""

from pathlib import Path
from typing import Any, NamedTuple

import keras
import tensorflow as tf
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from keras_saliency.formulas.types import Size
from keras_saliency.formulas.view import View


class Frozen(NamedTuple):
    """A network without variables, which takes `images` and gives `maps`: a function, and as a SavedModel."""

    function: Any
    folder: Path


def freeze(model: keras.Model, shown: Size | View, folder: Path) -> Frozen:
    """Makes constants of the variables of a model.

    Args:
        model: A model that gives saliency maps.
        shown: The frame in which it sees pictures, or its view, with which both sides are left open, as batches are.
        folder: A new folder.
    """
    sides = (None, None) if isinstance(shown, View) else shown
    spec = tf.TensorSpec((None, *sides, 3), tf.float32, "images")
    call = tf.function(lambda images: {"maps": model(images, training=False)}, input_signature=[spec], autograph=False)
    frozen = convert_variables_to_constants_v2(call.get_concrete_function())
    tf.saved_model.save(tf.Module(), str(folder), signatures=frozen)
    return Frozen(frozen, folder)
