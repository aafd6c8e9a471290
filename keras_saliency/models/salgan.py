"""SalGAN (Pan et al. 2017): a convolutional encoder and decoder, trained against a discriminator."""

from collections.abc import Sequence

import keras
from keras import layers

from keras_saliency.backbones.channels_last import channels_last
from keras_saliency.formulas.types import Features, Maps, Size
from keras_saliency.layers.unit_conv import UnitConv2D
from keras_saliency.layers.zoom import Zoom
from keras_saliency.models.decoders import convolutions, score


def salgan(features: Sequence[Features], width: float = 1.0) -> Maps:
    """Mirrors VGG16: from its last feature map back to the size of the image.

    Published on VGG16 to conv5_3, its first three blocks frozen: 31,787,009 parameters.
    """
    x = convolutions(features[-1], [512] * 3, width, names=[f"decode1_conv{j}" for j in (1, 2, 3)])
    for i, channels in enumerate(([512] * 3, [256] * 3, [128] * 2, [64] * 2), 2):
        x = Zoom((2, 2), "nearest", name=f"decode{i}_upsample")(x)
        x = convolutions(x, channels, width, names=[f"decode{i}_conv{j + 1}" for j in range(len(channels))])
    return score(x)


@channels_last()
def create_discriminator(input_size: Size = (192, 256)) -> keras.Model:
    """SalGAN's discriminator: whether a map is what people looked at in an image.

    As in the release, images are not scaled, and the kernels of the third block have length one.

    Args:
        input_size: `(height, width)` of images and maps; unlike the generator it holds for this size alone.

    Returns:
        A `keras.Model` from an image `(batch, height, width, 3)` in [0, 255] and a map `(batch, height, width, 1)` in
        [0, 1] to a probability `(batch, 1)`.
    """
    images, saliency = keras.Input((*input_size, 3), name="images"), keras.Input((*input_size, 1), name="saliency")
    x = convolutions(layers.Concatenate(name="join")([saliency, images]), [3], 1.0, kernel=1, names=["mix"])
    x = convolutions(x, [32], 1.0, names=["conv1"])
    x = layers.MaxPooling2D(4, name="pool1")(x)
    for i, convolution in ((2, layers.Conv2D), (3, UnitConv2D)):
        for j in (1, 2):
            x = convolution(64, 3, padding="same", activation="relu", name=f"conv{i}_{j}")(x)
        x = layers.MaxPooling2D(2, name=f"pool{i}")(x)
    x = layers.Flatten(name="flatten")(x)
    for i, units in enumerate((100, 2), 4):
        x = layers.Dense(units, activation="tanh", name=f"dense{i}")(x)
    x = layers.Dense(1, activation="sigmoid", dtype="float32", name="probability")(x)
    return keras.Model([images, saliency], x, name="discriminator")
