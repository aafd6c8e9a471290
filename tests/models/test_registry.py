"""Every architecture of the table: parameters, precision, other backbones and heads."""

import re

import keras
import numpy as np
import pytest
from conftest import REPOSITORY, channels_first, slowly
from registry import ODD, SLOW, batch, gives_log_density, small

import keras_saliency as ks
from keras_saliency.backbones import BACKBONES
from keras_saliency.models import ARCHITECTURES

VGG16, VGG19, RESNET_TORCH, MOBILENET, DENSENET = 14_714_688, 20_024_384, 23_508_032, 2_223_872, 18_051_968
HEAD = 2  # the blur and the weight of the centre bias


def convolution(inputs, outputs, kernel=1):
    return kernel**2 * inputs * outputs + outputs


def separable(inputs, outputs):
    """A depthwise 3x3 and a 1x1 convolution, each with batch normalisation and no bias."""
    return 9 * inputs + 2 * inputs + inputs * outputs + 2 * outputs


# The trainable parameters; those with a comment are the published counts, of all weights but for PyTorch's.
TRAINABLE = {
    "mlnet": 15_452_145,  # published
    "sam-vgg": 51_835_841,  # published
    "sam-resnet": 70_093_441,  # published
    "msi-net": 24_934_209,  # published
    "eml-net": 23_543_231,  # published; PyTorch counts no running statistics
    "salgan": 31_787_009,  # published
    "salnet": 25_806_209,  # published
    "dva": VGG16
    + sum(convolution(*pair, 4) for pair in ((256, 128), (128, 64)))
    + sum(convolution(*pair, 4) for pair in ((512, 256), (256, 128), (128, 64)))
    + sum(convolution(*pair, 4) for pair in ((512, 512), (512, 256), (256, 128), (128, 64)))
    + convolution(64, 1, 3) * 3
    + convolution(3, 1, 3),
    "salicon": 2 * VGG16 + convolution(1024, 1),
    "asnet": 33_895_425,  # published, the branch of fixations
    "dsclrcn": 30_302_597 + HEAD,  # published, as ResNet-50, AlexNet and decoder
    "simplenet": RESNET_TORCH
    + sum(
        convolution(*pair, 3)
        for pair in ((2048, 1024), (2048, 512), (1024, 256), (512, 64), (128, 64), (64, 64), (64, 1))
    ),
    "deepgaze1": VGG19 + 4 * 512 + HEAD,
    "icf": convolution(10, 16) + convolution(16, 32) + convolution(32, 2) + convolution(2, 1) + HEAD,
    "deepgaze2": VGG19 + convolution(5 * 512, 16) + convolution(16, 32) + convolution(32, 2) + convolution(2, 1) + HEAD,
    "deepgaze3": DENSENET + 20_697 + HEAD,  # those of the readout are the published count
    "unisal": MOBILENET
    + (16 * 4 + separable(1280 + 16, 256))
    + (96 * 128 + 2 * 128 + separable(256 + 128, 128))
    + (32 * 64 + 2 * 64 + separable(128 + 64, 64))
    + convolution(64, 1)
    + HEAD,
}
# All weights, where that is more.
TOTAL = {"sam-resnet": 70_146_561}
# Networks with running statistics or the map of a centre bias, which no paper counts.
UNCOUNTED = {"eml-net", "simplenet", *(name for name in TRAINABLE if gives_log_density(name))}


def count(weights):
    return sum(int(np.prod(weight.shape)) for weight in weights)


@pytest.mark.parametrize("name", TRAINABLE)
def test_a_published_network_has_its_parameters(name):
    model = ks.create_model(name, weights=None)
    assert count(model.trainable_weights) == TRAINABLE[name]
    if name not in UNCOUNTED:
        assert count(model.weights) == TOTAL.get(name, TRAINABLE[name])


def test_every_architecture_is_counted_and_documented():
    assert set(ARCHITECTURES) - set(TRAINABLE) == {"multilevel", "attentive"}
    page = (REPOSITORY / "docs" / "models.md").read_text()
    rows = dict(re.findall(r"^\| `([\w-]+)`[^|]*\| ([\d,]+)", page, re.MULTILINE))
    assert {name: rows.get(name) for name in TRAINABLE} == {name: f"{number:,}" for name, number in TRAINABLE.items()}
    assert set(BACKBONES) - {"tiny"} <= set(re.findall(r"`([\w-]+)`", page[page.index("## Backbones") :]))
    assert ks.create_model("sam", weights=None, width=1 / 64).name == "sam"


