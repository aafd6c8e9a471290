"""Any Keras network as a backbone."""

import keras
import numpy as np
import pytest
from conftest import channels_first, slowly

import keras_saliency as ks
from keras_saliency.backbones import create_backbone

SIZE, TAPS = (64, 96), ("second", "third")


def own(channels=3, side=64, **options):
    """A classifier of images of one size."""
    x = images = keras.Input((side, side, channels))
    for name in ("first", "second", "third"):
        x = keras.layers.Conv2D(4, 3, strides=2, padding="same", activation="relu", name=name, **options)(x)
    x = keras.layers.Dense(2, name="classes")(keras.layers.Flatten(name="flat")(x))
    return keras.Model(images, x, name="mine")


def test_a_network_gives_what_its_layers_give_for_images_of_any_size(rng):
    network = own()
    backbone = create_backbone(network, input_size=SIZE, taps=TAPS, normalise=(1 / 255, [0.0] * 3))
    assert [tap.shape for tap in backbone.outputs] == [(None, 16, 24, 4), (None, 8, 12, 4)]
    features = keras.Model(network.input, [network.get_layer(tap).output for tap in TAPS])
    images = rng.uniform(0, 255, (1, 64, 64, 3)).astype("float32")
    for one, other in zip(backbone(images), features(images / 255), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)
    assert [tap.shape[1:3] for tap in backbone(images[:, :40])] == [(10, 16), (5, 8)]
    # Pixels stay as they are where nothing is said, and weights are the network's but for None.
    plain, random = (create_backbone(network, weights, SIZE, TAPS) for weights in ("imagenet", None))
    np.testing.assert_allclose(plain(images)[0], features(images)[0], rtol=1e-4, atol=1e-4)
    assert np.any(random.weights[0] != plain.weights[0])


def test_the_outputs_of_a_network_are_tapped_where_nothing_else_is_asked_for():
    network = own()
    features = keras.Model(network.input, [network.get_layer(tap).output for tap in TAPS])
    assert [tap.shape[1] for tap in create_backbone(features, input_size=SIZE).outputs] == [16, 8]


@pytest.mark.parametrize("name", slowly(ks.list_models(), {*ks.list_models()} - {"multilevel", "dva"}))
def test_every_decoder_stands_on_a_network_of_ones_own(name, rng):
    model = ks.create_model(name, backbone=own(), taps=TAPS, input_size=SIZE, width=1 / 16)
    assert np.isfinite(model(rng.uniform(0, 255, (1, 70, 90, 3)).astype("float32"))).all()
    # Where a decoder asks for a stride the network gets it; SALICON sees the image at half its size, too.
    assert model.get_layer("backbone").outputs[-1].shape[1] == (4 if name == "salicon" else 8)


def test_a_network_is_copied_trained_and_saved(eager, rng, tmp_path):
    network = own()
    before = network.get_weights()
    layer = keras.layers.Rescaling(1 / 64, name="mine_to_four")
    model = ks.create_model(backbone=network, taps=TAPS, normalise=layer, input_size=SIZE, width=1 / 16)
    images, truth = rng.uniform(0, 255, (2, *SIZE, 3)).astype("float32"), rng.random((2, *SIZE, 1))
    model.compile("adam", loss="kld")
    model.train_on_batch(images, ks.pack_targets(truth))
    assert np.any(model.get_layer("backbone").weights[0] != before[0])
    for one, other in zip(network.get_weights(), before, strict=True):
        np.testing.assert_array_equal(one, other)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert loaded.get_layer("backbone").get_layer("mine_to_four").scale == 1 / 64
    np.testing.assert_allclose(loaded(images), model(images), atol=1e-5)


def test_a_network_loses_its_strides():
    strides = [
        [tap.shape[1] for tap in create_backbone(own(), None, SIZE, TAPS, stride=stride).outputs]
        for stride in (None, 4)
    ]
    assert strides == [[16, 8], [16, 16]]


def test_a_layer_may_give_what_a_network_of_other_channels_takes(rng):
    grey = keras.layers.Conv2D(1, 1, name="grey")
    backbone = create_backbone(own(channels=1), input_size=SIZE, taps=TAPS, normalise=grey)
    assert backbone(rng.uniform(0, 255, (1, *SIZE, 3)).astype("float32"))[0].shape == (1, 16, 24, 4)


def pooled():
    x = images = keras.Input((None, None, 3))
    return keras.Model(images, keras.layers.GlobalAveragePooling2D(keepdims=True, name="pool")(x), name="mine")


def fixed():
    x = images = keras.Input((64, 64, 3))
    x = keras.layers.Dense(8, name="mix")(keras.layers.Flatten()(x))
    return keras.Model(images, keras.layers.Reshape((2, 2, 2), name="grid")(x), name="mine")


def first_channels():
    with channels_first():
        images = keras.Input((3, 64, 64))
        return keras.Model(images, keras.layers.Conv2D(4, 3, name="first")(images), name="mine")


def of_two():
    inputs = [keras.Input((64, 64, 3)), keras.Input((64, 64, 3))]
    return keras.Model(inputs, keras.layers.Add(name="sum")(inputs), name="mine")


@pytest.mark.parametrize(
    ("make", "arguments", "message"),
    [
        (
            own,
            {"taps": ["fourth"]},
            "Unknown layer 'fourth' of mine. Known layers: first, second, third, flat, classes",
        ),
        (own, {}, r"classes of mine gives \(None, 2\), which is no feature map .* maps: first, second, third\."),
        (own, {"taps": ["second", "flat"]}, r"flat of mine gives .*, which is no feature map"),
        (pooled, {}, r"pool of mine gives \(None, 1, 1, 3\), which has no places"),
        (fixed, {}, r"mine cannot take images of any size .* keras.Input\(\(None, None, 3\)\)"),
        (lambda: own(channels=4), {"taps": TAPS}, "mine takes images of 4 channels, and is shown 3.*normalise=LAYER"),
        (first_channels, {}, "mine has layers with data_format='channels_first': build it channels last"),
        (of_two, {}, "mine must be a functional model of one image"),
        (lambda: 3, {}, "A backbone must be a name or a functional Keras model. Received: 3"),
        (lambda: keras.layers.Dense(1), {}, "must be a functional model of one image"),
        (own, {"taps": TAPS, "weights": "w.h5"}, "mine keeps its own weights, or gets random ones for None. .*w.h5"),
    ],
)
def test_what_is_no_backbone_is_explained(make, arguments, message):
    with pytest.raises(ValueError, match=message):
        create_backbone(make(), **arguments)
