"""ASNet's branch of fixations, and its recurrence."""

import keras
import numpy as np
import pytest
from keras import ops

import keras_saliency as ks
from keras_saliency.layers import ConvLSTM, RepeatedConvLSTM


def drawn(layer, rng):
    for weight in layer.trainable_weights:
        weight.assign(rng.normal(0, 0.3, weight.shape))


@pytest.mark.parametrize("steps", [1, 3])
def test_features_that_are_seen_again_are_frames_that_are_alike(steps, rng):
    features = rng.normal(size=(2, 5, 7, 4)).astype("float32")
    repeated, frames = RepeatedConvLSTM(3, steps), ConvLSTM(3)
    for layer in (repeated, frames):
        layer(features if layer is repeated else features[:, None])
    drawn(repeated, rng)
    for ours, theirs in zip(frames.trainable_weights, repeated.trainable_weights, strict=True):
        ours.assign(theirs)
    outputs, state = frames(np.repeat(features[:, None], steps, axis=1))
    received = repeated(features)
    np.testing.assert_allclose(received, state["hidden"], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(received, outputs[:, -1], rtol=1e-5, atol=1e-6)


def test_one_look_is_one_step_from_a_state_of_zero(rng):
    features = rng.normal(size=(1, 4, 5, 2)).astype("float32")
    layer = RepeatedConvLSTM(3, steps=1, kernel_size=1)
    layer(features)
    drawn(layer, rng)
    kernel, bias, _ = (ops.convert_to_numpy(weight) for weight in layer.trainable_weights)
    i, _, g, o = np.split(features @ kernel[0, 0] + bias, 4, axis=-1)
    gate = lambda x: np.clip(0.2 * x + 0.5, 0, 1)  # noqa: E731
    expected = gate(o) * np.tanh(gate(i) * np.tanh(g))
    np.testing.assert_allclose(layer(features), expected, rtol=1e-4, atol=1e-6)


def test_the_recurrence_has_the_weights_of_one_lstm_however_often_it_looks():
    layer = RepeatedConvLSTM(8)
    layer.build((None, 14, 14, 8))
    assert sum(np.prod(weight.shape) for weight in layer.trainable_weights) == 4 * (2 * 9 * 8 * 8 + 8)
    with pytest.raises(ValueError, match="at least one step. Received: steps=0"):
        RepeatedConvLSTM(steps=0)


def test_published_maps_have_fourteen_values_a_side():
    model = ks.create_model("asnet", weights=None, input_size=(224, 224), width=1 / 64, scale=1 / 16)
    assert model.output_shape == (None, 14, 14, 1)
    assert model.get_layer("decoder").get_layer("finish").activation is keras.activations.sigmoid
