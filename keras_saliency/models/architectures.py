"""The table of architectures."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from keras_saliency.formulas.types import Maps
from keras_saliency.models.asnet import asnet
from keras_saliency.models.decoders import multilevel
from keras_saliency.models.deepgaze import linear_readout, readout, spatial_network
from keras_saliency.models.dsclrcn import dsclrcn
from keras_saliency.models.dva import dva
from keras_saliency.models.eml_net import eml_net
from keras_saliency.models.mlnet import mlnet
from keras_saliency.models.msi_net import msi_net
from keras_saliency.models.salgan import salgan
from keras_saliency.models.salicon import salicon
from keras_saliency.models.salnet import salnet
from keras_saliency.models.sam import attentive, sam
from keras_saliency.models.simple_net import simple_net
from keras_saliency.models.unisal import unisal


class Architecture(NamedTuple):
    """A row of the table.

    Attributes:
        decode: From features and width to the score map, or a list with those of single depths after it.
        backbone: The published one.
        combination: The options of `create_backbone` that go with the published backbone and no other: what it taps,
            how it normalises images, if not as on ImageNet, its changes; and what `decode` takes, too: a margin, the
            network that sees the context beside it, and how many times as large the score is.
        stride: Of any backbone.
        dilated: Of any backbone.
        streams: How often the image is seen, each time at half the size.
        finish: What makes the published map of a score; None where a log-density is published.
        resize: How the published map is brought to the size of the image.
    """

    decode: Callable[..., Maps | list[Maps]]
    backbone: str
    combination: Mapping[str, Any] = {}
    stride: int | None = None
    dilated: bool = True
    streams: int = 1
    finish: str | None = None
    resize: str = "bilinear"


def _vgg_of_theano(taps, pools):
    """VGG16 of Keras 1 on Theano, which padded some pools, above and on the left."""
    return {"taps": taps, "changes": {f"block{i}_pool": {"padding": "before"} for i in pools}}


MLNET = _vgg_of_theano(("block3_pool", "block4_pool", "block5_conv3"), (1, 2, 3, 4))
SAM_VGG = _vgg_of_theano(("block5_conv3",), (3, 4))
VGG_TOP = {"taps": ("block5_conv3",)}
RESNET_STAGES = {"taps": ("relu", "layer1", "layer2", "layer3", "layer4")}
# ResNet-50 saw images in [0, 1] and in [-1, 1], though its weights from ImageNet know another normalisation.
EML_NET = {**RESNET_STAGES, "normalise": (1 / 255, [0.0] * 3)}
SIMPLE_NET = {**RESNET_STAGES, "normalise": (1 / 127.5, [-1.0] * 3)}
SALNET = {"normalise": (1 / 127.5, [-118 / 127.5, -110 / 127.5, -100 / 127.5])}
DVA = {"taps": ("block3_conv3", "block4_conv3", "block5_conv3"), "margin": 34}
DEEPGAZE2 = {"taps": ("block5_conv1:linear", "block5_conv1", "block5_conv2", "block5_conv3:linear", "block5_conv4")}
# Of the last dense block what its last layer makes of all before it, and what the layer before that one adds.
DEEPGAZE3 = {"taps": ("conv5_block32_0_bn", "conv5_block32_1_conv", "conv5_block31_2_conv"), "enlarge": 8}
# As Caffe has ResNet-50: the first pool does not pad, and of all convolutions the first alone has a bias.
DSCLRCN = {
    "taps": ("conv4_block6_out", "conv5_block3_out"),
    "changes": {
        "pool1_pad": {"padding": 0},
        "pool1_pool": {"padding": "same"},
        **{
            f"conv{stage}_block{block}_{i}_conv": {"use_bias": False}
            for stage, blocks in ((2, 3), (3, 4), (4, 6), (5, 3))
            for block in range(1, blocks + 1)
            for i in range(block > 1, 4)
        },
    },
    "context": "alexnet",
}
SAM_RESNET = {"taps": ("conv5_block3_out",)}

ARCHITECTURES = {
    "multilevel": Architecture(multilevel, "efficientnet-lite0"),
    "attentive": Architecture(attentive, "efficientnet-lite0"),
    "mlnet": Architecture(mlnet, "vgg16", MLNET, stride=8, dilated=False, finish="relu"),
    "sam-vgg": Architecture(sam, "vgg16", SAM_VGG, stride=8, finish="relu", resize="bilinear-theano"),
    "sam-resnet": Architecture(sam, "resnet50", SAM_RESNET, stride=8, finish="relu", resize="bilinear-theano"),
    "msi-net": Architecture(
        msi_net, "vgg16", {"taps": ("block3_pool", "block4_pool", "block5_pool")}, stride=8, finish="min-max"
    ),
    "eml-net": Architecture(eml_net, "resnet50-torch", EML_NET, finish="sigmoid", resize="nearest"),
    "salgan": Architecture(salgan, "vgg16", VGG_TOP, finish="sigmoid"),
    "salnet": Architecture(salnet, "vgg-cnn-m", SALNET, finish="grey-values"),
    "dva": Architecture(dva, "vgg16", DVA, finish="sigmoid"),
    "asnet": Architecture(asnet, "vgg16", VGG_TOP, finish="sigmoid"),
    "dsclrcn": Architecture(dsclrcn, "resnet50", DSCLRCN, stride=8),
    "salicon": Architecture(salicon, "vgg16", VGG_TOP, streams=2, finish="sigmoid"),
    "simplenet": Architecture(simple_net, "resnet50-torch", SIMPLE_NET, finish="sigmoid"),
    "deepgaze1": Architecture(linear_readout, "vgg19", {"taps": tuple(f"block5_conv{i}" for i in (1, 2, 3, 4))}),
    "icf": Architecture(readout, "intensity-contrast"),
    "deepgaze2": Architecture(readout, "vgg19", DEEPGAZE2),
    "deepgaze3": Architecture(spatial_network, "densenet201", DEEPGAZE3),
    "unisal": Architecture(unisal, "mobilenetv2", {"taps": ("block_5_add", "block_12_add", "out_relu")}),
}
ALIASES = {"sam": "sam-vgg"}


def find_architecture(name: str) -> Architecture:
    """The row of a name.

    Raises:
        ValueError: If it is unknown; lists the known ones.
    """
    name = ALIASES.get(name, name)
    if name not in ARCHITECTURES:
        raise ValueError(f"Unknown model {name!r}. Known models: {', '.join(sorted([*ARCHITECTURES, *ALIASES]))}.")
    return ARCHITECTURES[name]
