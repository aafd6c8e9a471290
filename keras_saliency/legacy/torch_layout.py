"""Brings the tensors of a PyTorch state dict into the layout of Keras."""

from collections.abc import Mapping

import keras
import numpy as np

from keras_saliency.legacy.model_layers import label
from keras_saliency.legacy.report import Tensor

_SUFFIXES = {
    "kernel": "weight",
    "embeddings": "weight",
    "gamma": "weight",
    "beta": "bias",
    "moving_mean": "running_mean",
    "moving_variance": "running_var",
}
# PyTorch's kernels are (out, in, height, width); of a transposed convolution (in, out, height, width), which is
# (height, width, out, in) with us, so that the axes are the same; of a depthwise one (channels, 1, height, width).
_AXES = {keras.layers.DepthwiseConv2D: (2, 3, 0, 1)}
_AXES_OF_RANK = {4: (2, 3, 1, 0), 2: (1, 0)}
# Counts batches, which Keras does not.
IGNORED = "num_batches_tracked"


def match_torch(
    tensors: Mapping[str, np.ndarray], layers: Mapping[str, keras.layers.Layer], names: Mapping[str, str]
) -> tuple[dict[str, list[Tensor]], list[str]]:
    """Pairs our layers with the tensors of a state dict by name.

    Args:
        tensors: From name to array, in PyTorch's layout.
        layers: Our layers by name, `submodel/layer` if nested.
        names: From our name to their prefix; the prefix of any other layer is its own name, of a nested one
            `submodel.layer`, or `layer` if no other layer is called so. A dash in our names stands for a dot in
            theirs, which PyTorch's own backend of Keras does not take.

    Returns:
        From our name to the list of `Tensor`s of that layer: one for each of its variables, without a value where the
        file has none, or, if the layer has `from_legacy`, all that there are; and the list of what does not fit.
    """
    mine: dict[str, np.ndarray]
    found, problems = {}, []
    own_names = [layer.name for layer in layers.values()]
    for name, layer in layers.items():
        prefixes = [names[name]] if name in names else [name.replace("/", ".").replace("-", ".")]
        if name not in names and own_names.count(layer.name) == 1:
            prefixes.append(layer.name.replace("-", "."))
        mine, prefix = {}, prefixes[-1]
        for candidate in prefixes:
            if not mine:
                mine = {key: value for key, value in tensors.items() if key.startswith(f"{candidate}.")}
                prefix = candidate if mine else prefix
        suffixes = [_SUFFIXES.get(variable.name, variable.name) for variable in layer.weights]
        if name in names and not mine:
            known = ", ".join(list(tensors)[:5])
            problems.append(f"the file has no tensor {prefix}.* for {name}; its first are {known}")
        elif hasattr(layer, "from_legacy"):
            found[name] = [_of_custom(layer, k, v) for k, v in mine.items() if not k.endswith(IGNORED)]
        elif len(set(suffixes)) < len(suffixes):
            ours = ", ".join(label(name, layer, variable) for variable in layer.weights)
            problems.append(f"several variables of {name} would take one tensor ({ours}); give its class a from_legacy")
        else:
            keys = [f"{prefix}.{suffix}" for suffix in suffixes]
            found[name] = [_of_ours(layer, v, k, tensors.get(k)) for v, k in zip(layer.weights, keys, strict=True)]
    return found, problems


def _of_custom(layer, key, value):
    axes = _AXES_OF_RANK.get(value.ndim) if getattr(layer, "legacy_kernels", True) else None
    return _transposed(key, value, axes)


def _of_ours(layer, variable, key, value):
    if value is None:
        return Tensor(key, None, None, "missing")
    known = [axes for kind, axes in _AXES.items() if isinstance(layer, kind)]
    axes = (known or [_AXES_OF_RANK.get(value.ndim)])[0] if variable.name == "kernel" else None
    return _transposed(key, value, axes if axes and len(axes) == value.ndim else None)


def _transposed(key, value, axes):
    return Tensor(key, value.shape, value.transpose(axes) if axes else value, "transposed" if axes else "as is")
