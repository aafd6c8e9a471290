"""DeepGaze I on the network that it was published on."""

import numpy as np

import keras_saliency as ks

CHANNELS = (96, 256, 384, 384, 256)


def test_deepgaze_one_reads_all_convolutions_of_alexnet():
    model = ks.create_model("deepgaze1", backbone="alexnet", weights=None, input_size=(64, 96))
    assert [tap.shape[1:] for tap in model.get_layer("backbone").outputs] == [
        (64 // stride, 96 // stride, channels) for stride, channels in zip((4, 8, 16, 16, 16), CHANNELS, strict=True)
    ]
    decoder = model.get_layer("decoder")
    assert decoder.get_layer("join").output.shape[1:] == (16, 24, sum(CHANNELS))
    assert [tuple(weight.shape) for weight in decoder.get_layer("score").weights] == [(1, 1, sum(CHANNELS), 1)]
    assert sum(np.prod(weight.shape) for weight in model.trainable_weights) == 2_335_458


def test_it_may_read_the_last_convolution_before_its_relu(rng):
    options = {"weights": None, "input_size": (64, 96), "taps": ["conv5:linear"]}
    model = ks.create_model("deepgaze1", backbone="alexnet", **options)
    images = rng.uniform(0, 255, (1, 70, 100, 3)).astype("float32")
    assert np.min(model.get_layer("backbone")(images)) < 0
    np.testing.assert_allclose(np.exp(model(images)).sum((1, 2)), 1, rtol=1e-4)
