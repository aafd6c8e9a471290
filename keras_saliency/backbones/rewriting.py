"""Copies a network with other strides, dilations, settings and separate activations, and with the same weights."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import layers

from keras_saliency.formulas.types import Tensor
from keras_saliency.layers.theano_pooling import BEFORE, TheanoMaxPooling2D

CONVOLUTIONS = (layers.Conv2D, layers.DepthwiseConv2D, layers.SeparableConv2D)
POOLS = (layers.MaxPooling2D, layers.AveragePooling2D)


class State(NamedTuple):
    """What the copy knows of a tensor."""

    stride: int = 1
    removed: int = 1  # the factor by which the original's stride is larger
    # If it has been padded by zeros: the tensor before that, and the padding.
    unpadded: Tensor | None = None
    padding: tuple[tuple[int, int], tuple[int, int]] | None = None
    biased: layers.Layer | None = None  # the convolution before it, if that has lost its bias


def leaves(network: keras.Model) -> Iterator[keras.layers.Layer]:
    """The layers of a network, those inside its `keras.Sequential` parts instead of these."""
    for layer in network.layers:
        if isinstance(layer, keras.Sequential):
            yield from leaves(layer)
        else:
            yield layer


def needs_rewriting(
    network: keras.Model,
    stride: int | None = None,
    changes: Mapping[str, Mapping[str, Any]] | None = None,
    linear: Collection[str] = (),
) -> bool:
    """Whether `rewrite` would give anything but a copy; for a stride, whether the network has any."""
    found = list(leaves(network))
    if changes or linear or any(_pads_one_side(layer) for layer in found):
        return True
    return stride is not None and any(np.max(getattr(layer, "strides", 1)) > 1 for layer in found)


def _pads_one_side(layer):
    return isinstance(layer, layers.ZeroPadding2D) and np.ptp(layer.padding) > 0


def rewrite(
    network: keras.Model,
    stride: int | None = None,
    dilated: bool = True,
    changes: Mapping[str, Mapping[str, Any]] | None = None,
    linear: Collection[str] = (),
) -> tuple[Tensor, dict[str, Tensor]]:
    """Copies a functional network, its weights included.

    Zero padding of one side before a convolution of stride 2, which `keras.applications` computes for even sizes if it
    does not know the size, becomes the padding "same" of that convolution: equal for even sizes, and for odd ones what
    `keras.applications` computes if it knows them.

    Args:
        network: A functional `keras.Model`, whose parts may be `keras.Sequential`.
        stride: What no output stride may exceed: convolutions and pools that would go beyond lose their stride and are
            padded "same", together with zero padding before them.
        dilated: Dilates convolutions by the product of the strides that were removed before them.
        changes: `{name of a layer: {key: value}}` merged into the configs of layers before all else. A pool whose
            padding becomes `"before"` becomes a `TheanoMaxPooling2D`. The bias that a convolution loses by `"use_bias"`
            is taken up by the batch normalisation after it.
        linear: Names of layers whose activation becomes a layer of its own, `{name}_activation`.

    Returns:
        The inputs of the copy, and a dictionary from the name of a layer to its output, for each layer of `linear`
        with its activation applied, and under `{name}:linear` before.

    Raises:
        ValueError: If a layer of `linear` has no activation, or `changes` has a key that its layer does not know, or
            takes a bias away before anything but a batch normalisation.
    """
    rewriter = _Rewriter(stride, dilated, changes or {}, linear)
    # Each layer is copied when it is called, since its new config depends on what it is called on.
    copy = keras.models.clone_model(network, clone_function=lambda layer: layer, call_function=rewriter)
    if rewriter.lost:
        raise ValueError(
            f"{min(rewriter.lost)} can lose its bias to a batch normalisation alone, and none comes after it."
        )
    for old, new, biased in rewriter.copies:
        new.set_weights(_weights_of(old, new, biased))
    return copy.input, rewriter.outputs


class _Rewriter:
    """Called for each layer of a network, from its inputs on."""

    def __init__(self, stride, dilated, changes, linear):
        self.stride, self.dilated, self.changes, self.linear = stride, dilated, changes, linear
        # The tensors are kept with their states, so that no other tensor gets their id.
        self.states, self.outputs, self.copies = {}, {}, []
        self.lost = set()  # names of convolutions whose bias nothing has taken up

    def __call__(self, layer, *args, **kwargs):
        tensors = [x for x in keras.tree.flatten(args) if keras.utils.is_keras_tensor(x)]
        state = self._merge([self.states[id(x)][1] if id(x) in self.states else State() for x in tensors])
        copy, after, folded = self._copy(layer, state)
        result = copy(*([state.unpadded] if folded else args), **kwargs)
        if isinstance(layer, layers.ZeroPadding2D):
            after = after._replace(unpadded=tensors[0], padding=copy.padding)
        self.states[id(result)] = result, after
        if after.biased is not None:  # not the features of that layer
            return result
        if layer.name in self.linear:
            self.outputs[f"{layer.name}:linear"] = result
            result = layers.Activation(layer.get_config()["activation"], name=f"{layer.name}_activation")(result)
        self.outputs[layer.name] = result
        self.states[id(result)] = result, after
        return result

    def _merge(self, states):
        if len(states) == 1:
            return states[0]
        if biased := next((state.biased for state in states if state.biased is not None), None):
            raise ValueError(f"{biased.name} can lose its bias to a batch normalisation alone, not to several inputs.")
        return State(max(state.stride for state in states), max(state.removed for state in states))

    def _copy(self, layer, state):
        """The copy of a layer, the state of its output, and whether the padding before it is now its own."""
        if isinstance(layer, keras.Sequential):
            parts = []
            for part in layer.layers:
                copy, state, _ = self._copy(part, state)
                parts.append(copy)
            return keras.Sequential(parts, name=layer.name), state, False
        config, folded = layer.get_config(), False
        if layer.name in self.changes:
            config = _merge_config(layer.name, config, self.changes[layer.name])
        if layer.name in self.linear:
            if config.get("activation", "linear") == "linear":
                raise ValueError(f"{layer.name} has no activation of its own, so {layer.name}:linear is not defined.")
            config["activation"] = "linear"
        if state.biased is not None:
            if not isinstance(layer, layers.BatchNormalization):
                raise ValueError(
                    f"{state.biased.name} can lose its bias to a batch normalisation alone, not to {layer.name}."
                )
            self.lost.discard(state.biased.name)
        after = State(state.stride, state.removed)
        if isinstance(layer, CONVOLUTIONS + POOLS):
            after, folded = self._place(config, state)
            if getattr(layer, "use_bias", False) and not config["use_bias"]:
                if config["activation"] != "linear":
                    raise ValueError(f"{layer.name} cannot lose its bias, which its own activation sees.")
                after = after._replace(biased=layer)
                self.lost.add(layer.name)
        kind = TheanoMaxPooling2D if config.get("padding") == BEFORE else type(layer)
        copy = kind.from_config(config)
        if isinstance(layer, layers.Layer):
            self.copies.append((layer, copy, state.biased))
        return copy, after, folded

    def _place(self, config, state):
        """Sets strides, dilation and padding in the config of a convolution or pool."""
        step = int(np.max(config["strides"]))
        window = int(np.max(config.get("kernel_size", config.get("pool_size"))))
        too_coarse = self.stride is not None and step > 1 and state.stride * step > self.stride
        # DeepLab's rule: the first convolution without its stride sees the pixels that it saw before, undilated.
        dilates = self.dilated and state.removed > 1 and window > 1 and "dilation_rate" in config
        for_even = step == 2 and state.padding == (((window // 2 - 1, window // 2),) * 2)
        folded = state.unpadded is not None and config["padding"] == "valid" and window > 1
        folded = folded and (too_coarse or dilates or for_even)
        if folded or (too_coarse and window > 1 and config["padding"] != BEFORE):
            config["padding"] = "same"
        if dilates:
            config["dilation_rate"] = state.removed * int(np.max(config["dilation_rate"]))
        if too_coarse:
            config["strides"] = 1
            return State(state.stride, state.removed * step), folded
        return State(state.stride * step, state.removed), folded


def _weights_of(old, new, biased):
    """The weights of a layer for its copy, which may have no bias, or take up that of the convolution before it."""
    weights = old.get_weights()
    if biased is not None:
        mean = [weight is old.moving_mean for weight in old.weights].index(True)
        weights[mean] = weights[mean] - biased.get_weights()[-1]
    return weights[: len(new.weights)]


def _merge_config(name, config, change):
    for key in change:
        if key not in config:
            raise ValueError(f"The layer {name} has no setting {key!r}. Known settings: {', '.join(config)}.")
    return {**config, **change}
