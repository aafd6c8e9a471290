"""ML-Net (Cornia et al., ICPR 2016): features of three levels, and a learned prior."""

from collections.abc import Sequence

from keras import layers

from keras_saliency.formulas.types import Features, Maps
from keras_saliency.layers.learned_prior import LearnedPrior
from keras_saliency.models.decoders import convolutions, join, score


def mlnet(features: Sequence[Features], width: float = 1.0) -> Maps:
    """Joins all features, encodes them by a 3x3 convolution, and multiplies the score by a learned prior.

    Published on VGG16 with pool4 of stride 1, from pool3, pool4 and conv5_3: 15,452,145 parameters.
    """
    x = layers.Dropout(0.5, name="dropout")(join(features))
    x = convolutions(x, [64], width, kernel_initializer="glorot_normal", names=["encode"])
    x = score(x, kernel_initializer="glorot_normal")
    return LearnedPrior(interpolation="bilinear-theano", name="learned_prior")(x)
