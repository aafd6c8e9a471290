"""A network in the manner of UNISAL's static path (Droste et al., ECCV 2020)."""

from collections.abc import Sequence

from keras import layers

from keras_saliency.formulas.types import Features, Maps
from keras_saliency.layers.gaussian_priors import GaussianPriors
from keras_saliency.layers.match_size import MatchSize
from keras_saliency.models.decoders import scaled, score


def unisal(features: Sequence[Features], width: float = 1.0) -> Maps:
    """Joins Gaussian priors to the coarsest features and decodes through separable convolutions with skips.

    Published with a recurrent path for videos and statistics for each data set, which single images do not need:
    the manner is UNISAL's, the parameter count is not.
    """
    x = _separable(GaussianPriors(name="gaussian_priors")(features[-1]), scaled(256, width), "mix")
    for i, (skip, channels) in enumerate(zip(reversed(features[:-1]), (128, 64, 64, 64), strict=False), 1):
        skip = _pointwise(skip, scaled(channels, width), f"skip{i}")
        x = layers.Concatenate(name=f"join{i}")([MatchSize(name=f"upsample{i}")([x, skip]), skip])
        x = _separable(x, scaled(channels, width), f"decode{i}")
    return score(x)


def _normalise(name):
    """Batch normalisation whose running statistics follow within tens of steps, as PyTorch's do, not hundreds."""
    return layers.BatchNormalization(momentum=0.9, name=name)


def _pointwise(x, channels, name):
    x = layers.Conv2D(channels, 1, use_bias=False, name=name)(x)
    return layers.ReLU(6.0, name=f"{name}_relu")(_normalise(f"{name}_bn")(x))


def _separable(x, channels, name):
    """A depthwise and a 1x1 convolution, each with batch normalisation and ReLU6."""
    x = layers.DepthwiseConv2D(3, padding="same", use_bias=False, name=f"{name}_depthwise")(x)
    x = layers.ReLU(6.0, name=f"{name}_depthwise_relu")(_normalise(f"{name}_depthwise_bn")(x))
    return _pointwise(x, channels, name)
