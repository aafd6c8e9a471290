"""The readouts of DeepGaze I, ICF and DeepGaze II (Kümmerer et al. 2015, 2017): little on top of frozen features."""

from collections.abc import Sequence

import keras

from keras_saliency.formulas.types import Features, Maps
from keras_saliency.models.decoders import convolutions, join, score


def linear_readout(features: Sequence[Features], width: float = 1.0) -> Maps:
    """A weighted sum of all channels (DeepGaze I); blur, centre bias and log-softmax follow in the head.

    Published on AlexNet, which `keras.applications` does not have; here on VGG19 by default. There is nothing whose
    `width` could be changed.
    """
    return score(join(features), use_bias=False)


def readout(features: Sequence[Features], width: float = 1.0) -> Maps:
    """1x1 convolutions to 16, 32, 2 and 1 channels with ReLU (DeepGaze II, ICF); the head follows.

    Published on VGG19: conv5_1, relu5_1, relu5_2, conv5_3 and relu5_4, where "conv" is before the ReLU; ICF on
    intensity and contrast at five scales. The last two kernels start without negative values here: of one or two
    channels, ReLUs that are zero for all pixels at the start, and so never learn, would be common.
    """
    x = convolutions(join(features), [16, 32], width, kernel=1, names=["readout1", "readout2"])
    alive = {"kernel_initializer": keras.initializers.RandomUniform(0.0, 0.5)}
    x = convolutions(x, [2], width, kernel=1, names=["readout3"], **alive)
    return score(x, activation="relu", **alive)
