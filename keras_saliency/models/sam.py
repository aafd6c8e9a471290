"""SAM (Cornia et al., TIP 2018): attention that is refined step by step, and learned Gaussian priors."""

from collections.abc import Sequence

from keras import layers

from keras_saliency.formulas.types import Features, Maps
from keras_saliency.layers.attentive_conv_lstm import AttentiveConvLSTM
from keras_saliency.layers.gaussian_priors import GaussianPriors
from keras_saliency.layers.match_size import MatchSize
from keras_saliency.models.decoders import convolutions, scaled, score


def sam(features: Sequence[Features], width: float = 1.0) -> Maps:
    """Looks four times at the last feature map, then twice joins Gaussian priors and convolves widely.

    Published on dilated VGG16 (51,835,841 parameters) and dilated ResNet50 (70,146,561, of which 70,093,441 are
    trainable), whose 2048 channels a convolution narrows to the 512 of the LSTM.
    """
    x, channels = features[-1], scaled(512, width)
    if x.shape[-1] != channels:
        x = convolutions(x, [512], width, names=["narrow"])
    x = AttentiveConvLSTM(channels, name="attentive_conv_lstm")(x)
    for i in (1, 2):
        x = GaussianPriors(name=f"gaussian_priors{i}")(x)
        x = convolutions(x, [512], width, kernel=5, dilation_rate=4, names=[f"mix{i}"])
    return score(x)


def attentive(
    features: Sequence[Features],
    width: float = 1.0,
    steps: int = 4,
    attention: str | None = "mean",
    priors: bool = True,
) -> Maps:
    """Looks several times at features of all depths, in SAM's manner, then twice joins priors and convolves.

    SAM reads the last feature map alone. Here 1x1 convolutions narrow each feature map, their sum at the size of the
    finest is mixed by a 3x3 convolution, and the mean of the attention is one, whatever the size. 64 channels in all.

    Args:
        features: Symbolic feature maps, fine to coarse.
        width: Multiplies all channels.
        steps: How often it looks.
        attention: As in `AttentiveConvLSTM`.
        priors: Whether learned Gaussians are joined before each of the last two convolutions.
    """
    channels = scaled(64, width)
    narrow = [layers.Conv2D(channels, 1, name=f"narrow{i}")(feature) for i, feature in enumerate(features, 1)]
    sized = [narrow[0], *(MatchSize()([feature, narrow[0]]) for feature in narrow[1:])]
    x = layers.ReLU()(layers.Add()(sized) if len(sized) > 1 else sized[0])
    x = convolutions(x, [64], width, names=["join"])
    x = AttentiveConvLSTM(channels, steps=steps, attention=attention, name="attentive_conv_lstm")(x)
    for i in (1, 2):
        x = GaussianPriors(name=f"gaussian_priors{i}")(x) if priors else x
        x = convolutions(x, [64], width, kernel=5, names=[f"mix{i}"])
    return score(x)
