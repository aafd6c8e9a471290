"""The table of backbones: networks and the layers of each that a saliency decoder taps."""

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import keras

from keras_saliency.backbones.alexnet import build_alexnet
from keras_saliency.backbones.applications import application, build_convnext_tiny, build_vgg16
from keras_saliency.backbones.efficientnet_lite import build_efficientnet_lite
from keras_saliency.backbones.intensity_contrast import build_intensity_contrast
from keras_saliency.backbones.pixels import IMAGENET, standardising
from keras_saliency.backbones.resnet import build_resnet50
from keras_saliency.backbones.vgg_cnn_m import build_vgg_cnn_m


class Backbone(NamedTuple):
    """A row of the table."""

    build: Callable[..., keras.Model]  # of images and weights
    # These normalise RGB in [0, 255]; `bgr` swaps the channels after that.
    scale: float | Sequence[float]
    offset: Sequence[float]
    bgr: bool
    taps: tuple[str, ...]  # layers from the finest stride, in general 8, to the coarsest
    weights: tuple[str, ...] = ("imagenet",)  # those that have a name
    changes: Mapping[str, Mapping[str, Any]] | None = None  # merged into the configs of layers
    learned: bool = True  # what is not has no weights at all


SCALE, OFFSET = standardising(IMAGENET)

_to_one = functools.partial(Backbone, scale=1 / 127.5, offset=[-1.0] * 3, bgr=False)
_standardised = functools.partial(Backbone, scale=SCALE, offset=OFFSET, bgr=False)
_mean_free = functools.partial(Backbone, scale=1.0, offset=[-123.68, -116.779, -103.939], bgr=True)
# Pools that keep the last row and column of an odd side.
_vgg = functools.partial(_mean_free, changes={f"block{i}_pool": {"padding": "same"} for i in range(1, 6)})


def _lite(variant):
    return Backbone(
        functools.partial(build_efficientnet_lite, variant),
        scale=1 / 128,
        offset=[-127 / 128] * 3,
        bgr=False,
        taps=("stage3_out", "stage4_out", "stage5_out", "stage6_out", "stage7_out"),
    )


BACKBONES: dict[str, Backbone] = {
    "efficientnet-lite0": _lite("efficientnet-lite0"),
    "efficientnet-lite1": _lite("efficientnet-lite1"),
    "efficientnet-lite2": _lite("efficientnet-lite2"),
    "mobilenetv2": _to_one(
        application("MobileNetV2"),
        taps=("block_5_add", "block_9_add", "block_12_add", "block_15_add", "out_relu"),
    ),
    "mobilenetv3": _to_one(
        application("MobileNetV3Large", include_preprocessing=False),
        taps=("expanded_conv_5_add", "expanded_conv_9_add", "expanded_conv_11_add", "expanded_conv_14_add"),
    ),
    "efficientnetv2": _standardised(
        application("EfficientNetV2B0", include_preprocessing=False),
        taps=("block3b_add", "block4c_add", "block5e_add", "block6h_add", "top_activation"),
    ),
    "convnext-tiny": _standardised(build_convnext_tiny, taps=("stage2_out", "stage3_out", "stage4_out")),
    "densenet201": _standardised(application("DenseNet201"), taps=("pool3_relu", "pool4_relu", "relu")),
    "resnet50": _mean_free(application("ResNet50"), taps=("conv3_block4_out", "conv4_block6_out", "conv5_block3_out")),
    "resnet50-torch": _standardised(build_resnet50, taps=("layer2", "layer3", "layer4"), weights=()),
    "vgg16": _vgg(build_vgg16, taps=("block3_pool", "block4_conv3", "block5_conv3"), weights=("imagenet", "hed")),
    "vgg19": _vgg(application("VGG19"), taps=("block3_pool", "block4_conv4", "block5_conv4")),
    "vgg-cnn-m": _mean_free(build_vgg_cnn_m, taps=("conv3",), weights=()),
    # All its convolutions, which read the image up to its edges, as its pools do.
    "alexnet": _mean_free(
        build_alexnet,
        taps=("conv1", "conv2", "conv3", "conv4", "conv5"),
        weights=(),
        changes={name: {"padding": "same"} for name in ("conv1", "pool1", "pool2", "pool5")},
    ),
    "intensity-contrast": Backbone(
        build_intensity_contrast, 1 / 255, [0.0] * 3, bgr=False, taps=("features",), weights=(), learned=False
    ),
}


def find_backbone(name: str) -> Backbone:
    """The row of a name.

    Raises:
        ValueError: If it is unknown; lists the known ones.
    """
    if name not in BACKBONES:
        raise ValueError(f"Unknown backbone {name!r}. Known backbones: {', '.join(BACKBONES)}.")
    return BACKBONES[name]
