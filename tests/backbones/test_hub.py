"""Backbones of KerasHub: what they give is what KerasHub gives, for images of any size."""

import importlib
import subprocess
import sys

import hub_networks
import keras
import numpy as np
import pytest
import tensorflow as tf
from conftest import channels_first, slowly
from hub_networks import NETWORKS, make

import keras_saliency as ks
from keras_saliency.backbones import HubNetwork, create_backbone, hub, list_backbones
from keras_saliency.backbones.hub_families import FAMILIES
from keras_saliency.backbones.hub_network import import_hub
from keras_saliency.backbones.hub_presets import PRESETS

SIZE = (64, 96)
TRANSFORMERS = ("DINOV2Backbone", "DINOV3Backbone", "CLIPVisionEncoder", "SigLIPVisionEncoder")


@pytest.fixture(scope="module", autouse=True)
def keras_hub():
    return pytest.importorskip("keras_hub")


def pictures(rng, size, count=1):
    return rng.uniform(0, 255, (count, *size, 3)).astype("float32")


def assert_same(received, expected, tolerance=1e-5):
    for one, other in zip(keras.tree.flatten(received), keras.tree.flatten(expected), strict=True):
        np.testing.assert_allclose(one, other, rtol=tolerance, atol=tolerance)


def test_the_table_is_what_keras_hub_has(keras_hub):
    assert {*NETWORKS} == {*FAMILIES}
    models, listed = keras_hub.models, {owner: {*names} for owner, names in PRESETS.items()}
    towers = {"CLIPVisionEncoder": "CLIPBackbone", "SigLIPVisionEncoder": "SigLIPBackbone"}
    assert {*listed} == {towers.get(name, name) for name in FAMILIES}
    there = {owner: {*getattr(models, owner).presets} for owner in listed}
    assert not {owner: names - there[owner] for owner, names in listed.items() if names - there[owner]}
    if keras_hub.__version__.startswith("0.32."):
        assert listed == there
        kinds = [kind for kind in vars(models).values() if isinstance(kind, type)]
        pyramids = [kind for kind in kinds if issubclass(kind, models.FeaturePyramidBackbone) and kind.presets]
        assert {kind.__name__ for kind in pyramids} - {"FeaturePyramidBackbone"} <= {*listed}
    assert {"vgg16", "hub:dinov2_small", "hub:siglip2_base_patch16_256"} < {*list_backbones()}


# Those that are slow are read as ResNet is.
@pytest.mark.parametrize("name", slowly(NETWORKS, ["CSPNetBackbone", "DenseNetBackbone", "EfficientNetBackbone"]))
def test_every_family_gives_feature_maps_for_images_of_any_size(name, rng):
    network, strides = HubNetwork(make(name)), NETWORKS[name][1]
    for size in (SIZE, (96, 64), (50, 70)):
        maps = network(rng.normal(0, 1, (1, *size, 3)).astype("float32"))
        assert all(np.isfinite(tap).all() for tap in maps)
        expected = [tuple(side / stride for side in size) for stride in strides]
        received = [tap.shape[1:3] for tap in maps]
        # Networks round sides that are no multiples up or down.
        np.testing.assert_allclose(received, expected, atol=0.5 if strides[0] > 8 or 50 not in size else 1.9)
    assert [tap.shape[1:3] for tap in network(keras.Input((50, 70, 3)))] == received


@pytest.mark.parametrize("name", slowly(["DINOV2Backbone", "DINOV3Backbone", "MiTBackbone"], ["MiTBackbone"]))
def test_sizes_need_not_be_known(name, rng):
    network = HubNetwork(make(name))
    forward = tf.function(lambda x: network(x)).get_concrete_function(tf.TensorSpec((None, None, None, 3)))
    for size in (SIZE, (96, 70)):
        images = rng.normal(0, 1, (1, *size, 3)).astype("float32")
        assert_same(forward(tf.constant(images)), network(images), 1e-4)


def tokens_of(network, name):
    """The tokens of patches that KerasHub's own model gives after its first block and after its last normalisation."""
    x = network.inputs
    if name == "CLIPVisionEncoder":
        return keras.Model(x, [network.get_layer("encoder_block_0").output, network.output]), 1
    if name == "SigLIPVisionEncoder":
        return keras.Model(x, [network.get_layer(layer).output for layer in ("encoder_block_0", "post_layer_norm")]), 0
    return keras.Model(x, [network.pyramid_outputs["stage1"], network.output]), 1 + network.num_register_tokens


