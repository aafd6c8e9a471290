"""Stands in for what SalGAN's release imports from Lasagne and Theano, in the Python of its time; maps are NumPy's."""

import re
import sys
import types
from collections import Counter
from unittest.mock import MagicMock

import numpy as np
import torch
import torch.nn.functional as F

from releases.tensors import tensor
from releases.theano import dimshuffle

FOUND: dict[str, torch.Tensor] = {}
_COUNTS: Counter = Counter()


class Layer:
    """What it gives is worked out when it is asked for: later layers change the weights of earlier ones."""

    def __init__(self, incoming, **options):
        kind = type(self).__name__.lower().removesuffix("layer")
        _COUNTS[kind] += 1
        self.incoming, self.params, self.name = incoming, {}, f"{kind}_{_COUNTS[kind]}"
        self.input_shape = getattr(incoming, "output_shape", None)
        self.output_shape = self.get_output_shape_for(self.input_shape)

    def add_param(self, values, shape, name=None, **options):
        if isinstance(values, torch.Tensor):  # the same again, now with other options
            return values
        # Gains are constants of one in the release.
        made = torch.ones(shape) if name == "g" else tensor(f"{self.name}.{NAMES[name]}", shape, self.flipped)
        self.params[made] = options
        return made

    flipped = False

    def get_output_shape_for(self, shape):
        return shape

    def output(self):
        FOUND[self.name] = self.get_output_for(self.incoming.output())
        return FOUND[self.name]


NAMES = {"W": "weight", "b": "bias"}


class InputLayer(Layer):
    def __init__(self, shape, input_var):
        super().__init__(None)
        self.maps, self.output_shape = input_var, (None, *shape[1:])

    def output(self):
        return self.maps


def rectify(x):
    return x.relu()


def identity(x):
    return x


class Conv2DLayer(Layer):
    def __init__(self, incoming, filters, size, pad=0, flip_filters=True, nonlinearity=rectify):
        self.filters, self.size, self.pad, self.nonlinearity = filters, size, pad, nonlinearity
        super().__init__(incoming)
        self.flipped = flip_filters
        self.W = self.add_param(None, (filters, self.input_shape[1], size, size), "W")
        self.flipped = False
        self.b, self.turned = self.add_param(None, (filters,), "b"), flip_filters

    def get_output_shape_for(self, shape):
        return (None, self.filters, *(side + 2 * self.pad - self.size + 1 for side in shape[2:]))

    def get_output_for(self, x):
        kernel = self.W.flip(2, 3) if self.turned else self.W
        return self.nonlinearity(F.conv2d(torch.as_tensor(np.ascontiguousarray(x)), kernel, self.b, padding=self.pad))


class Pool2DLayer(Layer):
    def __init__(self, incoming, size):
        self.size = size
        super().__init__(incoming)

    def get_output_shape_for(self, shape):
        return (*shape[:2], *(side // self.size for side in shape[2:]))

    def get_output_for(self, x):
        return F.max_pool2d(x, self.size)


class Upscale2DLayer(Layer):
    def __init__(self, incoming, scale_factor):
        self.factor = scale_factor
        super().__init__(incoming)

    def get_output_shape_for(self, shape):
        return (*shape[:2], *(side * self.factor for side in shape[2:]))

    def get_output_for(self, x):
        return x.repeat_interleave(self.factor, 2).repeat_interleave(self.factor, 3)


class DenseLayer(Layer):
    def __init__(self, incoming, num_units, nonlinearity):
        self.units, self.nonlinearity = num_units, nonlinearity
        super().__init__(incoming)
        self.W = self.add_param(None, (num_units, int(np.prod(self.input_shape[1:]))), "W")
        self.b = self.add_param(None, (num_units,), "b")

    def get_output_shape_for(self, shape):
        return (None, self.units)

    def get_output_for(self, x):
        return self.nonlinearity(x.flatten(1) @ self.W.T + self.b)


def install(clone, folder):
    """Makes the imports of the release give these, and its files, with no `print`, lie in a folder that is searched."""
    classes = (Layer, InputLayer, Conv2DLayer, Pool2DLayer, Upscale2DLayer, DenseLayer)
    functions = {"tanh": torch.tanh, "sigmoid": torch.sigmoid, "rectify": rectify, "identity": identity}
    lasagne, theano = MagicMock(), MagicMock()
    lasagne.layers = types.SimpleNamespace(**{kind.__name__: kind for kind in classes}, dnn=MagicMock())
    lasagne.nonlinearities = types.SimpleNamespace(**functions)
    theano.config.floatX = "float32"
    theano.tensor.sqrt, theano.tensor.square = torch.sqrt, torch.square
    theano.tensor.sum = lambda x, axis: x.sum(axis)
    torch.Tensor.get_value, torch.Tensor.dimshuffle = lambda x: x, dimshuffle
    for name, module in (("lasagne", lasagne), ("theano", theano)):
        sys.modules[name] = module
        for part in ("layers", "layers.dnn", "nonlinearities", "tensor", "sandbox", "sandbox.rng_mrg"):
            sys.modules[f"{name}.{part}"] = getattr(module, part.split(".")[0])
    sys.modules["cPickle"] = MagicMock()
    for path in [*(clone / "scripts/models").glob("*.py"), clone / "scripts/constants.py"]:
        (folder / path.name).write_text(re.sub(r"^(\s*)print .*$", r"\1pass", path.read_text(), flags=re.MULTILINE))
