"""One set of operations for tensors and for NumPy arrays, so that every formula stands once.

`ops.NAME` is `keras.ops.NAME` where a tensor is among the arguments and NumPy's where there are only arrays: losses and
metrics run in the graph of any backend, and evaluation runs the same lines in float64 without the cost of a framework.
"""

import functools
from typing import Any

import keras
import numpy as np

from keras_saliency.formulas.types import Maps, Values

_ARRAYS = (np.ndarray, np.generic)
# What NumPy calls otherwise, or lacks.
_NUMPY = {
    "cast": lambda array, dtype: np.asarray(array).astype(dtype, copy=False),
    "convert_to_tensor": np.asarray,
    "shape": lambda array: np.array(np.shape(array)),
    "stop_gradient": lambda array: array,
}


def _for_arrays(arguments):
    """Whether there is an array among the arguments, and no tensor, list of tensors or function."""
    found = [isinstance(argument, _ARRAYS) for argument in arguments]
    rest = (argument for argument, array in zip(arguments, found, strict=True) if not array)
    return any(found) and all(isinstance(argument, int | float | str | tuple | np.dtype | None) for argument in rest)


class _Operations:
    def __getattr__(self, name: str) -> Any:
        on_tensors = getattr(keras.ops, name)
        on_arrays = _NUMPY.get(name) or getattr(np, name, None)
        if not callable(on_tensors) or on_arrays is None:
            return on_tensors

        @functools.wraps(on_tensors)
        def operation(*arguments, **options):
            return (on_arrays if _for_arrays(arguments) else on_tensors)(*arguments, **options)

        setattr(self, name, operation)
        return operation


ops = _Operations()


def inner(a: Maps, b: Maps) -> Values:
    """The sum of the products of two batches of maps, `(batch,)`."""
    if _for_arrays((a, b)):
        # A product of vectors needs no map between.
        return np.array([np.vdot(*pair) for pair in zip(a, b, strict=True)], a.dtype)
    return ops.sum(a * b, axis=(1, 2, 3))