@pytest.mark.parametrize("name", TRANSFORMERS)
def test_a_transformer_gives_its_tokens_as_a_grid(name, rng):
    network = make(name)
    own, first = tokens_of(network, name)
    size = network.image_shape[:2]
    images = rng.normal(0, 1, (2, *size, 3)).astype("float32")
    maps = HubNetwork(network, ("stage1", "stage2:norm"))(images)
    for received, tokens in zip(maps, own(images), strict=True):
        rows, columns = (side // network.patch_size for side in size)
        assert received.shape == (2, rows, columns, 8)
        np.testing.assert_allclose(
            np.reshape(received, (2, rows * columns, 8)), np.asarray(tokens)[:, first:], rtol=1e-4, atol=1e-5
        )


@pytest.mark.parametrize("name", ["MiTBackbone", "CSPNetBackbone"])
def test_a_pyramid_is_that_of_keras_hub(name, rng):
    network = make(name)
    images = rng.normal(0, 1, (1, 64, 64, 3)).astype("float32")
    own = keras.Model(network.inputs, [network.pyramid_outputs[tap] for tap in ("P2", "P4")])
    assert_same(HubNetwork(network, ("P2", "P4"))(images), own(images), 1e-4)


def test_places_are_interpolated_as_keras_hub_interpolates_them(keras_hub, rng):
    network, larger = make("DINOV2Backbone"), hub_networks.dinov2(keras_hub.models, 84)
    for layer, other in zip(network.layers, larger.layers, strict=True):
        if layer.name != "embeddings":
            other.set_weights(layer.get_weights())
    for own, other in zip(network.embeddings.weights, larger.embeddings.weights, strict=True):
        if own.shape == other.shape:
            other.assign(own)
    own = network.embeddings.position_embeddings
    larger.embeddings.interpolated_position_embeddings.assign(
        larger.embeddings._interpolate_position_embeddings(own, 14, (56, 56), (84, 84))
    )
    images = rng.normal(0, 1, (1, 84, 84, 3)).astype("float32")
    (received,) = keras.tree.flatten(HubNetwork(network, ("stage2:norm",))(images))
    # TensorFlow looks the weights of a bicubic interpolation up in a table.
    np.testing.assert_allclose(np.reshape(received, (1, 36, 8)), larger(images)[:, 3:], atol=5e-3)


def test_images_that_are_no_multiples_of_a_patch_are_seen_whole():
    network = HubNetwork(make("DINOV2Backbone"), ("stage1",))
    patches = keras.Model(network.input, network.get_layer("whole_patches").output)
    ramp = np.broadcast_to(np.linspace(0, 1, 100)[None, None, :, None], (1, 60, 100, 3)).astype("float32")
    received = patches(ramp)[0, :, :, 0]
    assert received.shape == (56, 98)
    np.testing.assert_allclose(np.asarray(received)[:, [0, -1]], [[0, 1]] * 56, atol=0.01)
    np.testing.assert_array_equal(patches(ramp[:, :56, :98]), ramp[:, :56, :98])


def test_a_backbone_of_keras_hub_survives_saving(rng, tmp_path):
    backbone = create_backbone(make("DINOV2Backbone"), input_size=SIZE)
    # To where KerasHub would save the embeddings of places as they were before.
    backbone.get_layer("dinov2_backbone").get_layer("patch_tokens").positions.assign_add(
        rng.normal(-1, 1, (1, 4, 4, 8))
    )
    backbone.get_layer("dinov2_backbone").get_layer("layers_0").trainable = False
    backbone.save(tmp_path / "backbone.keras")
    loaded = keras.models.load_model(tmp_path / "backbone.keras")
    images = pictures(rng, (96, 64))
    assert_same(loaded(images), backbone(images))
    assert len(loaded.trainable_weights) == len(backbone.trainable_weights) < len(backbone.weights)


@pytest.fixture(scope="module")
def model():
    model = ks.create_model(backbone=make("DINOV2Backbone"), area=84 * 112, width=1 / 16)
    assert model.view.of((300, 400)) == (84, 112)  # whole patches of 14, two by two
    return model


def test_what_stands_on_keras_hub_is_trained_and_frozen(model, eager, rng):
    images = pictures(rng, SIZE, 2)
    targets = ks.pack_targets(rng.random((2, *SIZE, 1)), rng.poisson(0.1, (2, *SIZE, 1)))
    backbone = model.get_layer("backbone")
    before = [weight.numpy() for weight in backbone.trainable_weights]
    model.compile("adam", loss="kld")
    assert np.isfinite(model.train_on_batch(images, targets)).all()
    changed = [np.any(weight.numpy() != old) for weight, old in zip(backbone.trainable_weights, before, strict=True)]
    assert np.mean(changed) > 0.9  # a softmax does not see the bias of keys
    backbone.trainable = False
    assert backbone.trainable_weights == [] and model.trainable_weights
    backbone.trainable = True


@pytest.mark.slow
def test_what_stands_on_keras_hub_is_served(model, rng, tmp_path):
    ks.export_saved_model(model, tmp_path / "1")
    served = tf.saved_model.load(tmp_path / "1").signatures["pixels"]
    images = rng.integers(0, 255, (1, 84, 112, 3)).astype("uint8")
    received = served(pixels=tf.constant(images))["log_density"]
    np.testing.assert_allclose(received, model(images.astype("float32")), atol=1e-4)
    turned = served(pixels=tf.constant(np.swapaxes(images, 1, 2)))["log_density"]  # seen at 112x84
    np.testing.assert_allclose(np.sum(np.exp(turned)), 1, atol=1e-3)


FRESH = """
import sys
import numpy as np
import keras
import keras_saliency
assert "keras_hub" not in sys.modules
images = np.load("images.npy")
for name in sys.argv[1:]:
    maps = keras.models.load_model(name + ".keras")(images)
    np.savez(name + ".npz", *map(np.asarray, maps))
"""


@pytest.mark.slow
def test_every_family_loads_in_a_process_that_imports_this_package_alone(rng, tmp_path):
    images = pictures(rng, (96, 64))
    np.save(tmp_path / "images.npy", images)
    expected = {}
    for name in NETWORKS:
        backbone = create_backbone(make(name), input_size=SIZE)
        backbone.save(tmp_path / f"{name}.keras")
        expected[name] = backbone(images)
    subprocess.run([sys.executable, "-c", FRESH, *expected], cwd=tmp_path, check=True)
    for name, maps in expected.items():
        assert_same([*np.load(tmp_path / f"{name}.npz").values()], maps)


def absent(monkeypatch):
    """Makes KerasHub one that is not installed."""
    monkeypatch.setitem(sys.modules, "keras_hub", None)
    monkeypatch.setattr(hub.importlib.util, "find_spec", lambda name: None)


def test_without_keras_hub_there_is_one_error(monkeypatch, tmp_path):
    backbone = create_backbone(make("ResNetBackbone"), input_size=SIZE)
    backbone.save(tmp_path / "backbone.keras")
    absent(monkeypatch)
    with pytest.raises(ImportError, match=r"hub:dinov2_small needs KerasHub.* pip install 'keras_saliency\[hub\]'"):
        create_backbone("hub:dinov2_small")
    for load in (keras.models.load_model, ks.load):
        with pytest.raises(ImportError, match=r"of this model needs KerasHub.* pip install 'keras_saliency\[hub\]'"):
            load(tmp_path / "backbone.keras")
    with pytest.raises(ValueError, match="no preset 'dinov2_smal' with feature maps.* Near names: dinov2_small, "):
        create_backbone("hub:dinov2_smal")


@pytest.mark.parametrize("name", slowly(["DINOV2Backbone", "DINOV3Backbone"], ["DINOV3Backbone"]))
def test_half_precision_stays_near(name, rng):
    images = rng.normal(0, 1, (1, *SIZE, 3)).astype("float32")
    config = {**make(name).get_config(), "dtype": "mixed_bfloat16"}
    network = type(make(name)).from_config(config)
    network.set_weights(make(name).get_weights())
    received, expected = (HubNetwork(source, ("stage2:norm",))(images) for source in (network, make(name)))
    (half,), (whole,) = keras.tree.flatten(received), keras.tree.flatten(expected)
    assert half.dtype == "bfloat16"
    assert np.mean(np.abs(keras.ops.cast(half, "float32") - whole)) < 0.05


def test_a_network_of_keras_hub_is_channels_last_however_keras_is_configured(keras_hub, rng):
    network = make("DINOV2Backbone")
    backbone = create_backbone(network, input_size=SIZE)
    images = pictures(rng, (96, 64))
    with channels_first():
        again = create_backbone(network, input_size=SIZE)
        assert_same([again(images), backbone(images)], [backbone(images)] * 2)
        other = keras_hub.models.DINOV3Backbone(patch_size=16, image_shape=(3, 64, 96), **hub_networks.TRANSFORMER)
    with pytest.raises(ValueError, match="channels_first': build it channels last"):
        create_backbone(other, input_size=SIZE)


# Presets.


@pytest.fixture(scope="module")
def folder(keras_hub, tmp_path_factory):
    """A preset as KerasHub writes it, and the network that it is made of."""
    folder, network = tmp_path_factory.mktemp("preset"), make("ResNetBackbone")
    network.save_to_preset(folder)
    keras_hub.layers.ResNetImageConverter(scale=[0.1, 0.2, 0.3], offset=-1.0).save_to_preset(folder)
    return folder, network


def test_a_preset_is_shown_what_it_was_trained_with(folder, rng, tmp_path):
    folder, network = folder
    backbone = create_backbone(f"hub:{folder}", input_size=SIZE)
    images = pictures(rng, SIZE)
    own = keras.Model(network.inputs, [network.pyramid_outputs[tap] for tap in ("P3", "P4", "P5")])
    assert_same(backbone(images), own(images * [0.1, 0.2, 0.3] - 1.0), 1e-4)
    other = create_backbone(f"hub:{folder}", None, SIZE, ("P2",), normalise=(1 / 255, [0.0] * 3))
    assert other.output_shape == [(None, 16, 24, 64)] or other.output_shape == (None, 16, 24, 64)
    assert other.get_layer("normalise").scale == 1 / 255
    with pytest.raises(AssertionError):
        np.testing.assert_array_equal(other.weights[0], backbone.weights[0])
    network.save_to_preset(tmp_path)
    silent = create_backbone(f"hub:{tmp_path}", input_size=SIZE).get_layer("normalise")
    np.testing.assert_allclose(
        (0 * np.array(silent.scale) + np.array([123.675, 116.28, 103.53]) * silent.scale + silent.offset), 0, atol=1e-6
    )


def test_of_a_preset_of_images_and_texts_the_tower_of_images_is_read(keras_hub, rng, tmp_path):
    models, tower = keras_hub.models, make("CLIPVisionEncoder")
    texts = models.CLIPTextEncoder(
        vocabulary_size=9, embedding_dim=8, **hub_networks.TRANSFORMER, max_sequence_length=4
    )
    models.CLIPBackbone(tower, texts, 4).save_to_preset(tmp_path)
    received, expected = (
        create_backbone(which, input_size=SIZE, taps=("stage1",)) for which in (f"hub:{tmp_path}", tower)
    )
    images = pictures(rng, SIZE)
    assert_same(received(images), expected(images))
    assert expected.get_layer("normalise").scale[0] == pytest.approx(1 / 255 / 0.26862954)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"name": "hub:bert_base_en"}, "no preset 'bert_base_en' with feature maps, and there is no such folder. Near"),
        ({"name": "hub:/no/folder"}, "no preset '/no/folder' with feature maps, and there is no such folder. Near"),
        ({"name": "hub:dinov2_small", "weights": "w.h5"}, "come with the preset: pass .*hub:FOLDER.*Received.*w.h5"),
        ({"name": "hub:dinov2_small", "stride": 8}, "keeps its strides and settings: pass neither"),
        ({"taps": ["P9"]}, "Unknown layer 'P9' of .*. Known layers: P2, P3, P4, P5"),
    ],
)
def test_what_keras_hub_has_not_is_explained(arguments, message):
    arguments = arguments if "name" in arguments else {"name": make("ResNetBackbone"), **arguments}
    with pytest.raises(ValueError, match=message):
        create_backbone(**arguments)


def test_a_folder_that_is_no_preset_and_a_failed_download_say_what_to_do(keras_hub, monkeypatch, tmp_path):
    with pytest.raises(ValueError, match=r"is no preset folder that KerasHub can read \(.*config.json"):
        create_backbone(f"hub:{tmp_path}")

    def no_network(preset, **options):
        raise OSError("no\nnetwork")

    monkeypatch.setattr(keras_hub.models.Backbone, "from_preset", no_network)
    told = (
        "downloads the preset dinov2_small, its configuration included, from "
        r"https://www.kaggle.com/models/keras/dinov2/keras/dinov2_small/\d+, which failed \(no network\)\..*hub:FOLDER"
    )
    with pytest.raises(ConnectionError, match=told):
        create_backbone("hub:dinov2_small")


def test_another_error_while_keras_hub_is_imported_is_told(monkeypatch):
    def broken(name):
        raise ImportError("tensorflow-text is of another version")

    monkeypatch.setattr(importlib, "import_module", broken)
    with pytest.raises(ImportError, match=r"cannot be imported \(tensorflow-text is of another version\)"):
        import_hub("It")
