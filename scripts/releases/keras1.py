"""Stands in for what ML-Net's and SAM's releases import from Keras 1.1 and Theano, channels first, eager.

What it does is that of Keras 1.1.0 on Theano 0.9: convolutions turn their kernels over, pools of padding "same" pad on
both sides and cut, batch normalisation has an epsilon of 1e-5.
"""

import sys
import types
from collections import Counter
from unittest.mock import MagicMock

import torch
import torch.nn.functional as F

from releases.tensors import tensor
from releases.theano import bilinear_upsampling, dimshuffle, max_pool

FOUND: dict[str, torch.Tensor] = {}
_COUNTS: Counter = Counter()
_INSIDE: list[str] = []


class Layer:
    """Builds itself when it is first called; layers made meanwhile have its name before theirs."""

    def __init__(self, name=None, **options):
        kind = ".".join([*_INSIDE, type(self).__name__.lower()])
        _COUNTS[kind] += name is None
        self.name, self.built = name or f"{kind}_{_COUNTS[kind]}", False

    def __call__(self, x):
        if not self.built:
            _INSIDE.append(self.name)
            self.build(tuple(x.shape))
            _INSIDE.pop()
            self.built = True
        FOUND[self.name] = self.call(x)
        return FOUND[self.name]

    def build(self, shape):
        self.trainable_weights = []


class Convolution2D(Layer):
    def __init__(self, filters, rows, columns, activation="linear", border_mode="valid", bias=True, **options):
        super().__init__(options.get("name"))
        self.shape, self.activation, self.same, self.bias = (filters, rows, columns), activation, border_mode, bias
        self.stride, self.rate = options.get("subsample", (1, 1)), options.get("atrous_rate", (1, 1))

    def build(self, shape):
        filters, rows, columns = self.shape
        self.weight = tensor(f"{self.name}.weight", (filters, shape[1], rows, columns), flipped=True).flip(2, 3)
        self.bias = tensor(f"{self.name}.bias", (filters,)) if self.bias else None
        self.trainable_weights = [self.weight, self.bias]

    def __call__(self, x):
        if not hasattr(self, "weight"):
            self.build(tuple(x.shape))
        FOUND[self.name] = self.call(x)
        return FOUND[self.name]

    def call(self, x):
        pads = [r * (k // 2) if self.same == "same" else 0 for r, k in zip(self.rate, self.shape[1:], strict=True)]
        return get_activation(self.activation)(F.conv2d(x, self.weight, self.bias, self.stride, pads, self.rate))


class MaxPooling2D(Layer):
    def __init__(self, size, strides, border_mode="valid", **options):
        super().__init__(**options)
        self.call = lambda x: max_pool(x, size[0], strides[0], border_mode == "same")


class BatchNormalization(Layer):
    def build(self, shape):
        names = ("weight", "bias", "running_mean", "running_var")
        self.values = [tensor(f"{self.name}.{name}", (shape[1],)) for name in names]

    def call(self, x):
        gamma, beta, mean, variance = self.values
        return F.batch_norm(x, mean, variance, gamma, beta, eps=1e-5)


class Activation(Layer):
    def __init__(self, name):
        super().__init__()
        self.call = get_activation(name)


class ZeroPadding2D(Layer):
    def __init__(self, padding):
        super().__init__()
        self.padding = padding

    def call(self, x):
        return F.pad(x, (self.padding[1],) * 2 + (self.padding[0],) * 2)


class Lambda(Layer):
    def __init__(self, function, shape):
        super().__init__()
        self.call = function


class Dropout(Layer):
    def __init__(self, share):
        super().__init__()
        self.call = lambda x: x


def get_activation(name):
    return {"relu": torch.relu, "tanh": torch.tanh, "sigmoid": torch.sigmoid, "linear": lambda x: x}[name]


def initialise(init, **options):
    """An initializer that draws by the name of the layer which is being built."""
    kind = "priors" if callable(init) else "map"
    return lambda shape, name=None: tensor(f"{_INSIDE[-1]}.{kind}", shape)


def merge(parts, mode, concat_axis=1):
    return torch.cat(parts, concat_axis) if mode == "concat" else sum(parts)


def rnn(step, x, states, **options):
    for i in range(x.shape[1]):
        output, states = step(x[:, i], states)
    return output, None, states


BACKEND = {
    "expand_dims": lambda x, dim=-1: x.unsqueeze(dim),
    "repeat": lambda x, n: x[:, None].repeat(1, n, 1),
    "batch_flatten": lambda x: x.flatten(1),
    "repeat_elements": lambda x, n, axis: x.repeat_interleave(n, axis),
    "reshape": torch.reshape,
    "sum": lambda x, axis: x.sum(axis),
    "max": lambda x, axis: x.amax(axis),
    "conv2d": lambda x, kernel, border_mode: F.conv2d(x, kernel),
    "zeros": torch.zeros,
    "tanh": torch.tanh,
    "softmax": lambda x: torch.softmax(x, -1),
    "shape": lambda x: x.shape,
    "rnn": rnn,
    "clip": torch.clip,
    "permute_dimensions": lambda x, axes: x.permute(axes),
    "epsilon": lambda: 1e-7,
    "is_keras_tensor": lambda x: True,
}


def install():
    """Makes the imports of both releases give these."""
    kinds = (Layer, Convolution2D, MaxPooling2D, BatchNormalization, Activation, ZeroPadding2D, Lambda, Dropout)
    names = {kind.__name__: kind for kind in kinds}
    names |= {"AtrousConvolution2D": Convolution2D, "Input": lambda **options: None, "merge": merge}
    names |= {"InputSpec": types.SimpleNamespace, "Model": Model, "l2": MagicMock(), "get_file": MagicMock()}
    getters = {"initializations": initialise, "activations": get_activation}
    for name in ("keras", "theano", "keras.layers.core", "keras.layers.convolutional", "keras.utils.data_utils"):
        sys.modules[name] = MagicMock(**names)
    for name in ("keras.layers", "keras.models", "keras.regularizers"):
        sys.modules[name] = MagicMock(**names)
    keras, theano = sys.modules["keras"], sys.modules["theano"]
    for name, get in getters.items():
        setattr(keras, name, types.SimpleNamespace(get=get))
    keras.backend = sys.modules["keras.backend"] = types.SimpleNamespace(**BACKEND)
    theano.config.floatX = "float32"
    theano.tensor = sys.modules["theano.tensor"] = types.SimpleNamespace(
        dot=torch.matmul,
        ones=torch.ones,
        exp=torch.exp,
        cast=lambda x, dtype: torch.tensor(float(x)),
        arange=lambda n, dtype: torch.arange(float(n)),
        nnet=types.SimpleNamespace(abstract_conv=types.SimpleNamespace(bilinear_upsampling=bilinear_upsampling)),
    )
    torch.Tensor.dimshuffle = dimshuffle
    sys.modules["h5py"] = types.SimpleNamespace(File=lambda name: Weights())


class Weights(dict):
    """A file of weights that nobody reads."""

    attrs = {"nb_params": 0}  # noqa: RUF012

    def __missing__(self, key):
        return self


class Model:
    def __init__(self, input, output):
        self.output, self.layers = output[0] if isinstance(output, list) else output, []

    def load_weights(self, path):
        pass
