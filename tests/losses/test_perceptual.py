import os
import subprocess
import sys

import keras
import numpy as np
import pytest
import reference
import tensorflow as tf
from conftest import make_truth, slowly

import keras_saliency as ks
from keras_saliency.backbones import BACKBONES, create_backbone
from keras_saliency.losses import CC, DeepFeatures, Gram

SHAPE = (2, 40, 48, 1)
REFERENCES = {DeepFeatures: reference.feature_distance, Gram: reference.gram_distance}
TAPS = ("block1_conv2", "block2_conv2")


def grey(maps):
    """A map as the backbone is shown it."""
    return np.repeat(255 * maps / maps.max((1, 2), keepdims=True), 3, axis=-1)


@pytest.mark.parametrize("loss", REFERENCES)
def test_the_features_of_the_default_taps_are_compared(loss, rng):
    density, _ = make_truth(rng, SHAPE)
    prediction = rng.random(SHAPE).astype("float32")
    taps = ("block1_conv2", "block2_conv2", "block3_conv3", "block4_conv3")
    backbone = create_backbone("vgg16", "hed", SHAPE[1:3], taps)
    features = [backbone.predict(grey(maps), verbose=0) for maps in (density, prediction)]
    expected = [
        REFERENCES[loss](*([level[i].astype("float64") for level in levels] for levels in features)) for i in range(2)
    ]
    value = loss(weights="hed", reduction=None)(density, prediction)
    np.testing.assert_allclose(value, expected, rtol=1e-4)
    np.testing.assert_allclose(loss(weights="hed")(density, 3 * density), 0.0, atol=1e-6 * max(expected))


@pytest.mark.parametrize("backbone", slowly(BACKBONES, {*BACKBONES} - {"vgg16", "mobilenetv2"}))
def test_every_backbone_can_stand_behind_a_loss(backbone, rng):
    density, _ = make_truth(rng, (1, 64, 64, 1))
    loss = DeepFeatures(backbone=backbone, weights=None)
    assert np.isfinite(loss(density, rng.random(density.shape).astype("float32")))


@pytest.mark.slow
def test_a_model_gains_no_weights_and_survives_saving(rng, tmp_path):
    density, _ = make_truth(rng, SHAPE)
    images = rng.random((*SHAPE[:3], 3)).astype("float32")
    inputs = keras.Input((*SHAPE[1:3], 3))
    model = ks.models.SaliencyModel(inputs, keras.layers.Conv2D(1, 3, padding="same", activation="softplus")(inputs))
    model.compile("sgd", loss=CC() + 1e-6 * DeepFeatures(weights=None, taps=TAPS) + 1e-9 * Gram(weights="hed"))
    assert len(model.weights) == len(model.trainable_variables) == 2
    frozen = [weight.numpy() for loss in model.loss.losses[1:] for weight in loss.network.weights]
    assert set(model.fit(images, density, verbose=0).history) == {"loss", "cc_loss", "deep_features_loss", "gram_loss"}
    for before, loss_weight in zip(
        frozen, [weight for loss in model.loss.losses[1:] for weight in loss.network.weights], strict=True
    ):
        np.testing.assert_array_equal(before, loss_weight.numpy())
    assert not any(loss.network.trainable_variables for loss in model.loss.losses[1:])
    expected = model.evaluate(images, density, verbose=0, return_dict=True)["loss"]
    model.save(tmp_path / "model.keras")
    np.savez(tmp_path / "data.npz", images=images, density=density)
    # In a process of its own, where random weights would be other ones.
    code = (
        "import sys, keras, numpy as np, keras_saliency\n"
        "data = np.load(sys.argv[2])\n"
        "model = keras.models.load_model(sys.argv[1])\n"
        "print(model.evaluate(data['images'], data['density'], verbose=0, return_dict=True)['loss'])"
    )
    command = [sys.executable, "-c", code, tmp_path / "model.keras", tmp_path / "data.npz"]
    printed = subprocess.run(command, check=True, capture_output=True, text=True, env=os.environ).stdout
    np.testing.assert_allclose(float(printed.split()[-1]), expected, rtol=1e-5)


def test_losses_of_one_combination_share_their_features(rng):
    density, _ = make_truth(rng, SHAPE)
    both = DeepFeatures(weights=None, taps=TAPS) + Gram(weights=None, taps=TAPS)
    first, second = both.losses
    assert first.network is second.network
    calls = []
    whole, first_call = first.network.call, type(first.network).call
    try:
        type(first.network).call = lambda self, *args, **kwargs: calls.append(self) or first_call(self, *args, **kwargs)
        both(density, rng.random(SHAPE).astype("float32"))
    finally:
        type(first.network).call = first_call
    assert whole is not None
    assert sum(network is first.network for network in calls) == 2


def test_padding_changes_little(rng):
    shape = (1, 96, 128, 1)
    truth, prediction = (keras.ops.convert_to_numpy(ks.maps.blur(rng.random(shape), 3.0)) for _ in range(2))
    truth, prediction = ((maps - maps.min()).astype("float32") for maps in (truth, prediction))
    border = ((0, 0), (16, 16), (16, 0), (0, 0))
    mask = np.pad(np.ones(shape, "float32"), border)
    zeros = np.zeros_like(mask)
    padded = ks.pack_targets(np.pad(truth, border), zeros, mask)
    for loss in (DeepFeatures(weights="hed"), Gram(weights="hed")):
        value = loss(padded, np.pad(prediction, border, constant_values=7.0))
        np.testing.assert_allclose(value, loss(truth, prediction), rtol=0.15)


def test_half_precision_policies_leave_the_backbone_in_float32(rng):
    density, _ = make_truth(rng, SHAPE)
    prediction = rng.random(SHAPE).astype("float32")
    expected = DeepFeatures(weights=None, taps=TAPS)(density, prediction)
    keras.config.set_dtype_policy("mixed_float16")
    try:
        # Other taps, so that the network is built under the policy.
        loss = DeepFeatures(weights=None, taps=(*TAPS, "block2_conv1"))
        assert {layer.compute_dtype for layer in loss.network.layers} == {"float32"}
        assert keras.config.dtype_policy().name == "mixed_float16"
        mixed = DeepFeatures(weights=None, taps=TAPS)(density, tf.cast(prediction, "float16"))
    finally:
        keras.config.set_dtype_policy("float32")
    np.testing.assert_allclose(mixed, expected, rtol=1e-2)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"backbone": "vgg"}, ValueError, "Unknown backbone 'vgg'. Known backbones"),
        (
            {"taps": ["relu9"], "weights": None},
            ValueError,
            "Unknown layer 'relu9' of vgg16. Known layers: block1",
        ),
        ({"weights": "nowhere.h5"}, FileNotFoundError, 'must be "imagenet", "hed", None or the path of a file'),
    ],
)
def test_what_cannot_be_had_is_explained(arguments, error, message):
    with pytest.raises(error, match=message):
        DeepFeatures(**arguments)


def test_small_maps_are_refused(rng):
    with pytest.raises(ValueError, match="needs maps of at least 32x32. Received: \\(6, 8\\)"):
        DeepFeatures(weights=None)(np.ones((1, 6, 8, 1)), np.ones((1, 6, 8, 1), "float32"))
