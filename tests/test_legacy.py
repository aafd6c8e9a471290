import collections
import pickle
import re
import sys
import zipfile

import h5py
import keras
import numpy as np
import pytest
from keras import layers
from scipy.signal import convolve2d

from keras_saliency.legacy import ImportReport, import_weights, load_torch_weights
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


@pytest.mark.parametrize(
    ("save", "name"),
    [
        (save_legacy, "w.pth"),
        (save_zip, "w.pth"),
        (save_nested, "w.tar"),
        (save_torch, "w.pt"),
        (save_torch_legacy, "w.pt"),
        (save_safetensors, "w.safetensors"),
    ],
)
def test_a_model_survives_the_way_through_a_file_of_pytorch(save, name, tmp_path):
    model, fresh = small_model(), zeroed(small_model())
    save(tmp_path / name, to_torch(model))
    report = import_weights(fresh, tmp_path / name)
    assert_same_outputs(model, fresh)
    assert len(report.used) == len(model.weights)
    assert report.left_over == report.missing == []
    assert report.ignored == ["bn.num_batches_tracked"]
    assert (f"{CONV}.weight", (4, 3, 3, 2), f"{CONV}/kernel", "transposed") in report.used
    assert ("bn.running_var", (4,), "inner/bn/moving_variance", "as is") in report.used


@pytest.mark.parametrize(("kernels", "root"), [("theano", ""), ("theano", "model_weights"), ("tensorflow", "")])
def test_a_model_survives_the_way_through_a_file_of_keras1(kernels, root, tmp_path):
    model, fresh = small_model(), zeroed(small_model())
    write_keras1(tmp_path / "w.h5", to_keras1(model, kernels), root)
    report = import_weights(fresh, tmp_path / "w.h5", kernels=kernels)
    assert_same_outputs(model, fresh)
    done = {row.variable: row.done for row in report.used}
    assert done[f"{CONV}/kernel"] == {"theano": "transposed, flipped", "tensorflow": "as is"}[kernels]
    assert done["inner/bn/moving_variance"] == done["head/kernel"] == "as is"


def test_a_theano_kernel_convolves(tmp_path, rng):
    kernel, image = rng.normal(size=(2, 3, 3, 5)).astype("float32"), rng.normal(size=(3, 8, 9))
    write_keras1(tmp_path / "w.h5", {"convolution2d_1": {"W": kernel, "b": np.array([0.5, -1], "float32")}})
    model = keras.Sequential([keras.Input((8, 9, 3)), layers.Conv2D(2, (3, 5))])
    import_weights(model, tmp_path / "w.h5")
    output = model.predict(image.transpose(1, 2, 0)[None], verbose=0)[0]
    for i, bias in enumerate([0.5, -1]):
        expected = bias + sum(convolve2d(image[j], kernel[i, j], mode="valid") for j in range(3))
        np.testing.assert_allclose(output[..., i], expected, rtol=1e-4, atol=1e-5)


