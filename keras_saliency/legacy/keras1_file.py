"""Reads HDF5 weight files of Keras 1, and brings their kernels into the layout of Keras 3."""

from collections.abc import Mapping
from pathlib import Path

import keras
import numpy as np

from keras_saliency.legacy.model_layers import label
from keras_saliency.legacy.report import Tensor
from keras_saliency.reading.hdf5 import open_hdf5

# (ordering of the file, of a transposed convolution) -> axes. A Theano kernel is (out, in, rows, columns), a
# TensorFlow one (rows, columns, in, out); of a transposed convolution ours is (rows, columns, out, in).
_AXES = {
    ("theano", False): (2, 3, 1, 0),
    ("theano", True): (2, 3, 0, 1),
    ("tensorflow", False): None,
    ("tensorflow", True): (0, 1, 3, 2),
}


def load_keras1_weights(path: str | Path) -> dict[str, dict[str, np.ndarray]]:
    """Reads the layers that have weights, in the file's order.

    Args:
        path: The HDF5 file that `save_weights` or `save` of Keras 1 wrote.

    Returns:
        A dictionary from layer name to a dictionary from weight name to NumPy array, as stored.

    Raises:
        ValueError: If it is no such file.
    """
    try:
        with open_hdf5(path, together=True) as file:
            root = file.get("model_weights", file)
            layers = {name: _arrays(root[name]) for name in _names(root, "layer_names", "nb_layers", "layer_{}")}
    except (OSError, LookupError, TypeError, ValueError, AttributeError, RuntimeError) as error:
        raise ValueError(
            f"{path} is not a weight file of Keras 1 ({error}). Expected an intact HDF5 file with the attribute "
            "layer_names; a .weights.h5 file of Keras 3 is read by model.load_weights(path)."
        ) from error
    return {name: arrays for name, arrays in layers.items() if arrays}


def _arrays(group):
    return {name: group[name][()] for name in _names(group, "weight_names", "nb_params", "param_{}")}


def _names(group, attribute, count, pattern):
    """The names listed in an attribute; the oldest files tell a count and number them."""
    if attribute not in group.attrs and count in group.attrs:
        return [pattern.format(i) for i in range(group.attrs[count])]
    return list(dict.fromkeys(name.decode() if isinstance(name, bytes) else name for name in group.attrs[attribute]))


def match_keras1(
    stored: dict[str, dict[str, np.ndarray]],
    layers: Mapping[str, keras.layers.Layer],
    names: Mapping[str, str],
    kernels: str,
) -> tuple[dict[str, list[Tensor]], list[str]]:
    """Pairs our layers with those of a file.

    Args:
        stored: What `load_keras1_weights` returns.
        layers: Our layers by name, in the order of the model.
        names: From our name to the file's; the other layers are paired in order.
        kernels: `"theano"` or `"tensorflow"`.

    Returns:
        From our name to the list of `Tensor`s of that layer, one for each of its variables or, if the layer has
        `from_legacy`, all that there are; and the list of what does not fit.
    """
    rest = iter([name for name in stored if name not in names.values()])
    found, problems = {}, []
    for name, layer in layers.items():
        source = names[name] if name in names else next(rest, None)
        if source not in stored:
            if name in names:
                problems.append(f"the file has no layer {source!r} for {name}; it has {', '.join(stored)}")
            continue
        arrays = stored[source].items()
        if not hasattr(layer, "from_legacy") and len(arrays) != len(layer.weights):
            ours = ", ".join(label(name, layer, variable) for variable in layer.weights)
            problems.append(f"expected {len(layer.weights)} arrays for {ours}, received {len(arrays)} of {source}")
            continue
        found[name] = [_tensor(f"{source}/{weight}", value, layer, kernels) for weight, value in arrays]
    return found, problems


def _tensor(name, value, layer, kernels):
    axes = _AXES[kernels, isinstance(layer, keras.layers.Conv2DTranspose)]
    done, stored_shape = "as is", value.shape
    if value.ndim == 4 and axes and getattr(layer, "legacy_kernels", True):
        value, done = value.transpose(axes), "transposed"
        if kernels == "theano":
            # Theano turns the kernel by half a turn before it slides it over the image, Keras 3 does not.
            value, done = value[::-1, ::-1], "transposed, flipped"
    return Tensor(name, stored_shape, value, done)
