"""Any Keras network as a backbone."""

import contextlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import keras

from keras_saliency.backbones.channels_last import require_channels_last
from keras_saliency.backbones.table import Backbone
from keras_saliency.formulas.types import Features, Tensor


def own_row(
    network: keras.Model, taps: Sequence[str] | None = None, weights: str | Path | None = "imagenet"
) -> Backbone:
    """The row of a network that is in no table.

    Args:
        network: A functional model of images `(batch, height, width, channels)`. It is copied, and stays as it is.
        taps: The names of the layers that will be tapped; by default those that give its outputs.
        weights: None for random ones; else those that the network has.

    Raises:
        ValueError: If it is no functional model of one image, is channels first, takes images of one size alone, or
            has no layer of a name; if other weights are asked for.
    """
    if not isinstance(network, keras.layers.Layer):
        raise ValueError(f"A backbone must be a name or a functional Keras model. Received: {network!r}.")
    name = network.name
    if weights not in (None, "imagenet"):
        raise ValueError(
            f"{name} keeps its own weights, or gets random ones for None. Received: weights={str(weights)!r}."
        )
    _require_images(network)
    outputs = dict(layer_outputs(network))
    ends = [id(tensor) for tensor in network.outputs]
    taps = tuple(taps or (layer for layer, tensor in outputs.items() if id(tensor) in ends))
    layers = [tap.removesuffix(":linear") for tap in taps]
    for layer in layers:
        if layer not in outputs:
            raise ValueError(f"Unknown layer {layer!r} of {name}. Known layers: {', '.join(outputs)}.")
    if not taps:
        raise ValueError(f"No layer gives the outputs of {name}: say what to tap, such as taps=({min(outputs)!r},).")
    require_maps(name, outputs, layers)
    # What comes after the taps, such as a classifier, may need images of one size.
    trunk = keras.Model(network.inputs[0], [outputs[layer] for layer in dict.fromkeys(layers)], name=name)

    def build(images: Features, weights: str | Path | None = None) -> keras.Model:
        try:
            copy = keras.models.clone_model(trunk, input_tensors=keras.Input((None, None, network.inputs[0].shape[-1])))
        except Exception as error:
            raise ValueError(
                f"{name} cannot take images of any size ({' '.join(str(error).split())[:200]}). "
                "Build it on keras.Input((None, None, 3))."
            ) from error
        if weights is not None:
            copy.set_weights(trunk.get_weights())
        return copy

    return Backbone(build, 1.0, [0.0] * 3, bgr=False, taps=taps)


def layer_outputs(network: keras.Model) -> Iterator[tuple[str, Features]]:
    """The names of the layers of a network and what they give, but for those that are called more than once."""
    for layer in network.layers:
        if not isinstance(layer, keras.layers.InputLayer):
            with contextlib.suppress(AttributeError, ValueError):
                yield layer.name, layer.output


def require_maps(name: str, outputs: Mapping[str, Tensor], taps: Iterable[str]) -> None:
    """Checks that taps have places.

    Args:
        name: Of the network.
        outputs: What its layers give, by name.
        taps: The names of some of them.

    Raises:
        ValueError: If one gives no maps; lists the layers that do.
    """
    shapes = {layer: tuple(getattr(tensor, "shape", ())) for layer, tensor in outputs.items()}
    for tap in taps:
        if len(shapes[tap]) != 4:
            maps = ", ".join(layer for layer, shape in shapes.items() if len(shape) == 4)
            raise ValueError(
                f"{tap} of {name} gives {shapes[tap]}, which is no feature map (batch, height, width, channels). "
                f"Layers with feature maps: {maps}."
            )


def _require_images(network):
    inputs = getattr(network, "inputs", None) or []
    if len(inputs) != 1 or len(inputs[0].shape) != 4:
        raise ValueError(f"{network.name} must be a functional model of one image (batch, height, width, channels).")
    require_channels_last(network)
