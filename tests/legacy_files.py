"""Writes models and tensors as other frameworks do."""

import collections
import pickle
import zipfile

import h5py
import keras
import numpy as np
import pytest
from keras import layers

from keras_saliency.legacy.torch_file import _MAGIC

# PyTorch itself, as the backend of Keras, takes no layer whose name has a dot.
CONV = "conv1" if keras.config.backend() == "torch" else "layer1.0.conv1"
# How PyTorch and Keras 1 for Theano lay out a kernel of ours.
TO_TORCH = {
    layers.Conv2D: (3, 2, 0, 1),
    layers.Conv2DTranspose: (3, 2, 0, 1),
    layers.DepthwiseConv2D: (2, 3, 0, 1),
    layers.Dense: (1, 0),
}
TO_KERAS1 = {
    "theano": {**dict.fromkeys(TO_TORCH, (3, 2, 0, 1)), layers.Conv2DTranspose: (2, 3, 0, 1)},
    "tensorflow": {**dict.fromkeys(TO_TORCH, (0, 1, 2, 3)), layers.Conv2DTranspose: (0, 1, 3, 2)},
}
TORCH_NAMES = {
    layers.BatchNormalization: ("weight", "bias", "running_mean", "running_var"),
    layers.LayerNormalization: ("weight", "bias"),
}
KERAS1_NAMES = {4: ("gamma", "beta", "running_mean", "running_std"), 2: ("W", "b")}


def small_model():
    """A model of one layer of each kind, one of them in a submodel; everything random."""
    inner_in = keras.Input((7, 9, 4))
    x = layers.BatchNormalization(name="bn")(inner_in)
    inner = keras.Model(inner_in, layers.Conv2DTranspose(5, 3, strides=2, padding="same", name="up")(x), name="inner")
    images = keras.Input((7, 9, 3))
    x = layers.Conv2D(4, (3, 2), padding="same", activation="relu", name=CONV)(images)
    x = layers.DepthwiseConv2D(3, padding="same", name="depthwise")(x)
    x = layers.LayerNormalization(name="norm")(layers.GlobalMaxPooling2D()(inner(x)))
    model = keras.Model(images, layers.Dense(2, name="head")(x))
    rng = np.random.default_rng(0)
    model.set_weights([rng.uniform(0.1, 1, w.shape) for w in model.weights])
    return model


def all_layers(model):
    for layer in model.layers:
        yield from all_layers(layer) if isinstance(layer, keras.Model) else [layer] if layer.weights else []


def to_torch(model):
    """The state dict of the model as PyTorch lays it out; the submodel's name is not part of its names."""
    state = {}
    for layer in all_layers(model):
        names = TORCH_NAMES.get(type(layer), ("weight", "bias"))
        for name, value in zip(names, layer.get_weights(), strict=True):
            axes = TO_TORCH.get(type(layer)) if name == "weight" else None
            state[f"{layer.name}.{name}"] = np.ascontiguousarray(value.transpose(axes) if axes else value)
        if isinstance(layer, layers.BatchNormalization):
            state[f"{layer.name}.num_batches_tracked"] = np.array(7)
    return state


def write_keras1(path, stored, root=""):
    """Writes `{layer: {weight: array}}` as Keras 1 does."""
    with h5py.File(path, "w") as file:
        group = file.require_group(root) if root else file
        group.attrs["layer_names"] = [name.encode() for name in stored]
        for name, arrays in stored.items():
            layer = group.create_group(name)
            layer.attrs["weight_names"] = [weight.encode() for weight in arrays]
            for weight, value in arrays.items():
                layer[weight] = value


def to_keras1(model, kernels="theano"):
    stored = {"input_1": {}}
    for number, layer in enumerate(all_layers(model)):
        values = layer.get_weights()
        if values[0].ndim == 4:
            kernel = values[0][::-1, ::-1] if kernels == "theano" else values[0]
            values[0] = kernel.transpose(TO_KERAS1[kernels][type(layer)])
        name = f"{type(layer).__name__.lower()}_{number + 1}"
        weights = KERAS1_NAMES[len(values)]
        stored[name] = {f"{name}_{weight}": value for weight, value in zip(weights, values, strict=True)}
    return stored


def text(value):
    return b"X" + len(value.encode()).to_bytes(4, "little") + value.encode()


