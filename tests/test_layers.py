import keras
import numpy as np
import pytest
from keras import ops
from scipy.ndimage import gaussian_filter

from keras_saliency import layers


def test_centre_bias_adds_the_weighted_log_density(rng):
    layer = layers.CentreBias()
    inputs = rng.normal(size=(2, 6, 8, 1)).astype("float32")
    layer(inputs)
    density = rng.random((6, 8)) + 0.1
    layer.set_density(density)
    layer.weight.assign(0.5)
    added = ops.convert_to_numpy(layer(inputs)) - inputs
    expected = 0.5 * np.log(density / density.max())
    np.testing.assert_allclose(added[0, ..., 0], expected, rtol=1e-4, atol=1e-5)
    assert [w.path for w in layer.trainable_weights] == [layer.weight.path]


@pytest.mark.parametrize("density", [np.zeros((3, 4)), np.full((3, 4), np.nan), np.ones((3, 4, 1))])
def test_centre_bias_refuses_what_is_no_positive_density(density):
    layer = layers.CentreBias()
    layer.build((None, 6, 8, 1))
    with pytest.raises(ValueError, match="finite, positive density"):
        layer.set_density(density)


def test_learned_blur_blurs_and_learns_its_width(rng):
    layer = layers.LearnedBlur(sigma=1.7)
    inputs = rng.random((1, 12, 15, 1)).astype("float32")
    expected = gaussian_filter(inputs[0, ..., 0], 1.7, mode="reflect", truncate=8)
    np.testing.assert_allclose(ops.convert_to_numpy(layer(inputs))[0, ..., 0], expected, rtol=1e-4)
    with pytest.raises(ValueError, match="positive sigma"):
        layers.LearnedBlur(sigma=0)


def test_learned_prior_starts_as_identity_and_is_pulled_back_to_it(rng):
    layer = layers.LearnedPrior((2, 2))
    inputs = rng.random((1, 4, 6, 1)).astype("float32")
    np.testing.assert_allclose(layer(inputs), inputs, rtol=1e-6)
    layer.prior.assign(np.ones((1, 2, 2, 1)))
    np.testing.assert_allclose(layer(inputs), 2 * inputs, rtol=1e-6)
    np.testing.assert_allclose(layer.losses[0], 1.0, rtol=1e-6)


@pytest.mark.parametrize("make", [layers.CentreBias, layers.LearnedBlur, layers.LearnedPrior, layers.LogSoftmax])
def test_layers_round_trip_and_run_in_float32_under_a_mixed_policy(make, rng):
    layer = make(name="mine")
    again = keras.layers.deserialize(keras.layers.serialize(layer))
    assert again.get_config() == layer.get_config()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        again = make()
    finally:
        keras.config.set_dtype_policy("float32")
    assert keras.backend.standardize_dtype(again(rng.random((1, 6, 8, 1)).astype("float32")).dtype) == "float32"
