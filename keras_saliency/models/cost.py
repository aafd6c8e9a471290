"""What a model costs: parameters and floating-point operations."""

import logging

import keras
import tensorflow as tf

from keras_saliency.models.sizes import require_size


def parameters(model: keras.Model) -> int:
    """The number of weights that training changes, as papers count parameters."""
    return sum(weight.shape.num_elements() for weight in model.trainable_weights)


def flops(model: keras.Model) -> int:
    """The floating-point operations for one image of the size that a model was made for.

    A multiplication and an addition are two. Counted by TensorFlow's profiler, which knows convolutions, products, and
    most of what is done pixel by pixel, but no `einsum`: blurs do not count.

    Args:
        model: A model of images.

    Raises:
        ValueError: If it takes images of any size.
    """
    image = tf.TensorSpec((1, *require_size(model), model.input_shape[-1]))
    graph = tf.function(lambda images: model(images, training=False)).get_concrete_function(image).graph
    options = tf.compat.v1.profiler.ProfileOptionBuilder.float_operation()
    options["output"] = "none"
    logger = tf.get_logger()
    level = logger.level
    logger.setLevel(logging.ERROR)  # The profiler says of itself that it is old.
    try:
        return tf.compat.v1.profiler.profile(graph, cmd="op", options=options).total_float_ops
    finally:
        logger.setLevel(level)
