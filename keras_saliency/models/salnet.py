"""SalNet, the deep one (Pan et al., CVPR 2016): a stack of large convolutions."""

from collections.abc import Sequence

from keras import layers

from keras_saliency.formulas.types import Features, Maps
from keras_saliency.models.decoders import convolutions

# channels, kernel
STACK = ((512, 5), (512, 5), (256, 7), (128, 11), (32, 11))


def salnet(features: Sequence[Features], width: float = 1.0) -> Maps:
    """Six convolutions with kernels up to 13x13 on the last feature map, and a deconvolution of stride 4.

    Published on the first three convolutions of VGG-CNN-M, images in [-1, 1]: 25,806,209 parameters. As in the
    release, the last convolution has no ReLU and the deconvolution no bias.
    """
    return scored(stack(features[-1], width))


def stack(x: Features, width: float = 1.0, first: int = 4, last: int = 8) -> Features:
    """The convolutions from one to another, by their numbers in the paper, on what the one before gives."""
    for i in range(first, last + 1):
        channels, kernel = STACK[i - 4]
        x = convolutions(x, [channels], width, kernel=kernel, names=[f"conv{i}"])
    return x


def scored(x: Features) -> Maps:
    """The last convolution and the deconvolution."""
    x = layers.Conv2D(1, 13, padding="same", name="conv9")(x)
    return layers.Conv2DTranspose(1, 8, strides=4, padding="same", use_bias=False, dtype="float32", name="score")(x)
