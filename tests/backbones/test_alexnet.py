"""AlexNet's convolutions as a backbone."""

import keras
import numpy as np

from keras_saliency.backbones import create_backbone
from keras_saliency.backbones.alexnet import build_alexnet
from keras_saliency.layers import GroupedConv2D

CHANNELS = (96, 256, 384, 384, 256)


def test_alexnet_has_the_layers_and_the_sizes_of_caffe():
    network = build_alexnet(keras.Input((227, 227, 3)))
    assert network.count_params() == 2_334_080
    sizes = {"conv1": 55, "pool1": 27, "conv2": 27, "pool2": 13, "conv5": 13, "pool5": 6}
    assert {name: network.get_layer(name).output.shape[1] for name in sizes} == sizes
    assert [network.get_layer(f"conv{i}").output.shape[-1] for i in range(1, 6)] == [*CHANNELS]
    kernels = [(11, 11, 3, 96), (5, 5, 48, 256), (3, 3, 256, 384), (3, 3, 192, 384), (3, 3, 192, 256)]
    assert [weight.shape for weight in network.weights if len(weight.shape) == 4] == kernels


def test_its_features_reach_the_edges_of_the_image_as_a_backbone_and_may_go_without():
    padded = create_backbone("alexnet", None, (64, 96))
    assert [tap.shape[1:3] for tap in padded.outputs] == [(16, 24), (8, 12), *[(4, 6)] * 3]
    changes = {name: {"padding": "valid"} for name in ("conv1", "pool1", "pool2", "pool5")}
    assert create_backbone("alexnet", None, (227, 227), ("pool5",), changes=changes).output_shape == (None, 6, 6, 256)


def test_groups_are_convolved_as_keras_convolves_them(rng):
    inputs = rng.normal(size=(2, 9, 11, 6)).astype("float32")
    options = {"groups": 2, "strides": 2, "padding": "same", "activation": "relu", "bias_initializer": "ones"}
    ours, theirs = (kind(8, 3, **options) for kind in (GroupedConv2D, keras.layers.Conv2D))
    for layer in (ours, theirs):
        layer.build(inputs.shape)
    theirs.set_weights(ours.get_weights())
    np.testing.assert_allclose(ours(inputs), theirs(inputs), rtol=1e-4, atol=1e-5)
