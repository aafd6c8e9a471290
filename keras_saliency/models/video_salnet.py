"""SalNet on frames, on motion, and on both (Bak et al., IEEE Transactions on Multimedia 2018)."""

from collections.abc import Sequence

import keras
from keras import layers, ops

from keras_saliency.backbones.factory import create_backbone
from keras_saliency.formulas.types import Features, Size
from keras_saliency.layers.match_size import MatchSize
from keras_saliency.models.architectures import SALNET
from keras_saliency.models.decoders import scaled
from keras_saliency.models.factory import add_head, known_head
from keras_saliency.models.saliency_model import SaliencyModel
from keras_saliency.models.salnet import scored, stack
from keras_saliency.models.video import VideoModel

FINISH = "grey-values"
FUSED = 5  # the convolution after which streams are joined


def spatio_temporal(
    name: str,
    weights: str | None,
    input_size: Size,
    head: str | None,
    width: float,
    scale: float,
    sees: Sequence[str] = ("frames", "flow"),
    fusion: str | None = None,
) -> VideoModel:
    """SalNet as SSNet (25,806,209 parameters), TSNet (as many), STSMaxNet (40,723,457) or STSConvNet (41,248,257).

    `ssnet` sees frames, `tsnet` a picture of the flow between them, `stsmaxnet` and `stsconvnet` both, each with five
    convolutions of its own; these are joined by their maximum, or by a 1x1 convolution to 512 channels without a ReLU.
    The other four and the deconvolution are common. None has a state; all but `ssnet` take six channels, the frame and
    the picture of the flow, as `keras_saliency.data.with_flow` makes them, which must be told the last frame of before.

    Pixels are normalised as SalNet's are, those of the flow, too, and the published map is that of grey values. What
    follows it in the release, a blur of 5x5 pixels and a division by the peak, is left out.
    """
    head = known_head(head, name, FINISH)
    motion = "flow" in sees
    images = keras.Input((*input_size, 6 if motion else 3), name="images")
    pictures = dict(zip(("frames", "flow"), ops.split(images, 2, axis=-1) if motion else [images], strict=False))
    features = [_stream(each, weights, input_size, width)(pictures[each]) for each in sees]
    x = scored(stack(_joined(features, fusion, width), width, FUSED + 1))
    x = add_head(x, input_size, head, scale, FINISH)
    if scale == 1:
        gives = "map" if head == "published" else head
        x = MatchSize(gives=gives, dtype="float32", name="maps")([x, images])
    return VideoModel(SaliencyModel(images, x, name=name))


def _stream(name: str, weights: str | None, input_size: Size, width: float) -> keras.Model:
    """The first five convolutions."""
    pictures = keras.Input((*input_size, 3), name="images")
    backbone = create_backbone("vgg-cnn-m", weights, input_size, normalise=SALNET["normalise"])
    features = keras.tree.flatten(backbone(pictures))[0]
    return SaliencyModel(pictures, stack(features, width, last=FUSED), name=name)


def _joined(features: Sequence[Features], fusion: str | None, width: float) -> Features:
    if len(features) == 1:
        return features[0]
    if fusion == "maximum":
        return layers.Maximum(name="join")(features)
    return layers.Conv2D(scaled(512, width), 1, name="fuse")(layers.Concatenate(name="join")(features))
