"""SimpleNet (Reddy et al. 2020): an encoder and a decoder with skips between them."""

from collections.abc import Sequence

from keras import layers

from keras_saliency.formulas.types import Features, Maps
from keras_saliency.layers.match_size import MatchSize
from keras_saliency.layers.zoom import Zoom
from keras_saliency.models.decoders import convolutions, score


def simple_net(features: Sequence[Features], width: float = 1.0) -> Maps:
    """Decodes from the coarsest feature map to the finest, each time joining what the encoder had at that size.

    Published on ResNet-50 from conv1 and the four stages, 256x256. The channels follow those of the encoder: a
    convolution gives those of the next finer feature map, the last two 64. Maps are upsampled with their corners on
    the corners, as in the release.
    """
    skips = list(reversed(features[:-1]))
    x = features[-1]
    for i, skip in enumerate(skips):
        # Of the published encoder 1024, 512, 256 and 64.
        x = convolutions(x, [skip.shape[-1]], width, names=[f"decode{i}"])
        x = layers.Concatenate(name=f"join{i}")([MatchSize("bilinear-corners", name=f"upsample{i}")([x, skip]), skip])
    x = convolutions(x, [64], width, names=[f"decode{len(skips)}"])
    x = Zoom((2, 2), "bilinear-corners", name=f"upsample{len(skips)}")(x)
    x = convolutions(x, [64], width, names=[f"decode{len(skips) + 1}"])
    return score(x, kernel=3)
