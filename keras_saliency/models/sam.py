"""SAM (Cornia et al., TIP 2018): attention that is refined step by step, and learned Gaussian priors."""

from collections.abc import Sequence

from keras_saliency.formulas.types import Features, Maps
from keras_saliency.layers.attentive_conv_lstm import AttentiveConvLSTM
from keras_saliency.layers.gaussian_priors import GaussianPriors
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
