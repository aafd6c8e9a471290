"""Several models as one, before their heads, and at several sizes."""

import dataclasses

import keras
import numpy as np
import pytest
from keras import ops

import keras_saliency as ks
from keras_saliency import layers
from keras_saliency.models import for_recording, mix
from keras_saliency.models.recording import network_of, recording_head_of, with_recording_head

NUMBERS = [
    {"gain": 0.6, "blur": 0.02, "centre_weight": 0.4, "uniform_share": 0.02},
    {"gain": 1.0, "blur": 0.04, "centre_weight": 0.8, "uniform_share": 0.04},
]


@pytest.fixture
def headed(tiny_backbone):
    """Two models with heads of one recording."""
    keras.utils.set_random_seed(0)
    models = []
    for numbers in NUMBERS:
        model = with_recording_head(ks.create_model(backbone="tiny", weights=None, area=64 * 96), ["lab"])
        recording_head_of(model).set(numbers, np.random.default_rng(1).random((120, 160)) + 0.1, "lab")
        models.append(model)
    return models


def test_models_of_the_same_recordings_are_mixed_before_their_heads(headed, rng, tmp_path):
    images = rng.uniform(0, 255, (2, 64, 96, 3)).astype("float32")
    mixture = for_recording(mix(headed), "lab")
    head = recording_head_of(mixture)
    mean = {name: np.mean([numbers[name] for numbers in NUMBERS]) for name in NUMBERS[0]}
    assert head.numbers == pytest.approx(mean)
    np.testing.assert_allclose(head.shares_of("lab"), [0.5, 0.5])
    # By hand: the mean of both networks under one head.
    score = ops.mean(ops.concatenate([network_of(model)(images) for model in headed], -1), -1, keepdims=True)
    alone = for_recording(headed[0], "lab")
    recording_head_of(alone).set(mean, head.centre_bias_of("lab"), "lab")
    np.testing.assert_allclose(mixture(images), recording_head_of(alone)(score), atol=2e-5)
    # Weights of maps: the first alone.
    head.set(mean, head.centre_bias_of("lab"), "lab", [1.0, 0.0])
    np.testing.assert_allclose(mixture(images), alone(images), atol=2e-5)
    assert head.numbers == pytest.approx(mean)
    for shares in ([0.5], [1.5, -0.5], [0.5, 0.4]):
        with pytest.raises(ValueError, match=r"2 numbers, not negative, that sum to one. Received: \["):
            head.set(mean, head.centre_bias_of("lab"), "lab", shares)
    mixture.save(tmp_path / "mixture.keras")
    again = ks.load(tmp_path / "mixture.keras").model
    np.testing.assert_allclose(again(images), mixture(images), atol=1e-5)


def test_a_model_looks_twice(headed, rng):
    images = rng.uniform(0, 255, (1, 64, 96, 3)).astype("float32")
    twice = mix(headed[:1], sizes=(1.0, 0.5))
    assert network_of(twice).output_shape[-1] == 2 and twice.view == headed[0].view
    maps = network_of(twice)(images)
    np.testing.assert_allclose(maps[..., :1], network_of(headed[0])(images), atol=2e-5)
    half = ops.image.resize(images, (32, 48), data_format="channels_last")
    small = ops.image.resize(network_of(headed[0])(half), (64, 96), data_format="channels_last")
    small = small - ops.log(ops.sum(ops.exp(small)))
    np.testing.assert_allclose(maps[..., 1:], small, atol=1e-4)
    # It is shown what is as large as its largest look.
    larger = mix(headed[:1], sizes=(2.0, 1.0))
    assert larger.view == dataclasses.replace(headed[0].view, area=4 * headed[0].view.area)
    np.testing.assert_allclose(network_of(larger)(images), maps, atol=2e-5)
    # All that it sees has whole cells of the coarsest features.
    assert [layer.multiple for layer in larger.layers if isinstance(layer, layers.Zoom)] == [headed[0].view.stride]
    assert network_of(larger)(np.zeros((1, 96, 160, 3), "float32")).shape[1:3] == (96, 160)
    # In the mirror image, what is left is right.
    mirrored = network_of(mix(headed[:1], sizes=(1.0, 0.5), mirrored=True))
    np.testing.assert_allclose(mirrored(images)[..., :2], maps, atol=2e-5)
    np.testing.assert_allclose(mirrored(images[:, :, ::-1])[..., 2:], maps[:, :, ::-1], atol=2e-5)
    with pytest.raises(ValueError, match="numbers above 0, one at least"):
        mix(headed, sizes=(1.0, 0.0))


def test_a_head_that_is_not_there(headed, tiny_backbone):
    with pytest.raises(ValueError, match="has no heads of recordings"):
        for_recording(ks.create_model(backbone="tiny", weights=None), "lab")
    with pytest.raises(ValueError, match="Unknown recording 'sea'. Known recordings: lab"):
        for_recording(headed[0], "sea")