def test_a_transposed_theano_kernel_is_the_adjoint_of_that_convolution(tmp_path, rng):
    kernel, image = rng.normal(size=(2, 3, 3, 3)).astype("float32"), rng.normal(size=(3, 4, 5))
    write_keras1(tmp_path / "w.h5", {"deconvolution2d_1": {"W": kernel}})
    model = keras.Sequential([keras.Input((4, 5, 3)), layers.Conv2DTranspose(2, 3, use_bias=False)])
    import_weights(model, tmp_path / "w.h5")
    output = model.predict(image.transpose(1, 2, 0)[None], verbose=0)[0]
    for i in range(2):
        expected = sum(convolve2d(image[j], kernel[i, j][::-1, ::-1], mode="full") for j in range(3))
        np.testing.assert_allclose(output[..., i], expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("depthwise", [True, False])
def test_pytorch_computes_the_same(depthwise, tmp_path, rng):
    torch = pytest.importorskip("torch")
    theirs = torch.nn.Sequential(
        torch.nn.Conv2d(3, 3, 3, groups=3 if depthwise else 1),
        torch.nn.BatchNorm2d(3),
        torch.nn.ConvTranspose2d(3, 4, 4, stride=2, padding=1),
    ).eval()
    state = {name: torch.from_numpy(rng.uniform(0.1, 1, v.shape)) for name, v in theirs.state_dict().items()}
    theirs.load_state_dict(state)
    torch.save(theirs.state_dict(), tmp_path / "w.pth")
    first = layers.DepthwiseConv2D(3, name="0") if depthwise else layers.Conv2D(3, 3, name="0")
    norm = layers.BatchNormalization(epsilon=1e-5, name="norm")
    up = layers.Conv2DTranspose(4, 4, strides=2, padding="same", name="2")
    ours = keras.Sequential([keras.Input((8, 9, 3)), first, norm, up])
    import_weights(ours, tmp_path / "w.pth", names={"norm": "1"})
    image = rng.normal(size=(1, 8, 9, 3)).astype("float32")
    expected = theirs(torch.from_numpy(image.transpose(0, 3, 1, 2))).detach().numpy().transpose(0, 2, 3, 1)
    np.testing.assert_allclose(ours.predict(image, verbose=0), expected, rtol=1e-4, atol=1e-4)


class FusedLSTM(layers.Layer):
    """Holds what the attentive ConvLSTM holds, the four gates in one kernel."""

    def build(self, input_shape):
        shapes = [(1, 1, 3, 2), (2,), (1, 1, 2, 2), (2,), (1, 1, 2, 1)]
        shapes += [(3, 3, 3, 8), (8,), (3, 3, 2, 8), (8,)]
        for i, shape in enumerate(shapes):
            self.add_weight(shape=shape, initializer="zeros", name=f"part{i}")

    def call(self, inputs):
        return inputs

    def from_legacy(self, arrays):
        attention, gates = arrays[:5], arrays[5:]
        return [*attention, *(np.concatenate(gates[i::4], axis=-1) for i in range(4))]


class Prior(layers.Layer):
    """Holds a map that Keras 1 stored as (1, 1, rows, columns) and that is no kernel."""

    legacy_kernels = False

    def build(self, input_shape):
        self.prior = self.add_weight(shape=(1, 6, 8, 1), initializer="zeros", name="prior")

    def call(self, inputs):
        return inputs

    def from_legacy(self, arrays):
        (prior,) = arrays
        return [prior.reshape(self.prior.shape)]


def with_last_convolution(layer):
    images = keras.Input((6, 8, 3))
    return keras.Model(images, layers.Conv2D(1, 1, name="last")(layer(images)))


LAST = {"weight": np.ones((1, 3, 1, 1), "float32"), "bias": np.ones(1, "float32")}


def test_a_layer_may_fuse_what_keras1_stored_apart(tmp_path, rng):
    shapes = {"W_a": (2, 3, 1, 1), "b_a": (2,), "U_a": (2, 2, 1, 1), "c_a": (2,), "V_a": (1, 2, 1, 1)}
    for gate in "ifco":
        shapes |= {f"W_{gate}": (2, 3, 3, 3), f"b_{gate}": (2,), f"U_{gate}": (2, 2, 3, 3), f"c_{gate}": (2,)}
    arrays = {name: rng.normal(size=shape).astype("float32") for name, shape in shapes.items()}
    write_keras1(tmp_path / "w.h5", {"attentiveconvlstm_1": arrays, "convolution2d_9": LAST})
    model = with_last_convolution(FusedLSTM(name="lstm"))
    report = import_weights(model, tmp_path / "w.h5")
    weights = model.get_layer("lstm").get_weights()
    for i, gate in enumerate("ifco"):
        for part, name in zip(weights[5:], ("W", "b", "U", "c"), strict=True):
            value = arrays[f"{name}_{gate}"]
            expected = value.transpose(2, 3, 1, 0)[::-1, ::-1] if value.ndim == 4 else value
            np.testing.assert_array_equal(part[..., 2 * i : 2 * i + 2], expected)
    done = {row.source: (row.variable, row.done) for row in report.used}
    assert done["attentiveconvlstm_1/U_f"] == ("lstm/*", "transposed, flipped, fused")
    assert report.missing == report.left_over == []
    write_keras1(tmp_path / "w.h5", {"attentiveconvlstm_1": {"W_a": arrays["W_a"]}, "convolution2d_9": LAST})
    with pytest.raises(ValueError, match=r"FusedLSTM lstm can not be made of attentiveconvlstm_1/W_a \(2, 3, 1, 1\)"):
        import_weights(model, tmp_path / "w.h5")


def test_what_is_no_kernel_comes_as_stored(tmp_path, rng):
    prior = rng.normal(size=(1, 1, 6, 8)).astype("float32")
    write_keras1(tmp_path / "w.h5", {"eltwise_1": {"W": prior}, "conv": LAST})
    save_zip(tmp_path / "w.pth", {"prior.W": prior, **{f"last.{name}": value for name, value in LAST.items()}})
    for name in ("w.h5", "w.pth"):
        model = with_last_convolution(Prior(name="prior"))
        report = import_weights(model, tmp_path / name)
        np.testing.assert_array_equal(model.get_layer("prior").get_weights()[0][0, ..., 0], prior[0, 0])
        assert report.used[0][2:] == ("prior/prior", "rearranged")


def test_the_report_lists_used_left_over_and_missing(tmp_path):
    model, state = zeroed(small_model()), to_torch(small_model())
    del state["norm.bias"]
    state["decoder.weight"] = np.zeros((3, 1), "float32")
    save_legacy(tmp_path / "w.pth", state)
    message = r"does not fit functional.*: norm/beta \(5,\) is not filled, for there is no norm.bias. Filled: 13 "
    message += r"variables; missing: 1; left over in the file: 1 \(decoder.weight \(3, 1\)\). The model is unchanged"
    with pytest.raises(ValueError, match=message):
        import_weights(model, tmp_path / "w.pth")
    assert not any(value.any() for value in model.get_weights())
    report = import_weights(model, tmp_path / "w.pth", partial=True)
    assert report.missing == [("norm/beta", (5,), "norm.bias")]
    assert report.left_over == [("decoder.weight", (3, 1))]
    lines = str(report).splitlines()
    assert lines[0].find("done") == lines[1].find("transposed")
    assert lines[-1] == "13 used, 1 left over, 1 missing"
    assert any(re.fullmatch(r"norm.bias +\(5,\) +norm/beta +missing", line) for line in lines)
    assert str(ImportReport()).endswith("0 used, 0 left over, 0 missing")


def repeated():
    """Two submodels whose layers have the same names."""
    images = keras.Input((4, 4, 1))
    x = images
    for name in ("first", "second"):
        inner = keras.Input((4, 4, 1))
        x = keras.Model(inner, layers.Conv2D(1, 1, use_bias=False, name="conv")(inner), name=name)(x)
    return keras.Model(images, x)


def numbers(model):
    return [float(value.squeeze()) for value in model.get_weights()]


def test_names_that_repeat_are_qualified_by_the_submodel(tmp_path):
    kernels = {f"{name}.conv.weight": np.full((1, 1, 1, 1), i, "float32") for i, name in enumerate(("first", "second"))}
    save_zip(tmp_path / "w.pth", kernels)
    model = repeated()
    import_weights(model, tmp_path / "w.pth")
    assert numbers(model) == [0, 1]
    import_weights(model, tmp_path / "w.pth", names={"first/conv": "second.conv", "second/conv": "first.conv"})
    assert numbers(model) == [1, 0]
    with pytest.raises(ValueError, match="conv is several layers, first/conv, second/conv: qualify it"):
        import_weights(model, tmp_path / "w.pth", names={"conv": "first.conv"})
    save_zip(tmp_path / "w.pth", {"conv.weight": kernels["first.conv.weight"]})
    with pytest.raises(ValueError, match=r"first/conv/kernel .* for there is no first.conv.weight"):
        import_weights(model, tmp_path / "w.pth")


def test_layers_of_keras1_may_be_named(tmp_path):
    write_keras1(tmp_path / "w.h5", {name: {"W": np.full((1, 1, 1, 1), i)} for i, name in enumerate("abc")})
    model = repeated()
    report = import_weights(model, tmp_path / "w.h5", names={"first/conv": "c"})
    assert numbers(model) == [2, 0]
    assert report.left_over == [("b/W", (1, 1, 1, 1))]
    with pytest.raises(ValueError, match="no layer 'd' for first/conv; it has a, b, c"):
        import_weights(model, tmp_path / "w.h5", names={"first/conv": "d"})


def test_the_oldest_files_of_keras_number_their_layers(tmp_path):
    with h5py.File(tmp_path / "w.h5", "w") as file:
        file.attrs["nb_layers"] = 3
        for i in range(3):
            group = file.create_group(f"layer_{i}")
            group.attrs["nb_params"] = i % 2
            if i % 2:
                group["param_0"] = np.ones((1, 1, 1, 1))
    report = import_weights(repeated(), tmp_path / "w.h5", partial=True)
    assert [row[::2] for row in report.used] == [("layer_1/param_0", "first/conv/kernel")]


class Composite(layers.Layer):
    """Holds two layers, whose variables have the same names."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.one, self.other = layers.Dense(3, name="one"), layers.Dense(3, name="other")

    def call(self, inputs):
        return self.other(self.one(inputs))


@pytest.mark.parametrize(
    ("change", "arguments", "message"),
    [
        (
            {"head.weight": np.zeros((2, 6), "float32")},
            {"partial": True},
            r"expected shape \(5, 2\) for head/kernel, received \(6, 2\) from head.weight \(2, 6\), transposed",
        ),
        ({}, {"names": {"up": "up2"}}, rf"no tensor up2.\* for inner/up; its first are {CONV}.weight"),
        ({}, {"names": {"conv": "up"}}, f"conv is none of {CONV}, depthwise, inner/bn, inner/up, norm, head"),
        ({}, {"kernels": "caffe"}, "one of theano, tensorflow. Received: kernels='caffe'"),
    ],
)
def test_what_does_not_fit_is_explained(change, arguments, message, tmp_path):
    save_zip(tmp_path / "w.pth", to_torch(small_model()) | change)
    model = zeroed(small_model())
    with pytest.raises(ValueError, match=message):
        import_weights(model, tmp_path / "w.pth", **arguments)
    assert not any(value.any() for value in model.get_weights())


def test_models_and_files_that_can_not_be_paired_are_explained(tmp_path):
    path = tmp_path / "w.pth"
    save_zip(path, {"block.weight": np.zeros((3, 3), "float32")})
    with pytest.raises(ValueError, match="without any; build it first"):
        import_weights(keras.Sequential([layers.Dense(2)]), path)
    with pytest.raises(ValueError, match="Filled: 0 variables; missing: 14; left over in the file: 1"):
        import_weights(small_model(), path, partial=True)
    with pytest.raises(ValueError, match=r"variables of block would take one .*; give its class a from_legacy"):
        import_weights(with_last_convolution(Composite(name="block")), path)
    stored = to_keras1(small_model())
    del stored["dense_6"]["dense_6_b"]
    write_keras1(path, stored)  # told by its content, whatever it is called
    with pytest.raises(ValueError, match="expected 2 arrays for head/kernel, head/bias, received 1 of dense_6"):
        import_weights(small_model(), path)
    write_keras1(path, to_keras1(small_model()))
    with pytest.raises(ValueError, match="received .* from conv2d_1/conv2d_1_W .*check kernels='theano' or '"):
        import_weights(small_model(), path, kernels="tensorflow")


def test_files_of_another_format_are_refused(tmp_path, monkeypatch):
    model = small_model()
    with pytest.raises(FileNotFoundError):
        import_weights(model, tmp_path / "nowhere.pth")
    (tmp_path / "text.h5").write_bytes(b"<html>")
    with pytest.raises(ValueError, match=r"to end in .safetensors. Received a file that starts with b'<htm'"):
        import_weights(model, tmp_path / "text.h5")
    model.save_weights(tmp_path / "new.weights.h5")
    with pytest.raises(ValueError, match=r"not a weight file of Keras 1 .* is read by model.load_weights"):
        import_weights(model, tmp_path / "new.weights.h5")
    model.save(tmp_path / "new.keras")
    with pytest.raises(ValueError, match="is not a PyTorch checkpoint"):
        import_weights(model, tmp_path / "new.keras")
    write_keras1(tmp_path / "cut.h5", to_keras1(model))
    (tmp_path / "cut.h5").write_bytes((tmp_path / "cut.h5").read_bytes()[:-3000])
    with pytest.raises(ValueError, match="not a weight file of Keras 1"):
        import_weights(model, tmp_path / "cut.h5")


def test_safetensors_are_optional_and_checked(tmp_path, monkeypatch):
    path = tmp_path / "w.safetensors"
    pytest.importorskip("safetensors")
    with pytest.raises(FileNotFoundError):
        import_weights(small_model(), path)
    path.write_bytes(b"short")
    with pytest.raises(ValueError, match="is not a safetensors file"):
        import_weights(small_model(), path)
    monkeypatch.setitem(sys.modules, "safetensors.numpy", None)
    with pytest.raises(ImportError, match="pip install safetensors"):
        import_weights(small_model(), path)


def test_a_transposed_tensor_is_read_from_its_strides(tmp_path):
    write_checkpoint(tmp_path / "w.pth", tensor_pickle(6, (2, 3), (1, 2)), {"0": np.arange(6, dtype="float32")})
    tensors = load_torch_weights(tmp_path / "w.pth")
    np.testing.assert_array_equal(tensors["w"], [[0, 2, 4], [1, 3, 5]])


def test_bfloat16_and_the_other_byte_order_are_read(tmp_path):
    values = np.array([1.0, -2.5, 0.0], "float32")
    upper = (values.view("uint32") >> 16).astype("uint16")
    write_zip(tmp_path / "w.pth", tensor_pickle(3, (3,), (1,), "BFloat16Storage"), {"0": upper})
    np.testing.assert_array_equal(load_torch_weights(tmp_path / "w.pth")["w"], values)
    write_zip(tmp_path / "w.pth", tensor_pickle(3, (3,), (1,)), {"0": values.astype(">f4")}, byteorder="big")
    np.testing.assert_array_equal(load_torch_weights(tmp_path / "w.pth")["w"], values)
    model = keras.Sequential([keras.Input((3,)), layers.Dense(1, use_bias=False, name="last")])
    save_safetensors(tmp_path / "w.safetensors", {"last.weight": values.astype("bfloat16")[None]})
    import_weights(model, tmp_path / "w.safetensors")
    np.testing.assert_array_equal(model.get_weights()[0][:, 0], values)


class Evil:
    def __reduce__(self):
        return (print, ("this must never be printed",))


def altered(item):
    """A pickle that sets an attribute of what it holds."""
    return b"\x80\x02" + item + b"N}" + text("storage") + b"Ns\x86b."


@pytest.mark.parametrize("write", [write_checkpoint, write_zip])
@pytest.mark.parametrize(
    ("state", "storages", "message"),
    [
        (pickle.dumps({"w": Evil()}, protocol=2), {}, "only tensors are admitted"),
        (pickle.dumps({"state_dict": {}, "args": Evil()}, protocol=4), {}, "only tensors are admitted"),
        (pickle.dumps(collections.Counter("a"), protocol=2), {}, "only tensors are admitted"),
        (pickle.dumps({"w": {1, 2}}, protocol=2), {}, "set, and only tensors are admitted"),
        (pickle.dumps([1, 2], protocol=2), {}, "holds a list in place of a dictionary"),
        (pickle.dumps({"epoch": 1}, protocol=2), {}, "no tensors in its dictionary of epoch"),
        (altered(name_of("torch._utils", "_rebuild_tensor_v2")), {}, "attribute"),
        (altered(tensor(6, (6,), (1,))), {}, "attribute"),
        (tensor_pickle(6, (2, 3), (1, 2), "Exploit"), {}, "only tensors are admitted"),
        (tensor_pickle(6, (2, 4), (1, 2)), {"0": np.zeros(6, "float32")}, "outside its storage"),
        (tensor_pickle(6, (2, 3), (-1, 2)), {"0": np.zeros(6, "float32")}, "outside its storage"),
        (tensor_pickle(6, (-2, 3), (1, 2)), {"0": np.zeros(6, "float32")}, "outside its storage"),
        (tensor_pickle(6, (2, 3), (1, 2)), {"0": np.zeros(5, "float32")}, "another size"),
    ],
)
def test_anything_but_tensors_is_refused(write, state, storages, message, tmp_path, capsys):
    write(tmp_path / "w.pth", state, storages)
    with pytest.raises(ValueError, match=f"is not a PyTorch checkpoint of tensors .*{message}.* state dict alone"):
        load_torch_weights(tmp_path / "w.pth")
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("write", [write_checkpoint, write_zip])
def test_truncated_and_foreign_files_are_refused(write, tmp_path):
    path = tmp_path / "w.pth"
    write(path, tensor_pickle(6, (2, 3), (1, 2)), {"0": np.arange(6, dtype="float32")})
    whole = path.read_bytes()
    for data in (whole[:-4], whole[:40], b"", b"PK\x03\x04 a zip file"):
        path.write_bytes(data)
        with pytest.raises(ValueError, match="is not a PyTorch checkpoint"):
            load_torch_weights(path)
