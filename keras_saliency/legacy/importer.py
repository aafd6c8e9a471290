"""Fills a model with weights that were released for another framework or for Keras 1."""

from collections.abc import Mapping
from pathlib import Path

import keras
import numpy as np

from keras_saliency.legacy.keras1_file import load_keras1_weights, match_keras1
from keras_saliency.legacy.model_layers import find_layers, label, resolve
from keras_saliency.legacy.report import ImportReport, Missing, Used
from keras_saliency.legacy.torch_file import load_safetensors, load_torch_weights
from keras_saliency.legacy.torch_layout import IGNORED, match_torch
from keras_saliency.reading.regular import require_regular

KERNELS = ("theano", "tensorflow")
# The first bytes of a file -> how it is read: HDF5; a zip archive and a pickle, both PyTorch's.
_SIGNATURES = {b"\x89HDF": None, b"PK\x03\x04": load_torch_weights, b"\x80": load_torch_weights}


def import_weights(
    model: keras.Model,
    path: str | Path,
    names: Mapping[str, str] | None = None,
    kernels: str = "theano",
    partial: bool = False,
) -> ImportReport:
    """Fills a model with the weights in a file of PyTorch, safetensors or Keras 1; nothing in it is executed.

    A layer is filled from the tensors of its own name (`conv1` from `conv1.weight` and `conv1.bias`) or, from a file of
    Keras 1, whose names count otherwise, in the order of `model.layers`, submodels walked through in their place.
    Layers of equal shapes on parallel branches may so be exchanged: look at the report, and give `names`. Kernels are
    brought into the layout of Keras; a dense layer after a flattened map, whose channels come first there, is not.

    A layer whose class defines `from_legacy(arrays)` gets all arrays stored for it, in Keras' layout, and returns the
    list for `set_weights`. If it sets `legacy_kernels = False`, its arrays are no kernels and come as stored.

    Args:
        model: A built model.
        path: A PyTorch checkpoint, a `.safetensors` file, or an HDF5 file of Keras 1.
        names: From our layer's name (`submodel/layer` if nested) to the prefix or layer name in the file, for the
            layers that differ.
        kernels: How a file of Keras 1 holds kernels: `"theano"` (`(out, in, rows, columns)`, for true convolution:
            transposed and flipped) or `"tensorflow"` (`(rows, columns, in, out)`).
        partial: Whether variables of the model may stay as they are for want of a tensor.

    Returns:
        An `ImportReport`. Tensors left over in the file are only reported.

    Raises:
        FileNotFoundError: If there is no such file.
        ImportError: If a `.safetensors` file is given and the package safetensors is missing.
        ValueError: If the file can not be read, a shape differs, a variable is not filled (unless `partial`) or none
            is, or a name is unknown. The model is then unchanged.
    """
    if kernels not in KERNELS:
        raise ValueError(f"Expected kernels to be one of {', '.join(KERNELS)}. Received: kernels={kernels!r}.")
    layers = find_layers(model)
    names = {resolve(name, layers): source for name, source in (names or {}).items()}
    read = _reader(Path(path))
    if read is None:
        stored = load_keras1_weights(path)
        found, problems = match_keras1(stored, layers, names, kernels)
        shapes = {f"{name}/{key}": value.shape for name, arrays in stored.items() for key, value in arrays.items()}
    else:
        stored = read(path)
        found, problems = match_torch(stored, layers, names)
        shapes = {name: value.shape for name, value in stored.items()}
    planned: dict[int, tuple[keras.Variable, np.ndarray]]
    report, planned = ImportReport(), {}
    for name, tensors in found.items():
        problems += _plan(name, layers[name], tensors, planned, report)
    report.missing = _missing(model, layers, found, planned)
    rest = shapes.keys() - {row.source for row in report.used}
    report.ignored = [name for name in shapes if name in rest and name.endswith(IGNORED)]
    report.left_over = [(name, shapes[name]) for name in shapes if name in rest and not name.endswith(IGNORED)]
    if problems or not planned or (report.missing and not partial):
        raise ValueError(_explain(model, path, problems, report, len(planned)))
    for variable, value in planned.values():
        variable.assign(value)
    return report


