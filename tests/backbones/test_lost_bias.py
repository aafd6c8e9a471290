"""Convolutions whose bias batch normalisation takes up, as Caffe's ResNets have them."""

import keras
import numpy as np
import pytest

from keras_saliency.backbones import create_backbone


def network(after, activation=None):
    """A convolution with a bias, and then a layer; its running statistics, too, are drawn."""
    images = keras.Input((None, None, 3))
    x = keras.layers.Conv2D(4, 3, strides=2, activation=activation, name="conv")(images)
    model = keras.Model(images, keras.layers.ReLU(name="tap")(after(x)))
    rng = np.random.default_rng(0)
    model.set_weights([rng.uniform(0.5, 1.5, weight.shape) for weight in model.weights])
    return model


def test_a_convolution_may_lose_its_bias_to_the_normalisation_after_it(rng):
    own = network(keras.layers.BatchNormalization(scale=False, name="bn"))
    images = rng.uniform(0, 255, (2, 64, 96, 3)).astype("float32")
    changed = create_backbone(own, changes={"conv": {"use_bias": False}})
    assert len(changed.weights) == len(own.weights) - 1
    np.testing.assert_allclose(changed(images)[0], own(images)[0], rtol=1e-4)


def to_both(x):
    """The normalisation and what is there without it."""
    return keras.layers.Add(name="add")([keras.layers.BatchNormalization(name="bn")(x), x])


@pytest.mark.parametrize(
    ("after", "options", "message"),
    [
        (
            keras.layers.ReLU(name="activate"),
            {},
            "conv can lose its bias to a batch normalisation alone, not to activate",
        ),
        (to_both, {}, "conv can lose its bias to a batch normalisation alone, not to several inputs"),
        (keras.layers.BatchNormalization(), {"taps": ["conv"]}, "and none comes after"),
    ],
)
def test_a_bias_that_nothing_takes_up_is_not_lost(after, options, message):
    with pytest.raises(ValueError, match=message):
        create_backbone(network(after), changes={"conv": {"use_bias": False}}, **options)


def test_a_bias_that_an_activation_sees_or_nothing_follows_is_not_lost():
    with pytest.raises(ValueError, match="conv cannot lose its bias, which its own activation sees"):
        create_backbone(network(keras.layers.BatchNormalization(), "relu"), changes={"conv": {"use_bias": False}})
    images = keras.Input((None, None, 3))
    alone = keras.Model(images, keras.layers.Conv2D(4, 3, name="conv")(images))
    with pytest.raises(ValueError, match="conv can lose its bias to a batch normalisation alone, and none comes after"):
        create_backbone(alone, changes={"conv": {"use_bias": False}})
