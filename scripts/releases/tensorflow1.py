"""Stands in for the functions of TensorFlow 1 that MSI-Net's release calls, channels first, as it does on a GPU."""

import sys
import types
from unittest.mock import MagicMock

import torch
import torch.nn.functional as F

from releases.tensors import tensor

# The outputs of named layers.
FOUND: dict[str, torch.Tensor] = {}


def conv2d(x, filters, kernel, padding, activation=None, dilation_rate=1, data_format=None, name=None):
    assert data_format == "channels_first" and (padding == "same" or kernel == 1)
    weight, bias = tensor(f"{name}.weight", (filters, x.shape[1], kernel, kernel)), tensor(f"{name}.bias", (filters,))
    x = F.conv2d(x, weight, bias, padding=dilation_rate * (kernel // 2), dilation=dilation_rate)
    x = activation(x) if activation else x
    FOUND[name] = x.clone()  # what follows works in place
    return x


def max_pooling2d(x, size, strides, padding="valid", data_format=None):
    # "same" pads below and on the right where a window of two does not fit.
    return F.max_pool2d(
        F.pad(x, (0, size - 1, 0, size - 1)) if padding == "same" and strides == 1 else x, size, strides
    )


def resize_bilinear(x, size):
    """Channels last; pixel i lies at i times the ratio of the sizes, which PyTorch has not."""
    for axis, side in zip((1, 2), size, strict=True):
        places = torch.arange(side) * (x.shape[axis] / side)
        low = places.floor().long()
        share = (places - low).reshape([-1 if i == axis else 1 for i in range(4)])
        high = (low + 1).clamp(max=x.shape[axis] - 1)
        x = x.index_select(axis, low) * (1 - share) + x.index_select(axis, high) * share
    return x


def install():
    """Makes `import tensorflow` give these."""
    tf = types.ModuleType("tensorflow")
    tf.layers = types.SimpleNamespace(conv2d=conv2d, max_pooling2d=max_pooling2d)
    tf.nn = types.SimpleNamespace(relu=torch.relu)
    tf.image = types.SimpleNamespace(resize_bilinear=resize_bilinear)
    tf.constant, tf.shape, tf.reshape = torch.tensor, lambda x: list(x.shape), torch.reshape
    tf.transpose = lambda x, axes: x.permute(axes)
    tf.concat = lambda parts, axis: torch.cat(parts, axis)
    tf.reduce_mean = lambda x, axis, keepdims: x.mean(axis, keepdim=keepdims)
    tf.reduce_min = lambda x, axis, keep_dims: x.amin(axis, keepdim=keep_dims)
    tf.reduce_max = lambda x, axis, keep_dims: x.amax(axis, keepdim=keep_dims)
    tf.divide = lambda x, y, name: x / y
    sys.modules["tensorflow"] = tf
    for name in ("tensorflow.python.tools", "tensorflow.tools.graph_transforms", "download", "loss"):
        sys.modules[name] = MagicMock()