def ints(values):
    return b"(" + b"".join(b"J" + value.to_bytes(4, "little", signed=True) for value in values) + b"t"


def name_of(module, name):
    return b"c" + f"{module}\n{name}\n".encode()


ORDERED = name_of("collections", "OrderedDict") + b")R"


def tensor(size, shape, strides, storage="FloatStorage", key="0", last=b"N"):
    """The pickle of a tensor as PyTorch writes it, without its frame; `last` is empty in the zip format."""
    pid = b"(" + text("storage") + name_of("torch", storage) + text(key) + text("cpu")
    pid += b"J" + size.to_bytes(4, "little") + last + b"tQ"
    arguments = b"(" + pid + b"K\x00" + ints(shape) + ints(strides) + b"\x89" + ORDERED + b"t"
    return name_of("torch._utils", "_rebuild_tensor_v2") + arguments + b"R"


def tensor_pickle(*arguments, **options):
    """The pickle of `{"w": tensor}`."""
    return b"\x80\x02" + ORDERED + b"(" + text("w") + tensor(*arguments, **options) + b"u."


def pickled(value, last=b""):
    """The pickle of dictionaries of arrays, built by hand, since a pickler would need PyTorch; and its storages."""
    storages = {}

    def encode(item):
        if isinstance(item, dict):
            start = ORDERED if isinstance(item, collections.OrderedDict) else b"}"
            return start + b"(" + b"".join(encode(part) for pair in item.items() for part in pair) + b"u"
        if isinstance(item, np.ndarray):
            key = str(len(storages))
            storages[key] = item.ravel()
            strides = [step // item.itemsize for step in item.strides]
            kind = {"<f4": "FloatStorage", "<i8": "LongStorage"}[item.dtype.str]
            return tensor(item.size, item.shape, strides, kind, key, last)
        return text(item) if isinstance(item, str) else pickle.dumps(item, protocol=2)[2:-1]

    return b"\x80\x02" + encode(value) + b".", storages


def write_checkpoint(path, state, storages):
    """Writes a legacy PyTorch checkpoint: pickles, then the storages' keys and bytes."""
    with path.open("wb") as file:
        for part in (_MAGIC, 1001, {"little_endian": True}):
            pickle.dump(part, file, protocol=2)
        file.write(state)
        pickle.dump(list(storages), file, protocol=2)
        for values in storages.values():
            file.write(len(values).to_bytes(8, "little") + values.tobytes())


def write_zip(path, state, storages, byteorder="little"):
    """Writes a checkpoint in the zip format of PyTorch."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("weights/data.pkl", state)
        archive.writestr("weights/byteorder", byteorder)
        for key, values in storages.items():
            archive.writestr(f"weights/data/{key}", values.tobytes())


def save_legacy(path, state):
    write_checkpoint(path, *pickled(collections.OrderedDict(state), last=b"N"))


def save_zip(path, state):
    write_zip(path, *pickled(collections.OrderedDict(state)))


def save_nested(path, state):
    state = {f"module.{name}": value for name, value in state.items()}
    optimizer = {"lr": 0.1, "betas": (0.9, None), "params": [1, 2], "nesterov": True}
    write_zip(path, *pickled({"epoch": 3, "state_dict": state, "best": np.array(1, "int64"), "optimizer": optimizer}))


def save_torch(path, state):
    torch = pytest.importorskip("torch")
    tensors = {name: torch.from_numpy(value) for name, value in state.items()}
    torch.save({"model": {**tensors, "head.weight": torch.nn.Parameter(tensors["head.weight"])}}, path)


def save_torch_legacy(path, state):
    torch = pytest.importorskip("torch")
    tensors = collections.OrderedDict((name, torch.from_numpy(value)) for name, value in state.items())
    tensors._metadata = {"": {"version": 1}}
    torch.save(tensors, path, _use_new_zipfile_serialization=False)


def save_safetensors(path, state):
    pytest.importorskip("safetensors.numpy").save_file(state, path)


def assert_same_outputs(one, other):
    images = np.random.default_rng(1).normal(size=(2, 7, 9, 3)).astype("float32")
    np.testing.assert_array_equal(one.predict(images, verbose=0), other.predict(images, verbose=0))


def zeroed(model):
    model.set_weights([np.zeros(w.shape) for w in model.weights])
    return model
