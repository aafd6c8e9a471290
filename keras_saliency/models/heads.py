"""What a model gives: a log-density, or a map without negative values."""

import keras
import numpy as np
from keras import ops

from keras_saliency.layers.grey_values import GreyValues
from keras_saliency.layers.log_softmax import LogSoftmax
from keras_saliency.layers.match_size import MatchSize
from keras_saliency.layers.min_max import MinMax
from keras_saliency.layers.recording_head import RecordingHead
from keras_saliency.layers.zoom import Zoom
from keras_saliency.models.sizes import size_of

# What has no negative values, whatever comes in.
NON_NEGATIVE = [getattr(keras.activations, name) for name in ("relu", "sigmoid", "exponential", "softplus", "softmax")]
GREYS = (0.0, 126.0, 255.0)  # of the plain images that an unknown model is asked with
BLOCKS = (1, 4, 16)  # and the pixels a side of the blocks of those in full random colours
SIDE = 128  # of those that a model of any size is asked with


def declared_log_density(output: keras.KerasTensor) -> bool | None:
    """Whether the layers before an output of a model say that it is a log-density (True) or never negative (False).

    Args:
        output: One of `model.outputs`.

    Returns:
        None where they do not say it.
    """
    tensor, resized = output, False
    while True:
        layer, node, index = tensor._keras_history
        if isinstance(layer, keras.Model):
            tensor = layer.outputs[index]
        elif isinstance(layer, MatchSize) and layer.gives != "map":
            return layer.gives == "log-density"
        elif isinstance(layer, MatchSize | Zoom):
            tensor, resized = layer._inbound_nodes[node].input_tensors[0], True
        else:
            break
    if isinstance(layer, LogSoftmax | RecordingHead) and not resized:
        return True
    if isinstance(layer, MinMax | GreyValues) or getattr(layer, "activation", None) in NON_NEGATIVE:
        return False
    return None


def gives_log_density(model: keras.Model) -> bool:
    """Finds out what a model gives; one whose layers do not say it is asked with a few images.

    Returns:
        True for a log-density, whose exponential sums to one; False for any other map without negative values.

    Raises:
        ValueError: If its output is no map of one channel, or one with negative or non-finite values that is no
            log-density.
    """
    shape = getattr(model, "output_shape", None)
    if shape is None:
        raise ValueError(f"{model.name} does not give saliency maps of images: it is of videos, or not functional.")
    if not isinstance(shape, tuple) or len(shape) != 4 or shape[-1] != 1:
        raise ValueError(f"{model.name} does not give saliency maps. Received: a model with output {shape}.")
    declared = declared_log_density(model.outputs[0])
    if declared is not None:
        return declared
    maps = ops.convert_to_numpy(
        model(_probes((*(size_of(model) or (SIDE, SIDE)), model.input_shape[-1])), training=False)
    )
    masses = np.exp(maps.astype("float64")).sum((1, 2, 3))
    if (abs(masses - 1.0) < 1e-2).all():
        return True
    if np.isfinite(maps).all() and maps.min() >= 0:
        return False
    raise ValueError(
        f"{model.name} gives neither a log-density (its exponential sums to {masses[1]:g} for a grey image, not 1) nor "
        f"a map without negative values (its smallest is {maps.min():g}). Expected a model "
        "made by create_model, or one that ends with a ReLU or a sigmoid."
    )


def _probes(shape):
    """Plain images, and images of blocks of the eight corners of the colour cube."""
    rng = np.random.default_rng(0)
    images = [np.full(shape, grey) for grey in GREYS]
    for block in BLOCKS:
        few = 255.0 * rng.integers(0, 2, (*(-(-side // block) for side in shape[:2]), shape[2]))
        images.append(few.repeat(block, 0).repeat(block, 1)[: shape[0], : shape[1]])
    return np.stack(images).astype("float32")


def require_finite(model: keras.Model) -> None:
    """Checks that no weight of a model is NaN or infinite, as a training leaves them whose loss diverged.

    Raises:
        ValueError: If one is; names it.
    """
    for weight in model.weights:
        if not np.isfinite(ops.convert_to_numpy(weight).astype("float32")).all():
            raise ValueError(
                f"The weight {weight.path} of {model.name} has NaN or infinite values: its training diverged. "
                "Take weights of an earlier epoch, or train again with a smaller learning rate."
            )


def require_log_density(model: keras.Model) -> None:
    """Checks that a model gives a log-density.

    Raises:
        ValueError: If it gives anything else.
    """
    if not gives_log_density(model):
        raise ValueError(
            f'{model.name} does not give a log-density. Expected a model made by create_model(..., head="log-density").'
        )
