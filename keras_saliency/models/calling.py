"""What a model gives for a batch, without waiting for a graph that would serve a few times."""

import weakref

import keras

from keras_saliency.formulas.types import Maps

FEW = 3  # batches of a model before TensorFlow makes a graph of it, which takes as long as several of them
_batches: weakref.WeakKeyDictionary[keras.Model, int] = weakref.WeakKeyDictionary()  # that a model was called with


def outputs(model: keras.Model, batch: Maps, graph: bool = False) -> Maps:
    """The outputs of a model: for the first few batches as layers compute them, then by the function that Keras makes.

    The last bits of both differ.

    Args:
        model: A model with one output.
        batch: Images, or features.
        graph: Whether the function is to be used from the first batch on.
    """
    _batches[model] = _batches.get(model, 0) + 1
    if keras.backend.backend() == "tensorflow" and _batches[model] <= FEW and not graph:
        return model(batch, training=False)
    return model.predict_on_batch(batch)