def _reader(path):
    if path.suffix == ".safetensors":
        return load_safetensors
    require_regular(path)
    with path.open("rb") as file:
        start = file.read(4)
    for signature, read in _SIGNATURES.items():
        if start.startswith(signature):
            return read
    raise ValueError(
        f"Expected {path} to be a PyTorch checkpoint, an HDF5 file of Keras 1 or to end in .safetensors. Received a "
        f"file that starts with {start!r}; unpack it if it is compressed."
    )


def _plan(name, layer, tensors, planned, report):
    """Adds what a layer shall get to `planned` and `report`; returns what does not fit."""
    custom = hasattr(layer, "from_legacy")
    if custom and not tensors:
        return []
    values = [tensor.value for tensor in tensors]
    if custom:
        try:
            values = list(layer.from_legacy(values))
        except (ValueError, TypeError, LookupError) as error:
            stored = ", ".join(f"{tensor.name} {tensor.shape}" for tensor in tensors)
            return [f"{type(layer).__name__} {name} can not be made of {stored} ({error})"]
        if len(values) != len(layer.weights):
            return [f"from_legacy of {name} returned {len(values)} arrays for {len(layer.weights)} variables"]
    problems = []
    for i, (variable, value) in enumerate(zip(layer.weights, values, strict=True)):
        ours, shape = label(name, layer, variable), tuple(variable.shape)
        if value is None:
            continue
        if np.shape(value) != shape:
            source = "from_legacy" if custom else f"{tensors[i].name} {tensors[i].shape}"
            done = "" if custom else f", {tensors[i].done}"
            problems.append(f"expected shape {shape} for {ours}, received {np.shape(value)} from {source}{done}")
            continue
        planned[id(variable)] = variable, np.asarray(value, variable.dtype)
        if not custom:
            report.used.append(Used(tensors[i].name, tensors[i].shape, ours, tensors[i].done))
    if custom:
        ours = label(name, layer, layer.weights[0]) if len(layer.weights) == 1 else f"{name}/*"
        how = "fused" if len(tensors) > len(values) else "rearranged"
        done = [how if tensor.done == "as is" else f"{tensor.done}, {how}" for tensor in tensors]
        report.used += [Used(t.name, t.shape, ours, text) for t, text in zip(tensors, done, strict=True)]
    return problems


def _missing(model, layers, found, planned):
    labels, wanted = {}, {}
    for name, layer in layers.items():
        for i, variable in enumerate(layer.weights):
            labels[id(variable)] = label(name, layer, variable)
            if not hasattr(layer, "from_legacy") and found.get(name):
                wanted[id(variable)] = found[name][i].name
    rest = [variable for variable in model.weights if id(variable) not in planned]
    return [Missing(labels.get(id(v), v.path), tuple(v.shape), wanted.get(id(v), "")) for v in rest]


def _explain(model, path, problems, report, filled):
    missing = [
        f"{row.variable} {row.shape} is not filled" + (f", for there is no {row.wanted}" if row.wanted else "")
        for row in report.missing
    ]
    first = "; ".join((problems + missing)[:3])
    spare = ", ".join(f"{name} {shape}" for name, shape in report.left_over[:3])
    spare += ", ..." if len(report.left_over) > 3 else ""
    return (
        f"{path} does not fit {model.name}: {first}. Filled: {filled} variables; missing: {len(missing)}; left over in "
        f"the file: {len(report.left_over)}{f' ({spare})' if spare else ''}. The model is unchanged. Name what is "
        "called otherwise with names={'our layer': 'theirs'}, leave out variables with partial=True, and for a file of "
        "Keras 1 check kernels='theano' or 'tensorflow'."
    )
