"""Networks of `keras.applications`."""

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras

from keras_saliency.backbones.hed import load_hed
from keras_saliency.formulas.types import Features


def application(name: str, **options: Any) -> Callable[..., keras.Model]:
    """Makes a builder of a network of `keras.applications`, with an error that helps where its weights cannot be had.

    Args:
        name: The name of its function.
        **options: What that function is called with, besides.

    Returns:
        A function of a symbolic tensor of images and of weights, `"imagenet"`, a path or None, that gives the network.
    """

    def build(images, weights=None):
        network = getattr(keras.applications, name)
        try:
            return network(include_top=False, weights=weights, input_tensor=images, **options)
        except Exception as error:
            if weights != "imagenet":
                raise
            raise ConnectionError(
                f'The "imagenet" weights of {name} are downloaded by keras.applications, which failed ({error}). '
                f"Connect to the internet once, or pass weights=PATH to a weights file of keras.applications.{name} "
                "(include_top=False), or weights=None for random ones."
            ) from error

    return build


def build_vgg16(images: Features, weights: str | Path | None = None) -> keras.Model:
    """VGG16, whose weights may also be those of HED."""
    network = application("VGG16")(images, None if weights == "hed" else weights)
    if weights == "hed":
        load_hed(network)
    return network


def build_convnext_tiny(images: Features, weights: str | Path | None = None) -> keras.Model:
    """ConvNeXt-Tiny up to its last stage, with layers `stage1_out` to `stage4_out`, at the strides 4, 8, 16 and 32."""
    network = application("ConvNeXtTiny", include_preprocessing=False)(images, weights)
    # A stage ends with a sum, which is no layer and has no name to rely on; what follows it has: the next stage's
    # downsampling, or the last layer, a normalisation.
    following = [f"convnext_tiny_downsampling_block_{i}" for i in range(3)] + [network.layers[-1].name]
    ends = [last.output for last, after in itertools.pairwise(network.operations) if after.name in following]
    outputs = [keras.layers.Identity(name=f"stage{i}_out")(end) for i, end in enumerate(ends, 1)]
    return keras.Model(images, outputs, name="convnext_tiny")