@pytest.mark.parametrize("stands_on", ["tiny", pytest.param("published", marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", slowly(ARCHITECTURES, {*SLOW} - {"sam-vgg", "attentive"}))
def test_a_mixed_precision_step_ends_in_float32(name, stands_on, tiny_backbone, rng):
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = small(name, **({"backbone": tiny_backbone} if stands_on == "tiny" else {}))
        images, targets = batch(rng)
        model.compile("adam", loss="kld + cc", run_eagerly=True)
        assert np.isfinite(model.train_on_batch(images, targets)).all()
        assert model(images).dtype == "float32"
    finally:
        keras.config.set_dtype_policy("float32")


@pytest.mark.parametrize("name", slowly(ARCHITECTURES, {*SLOW} - {"sam-vgg", "msi-net", "dva", "attentive"}))
def test_any_decoder_goes_on_any_backbone_under_any_head(name, tiny_backbone, rng):
    head = "density" if name in ("msi-net", "deepgaze2") else "log-density"
    model = small(name, backbone=tiny_backbone, head=head)
    images, targets = batch(rng)
    model.compile("adam", loss="kld", run_eagerly=True)
    assert np.isfinite(model.train_on_batch(images, targets)).all()
    maps = model.predict(batch(rng, ODD)[0], verbose=0)
    np.testing.assert_allclose((np.exp(maps) if head == "log-density" else maps).sum((1, 2)), 1, rtol=1e-4)


@pytest.mark.parametrize("name", slowly(ARCHITECTURES, {*ARCHITECTURES} - {"sam-vgg", "mlnet", "unisal", "dva"}))
def test_decoders_are_channels_last_however_keras_is_configured(name, tiny_backbone, rng):
    check_channels_last(rng, name, backbone=tiny_backbone)


@pytest.mark.slow
@pytest.mark.parametrize("name", ARCHITECTURES)
def test_published_networks_are_channels_last_however_keras_is_configured(name, rng):
    check_channels_last(rng, name)


def check_channels_last(rng, name, **options):
    model, (images, _) = small(name, **options), batch(rng, ODD)
    expected = model(images)
    with channels_first():
        again = small(name, **options)
        again.set_weights(model.get_weights())
        received = [one(images) for one in (again, model)]
    for maps in received:
        np.testing.assert_array_equal(maps, expected)


def test_models_are_trained_saved_and_loaded_however_keras_is_configured(tiny_backbone, rng, tmp_path):
    model, (images, targets) = small("salgan", backbone=tiny_backbone), batch(rng)
    expected = model.predict(images, verbose=0)
    model.save(tmp_path / "before.keras")
    with channels_first():
        loaded = keras.models.load_model(tmp_path / "before.keras")
        loaded.save(tmp_path / "after.keras")
        received = loaded.predict(images, verbose=0)
        loaded.compile("adam", loss="kld", run_eagerly=True)
        assert np.isfinite(loaded.train_on_batch(images, targets)).all()
    np.testing.assert_array_equal(received, expected)
    loaded = keras.models.load_model(tmp_path / "after.keras")
    np.testing.assert_allclose(loaded(images), expected, rtol=1e-5)


@pytest.mark.slow
def test_what_the_authors_fed_their_network_goes_with_no_other(tiny_backbone):
    for name in ("eml-net", "simplenet", "salnet", "dva"):
        published, other = (small(name, backbone=backbone).get_layer("backbone") for backbone in (None, tiny_backbone))
        expected = BACKBONES[tiny_backbone]
        assert (other.get_layer("normalise").scale, other.get_layer("normalise").offset) == (
            (expected.scale, expected.offset)
        )
        scale, offset = (getattr(published.get_layer("normalise"), key) for key in ("scale", "offset"))
        values = np.array([0.0, 255.0])[:, None] * scale + np.array(offset)
        np.testing.assert_allclose(values, FED[name], atol=1e-3)
        assert "margin" not in {layer.name for layer in other.layers}


# Red, green and blue of black and of white.
FED = {
    "eml-net": [[0.0] * 3, [1.0] * 3],
    "simplenet": [[-1.0] * 3, [1.0] * 3],
    "salnet": [[-118 / 127.5, -110 / 127.5, -100 / 127.5], [137 / 127.5, 145 / 127.5, 155 / 127.5]],
    "dva": [[-123.68, -116.779, -103.939], [131.32, 138.221, 151.061]],
}


def test_published_sizes_of_maps_are_an_option(rng):
    for name, scale, size in (("sam-vgg", 2, (128, 192)), ("mlnet", 1 / 8, (8, 12))):
        model = small(name, scale=scale)
        assert model.output_shape == (None, *size, 1)
        assert model.predict(batch(rng, (80, 96))[0], verbose=0).shape == (2, round(80 * scale), round(96 * scale), 1)
