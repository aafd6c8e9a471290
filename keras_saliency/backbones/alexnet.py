"""The convolutions of AlexNet (Krizhevsky et al. 2012) in the form of Caffe's reference model."""

from pathlib import Path

import keras
from keras import layers

from keras_saliency.formulas.types import Features
from keras_saliency.layers.grouped_conv import GroupedConv2D
from keras_saliency.layers.local_response_normalization import LocalResponseNormalization


def build_alexnet(images: Features, weights: str | Path | None = None) -> keras.Model:
    """Builds the layers up to `pool5`, at stride 32, on normalised images.

    Caffe's reference model pools before it normalises responses, where Krizhevsky's normalises before it pools. As in
    Caffe, neither the first convolution nor a pool pads: an image of 227x227 gives 6x6 values in the end.

    Args:
        images: A symbolic tensor `(batch, height, width, 3)`, BGR less its mean.
        weights: None for random ones, or the path of a `.weights.h5` file of this network.

    Returns:
        A `keras.Model` with 2,334,080 parameters and the layers `conv1`, `pool1`, `norm1`, `conv2`, `pool2`, `norm2`,
        `conv3`, `conv4`, `conv5` and `pool5`.
    """
    x = layers.Conv2D(96, 11, strides=4, activation="relu", name="conv1")(images)
    x = _normalised_pool(x, 1)
    settings = {"padding": "same", "activation": "relu"}
    x = GroupedConv2D(256, 5, groups=2, name="conv2", **settings)(x)
    x = _normalised_pool(x, 2)
    x = layers.Conv2D(384, 3, name="conv3", **settings)(x)
    x = GroupedConv2D(384, 3, groups=2, name="conv4", **settings)(x)
    x = GroupedConv2D(256, 3, groups=2, name="conv5", **settings)(x)
    x = layers.MaxPooling2D(3, strides=2, name="pool5")(x)
    network = keras.Model(images, x, name="alexnet")
    if weights is not None:
        network.load_weights(weights)
    return network


def _normalised_pool(x, number):
    x = layers.MaxPooling2D(3, strides=2, name=f"pool{number}")(x)
    return LocalResponseNormalization(local_size=5, alpha=1e-4, beta=0.75, k=1.0, name=f"norm{number}")(x)
