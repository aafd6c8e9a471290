"""Readouts of frozen features: DeepGaze I, ICF, DeepGaze II and III (Kümmerer et al. 2015, 2017, 2016, 2022)."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import layers

from keras_saliency.formulas.types import Features, Maps
from keras_saliency.layers.zoom import Zoom
from keras_saliency.models.decoders import convolutions, join, scaled, score

EPSILON = 1e-12


def linear_readout(features: Sequence[Features], width: float = 1.0) -> Maps:
    """A weighted sum of all channels (DeepGaze I); blur, centre bias and log-softmax follow in the head.

    Published on the convolutions of AlexNet, of which no package has weights; here on VGG19's fifth block by default,
    and as published by `create_model("deepgaze1", backbone="alexnet", weights=PATH)`, whose score has one weight for
    each of their 1,376 channels at the size of the first. There is nothing whose `width` could be changed.
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


def spatial_network(features: Sequence[Features], width: float = 1.0, enlarge: int = 1) -> Maps:
    """1x1 convolutions to 8, 16 and 1 channels with softplus, each normalised before (DeepGaze III).

    Published on 2,048 channels of the last block of DenseNet-201, each repeated eight times to both sides first. As all
    that follows sees one place at a time, and means are the same, the score is repeated here. What is known of earlier
    fixations joins by `keras_saliency.models.with_history`, on the score at that size.

    Args:
        features: Symbolic feature maps.
        width: Multiplies the 8 and 16 channels.
        enlarge: How many times as large the score is as the finest features.
    """
    x = join(features)
    for i, channels in enumerate((8, 16), 1):
        x = normalised(f"spatial_norm{i}")(x)
        x = mix(scaled(channels, width), f"spatial{i}", activation="softplus")(x)
    x = mix(1, "score", activation="softplus")(normalised("spatial_norm3")(x))
    return x if enlarge == 1 else Zoom((enlarge, enlarge), "nearest", name="enlarge")(x)


def normalised(name: str) -> layers.Layer:
    """Normalises over all places and channels, with a scale and an offset for each channel."""
    return layers.GroupNormalization(groups=1, epsilon=EPSILON, dtype="float32", name=name)


def mix(filters: int, name: str, **options: Any) -> layers.Layer:
    """A 1x1 convolution in float32."""
    return layers.Conv2D(filters, 1, dtype="float32", data_format="channels_last", name=name, **options)
