"""ResNet-50 (He et al. 2016) in the form of torchvision, whose weights other models of the field start from.

It is not that of `keras.applications`: the stride is on the 3x3 convolution of a block, convolutions have no bias, and
batch normalisation has another epsilon.
"""

import functools
from pathlib import Path

import keras
from keras import layers

from keras_saliency.formulas.types import Features
from keras_saliency.legacy.importer import import_weights

# blocks, channels of the 3x3 convolutions, stride
STAGES = ((3, 64, 1), (4, 128, 2), (6, 256, 2), (3, 512, 2))


def _convolution(x, name, norm, channels, kernel=1, stride=1):
    """A convolution without bias, padded as PyTorch pads, then batch normalisation."""
    padding = "same"
    if kernel > 1 and stride > 1:
        # Keras would pad an even side at its end only, and so look at other pixels.
        x, padding = layers.ZeroPadding2D(kernel // 2, name=f"{name}-pad")(x), "valid"
    initializer = keras.initializers.VarianceScaling(2.0, mode="fan_out", distribution="untruncated_normal")
    settings = {"strides": stride, "padding": padding, "use_bias": False, "kernel_initializer": initializer}
    x = layers.Conv2D(channels, kernel, name=name, **settings)(x)
    return layers.BatchNormalization(epsilon=1e-5, momentum=0.9, name=norm)(x)


def _bottleneck(x, name, out, channels, stride):
    """A residual block: 1x1, 3x3 and 1x1 convolution; a 1x1 convolution on the way around where the shape changes."""
    y = layers.ReLU(name=f"{name}-relu1")(_convolution(x, f"{name}-conv1", f"{name}-bn1", channels))
    y = _convolution(y, f"{name}-conv2", f"{name}-bn2", channels, kernel=3, stride=stride)
    y = layers.ReLU(name=f"{name}-relu2")(y)
    y = _convolution(y, f"{name}-conv3", f"{name}-bn3", 4 * channels)
    if stride > 1 or x.shape[-1] != 4 * channels:
        x = _convolution(x, f"{name}-downsample-0", f"{name}-downsample-1", 4 * channels, stride=stride)
    return layers.ReLU(name=out)(layers.Add(name=f"{name}-add")([y, x]))


def build_resnet50(images: Features, weights: str | Path | None = None) -> keras.Model:
    """Builds the trunk of torchvision's ResNet-50 on normalised images.

    Args:
        images: A symbolic tensor `(batch, height, width, 3)`, RGB less its mean over its standard deviation.
        weights: None for random ones, or the path of a `.weights.h5` file of this network or of a state dict of
            PyTorch's ResNet-50, whose classifier is left out.

    Returns:
        A `keras.Model` with 23,508,032 trainable parameters. A layer with weights is named as in torchvision's state
        dict with a hyphen for each dot, since Keras on PyTorch refuses dots: `layer1-0-conv1` is `layer1.0.conv1`. The
        layers `relu`, `layer1`, ..., `layer4` end the stem and the stages, at the strides 2, 4, 8, 16 and 32.
    """
    x = layers.ReLU(name="relu")(_convolution(images, "conv1", "bn1", 64, kernel=7, stride=2))
    # Zeros are below nothing that a ReLU gives, so they pad as well as PyTorch's minus infinity.
    x = layers.ZeroPadding2D(1, name="maxpool-pad")(x)
    x = layers.MaxPooling2D(3, strides=2, name="maxpool")(x)
    for i, (blocks, channels, stride) in enumerate(STAGES, 1):
        for j in range(blocks):
            name, out = f"layer{i}-{j}", f"layer{i}" if j == blocks - 1 else f"layer{i}-{j}-relu"
            x = _bottleneck(x, name, out, channels, stride if j == 0 else 1)
    network = keras.Model(images, x, name="resnet50_torch")
    if weights is not None:
        load = network.load_weights if str(weights).endswith(".h5") else functools.partial(import_weights, network)
        load(weights)
    return network
