"""The first three convolutions of VGG-CNN-M (Chatfield et al. 2014), as SalNet stands on them (Pan et al. 2016)."""

from pathlib import Path

import keras
from keras import layers

from keras_saliency.formulas.types import Features
from keras_saliency.layers.local_response_normalization import LocalResponseNormalization


def build_vgg_cnn_m(images: Features, weights: str | Path | None = None) -> keras.Model:
    """Builds the layers up to `conv3`, at stride 4, on normalised images.

    SalNet keeps more of the image than the classifier did: its convolutions have stride 1 and keep the size. Its
    response normalisation has the numbers of its own release, which are not the classifier's.

    Args:
        images: A symbolic tensor `(batch, height, width, 3)`, BGR less its mean.
        weights: None for random ones, or the path of a `.weights.h5` file of this network.

    Returns:
        A `keras.Model` with the layers `conv1`, `norm1`, `pool1`, `conv2`, `pool2`, `conv3`.
    """
    settings = {"padding": "same", "activation": "relu"}
    x = layers.Conv2D(96, 7, name="conv1", **settings)(images)
    x = LocalResponseNormalization(local_size=5, alpha=1e-4, beta=0.75, k=1.0, name="norm1")(x)
    x = layers.MaxPooling2D(3, strides=2, padding="same", name="pool1")(x)
    x = layers.Conv2D(256, 5, name="conv2", **settings)(x)
    x = layers.MaxPooling2D(3, strides=2, padding="same", name="pool2")(x)
    x = layers.Conv2D(512, 3, name="conv3", **settings)(x)
    network = keras.Model(images, x, name="vgg_cnn_m")
    if weights is not None:
        network.load_weights(weights)
    return network
