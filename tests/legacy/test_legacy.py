import re
import sys

import h5py
import keras
import numpy as np
import pytest
from keras import layers
from legacy_files import (
    CONV,
    assert_same_outputs,
    save_legacy,
    save_nested,
    save_safetensors,
    save_torch,
    save_torch_legacy,
    save_zip,
    small_model,
    to_keras1,
    to_torch,
    write_keras1,
    zeroed,
)
from scipy.signal import convolve2d

from keras_saliency.legacy import ImportReport, import_weights


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
