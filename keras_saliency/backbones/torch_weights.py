"""Reads tensors from legacy PyTorch checkpoint files, without PyTorch and without running what a pickle asks for."""

import collections
import pickle
from pathlib import Path

import numpy as np

_MAGIC = 0x1950A86A20F9469CFC6C
_STORAGES = {
    "DoubleStorage": "<f8",
    "FloatStorage": "<f4",
    "HalfStorage": "<f2",
    "LongStorage": "<i8",
    "IntStorage": "<i4",
    "ShortStorage": "<i2",
    "CharStorage": "i1",
    "ByteStorage": "u1",
    "BoolStorage": "?",
}


class _Storage:
    """A flat buffer whose bytes follow the pickles in the file."""

    def __init__(self, dtype, size):
        self.dtype, self.size, self.values = np.dtype(dtype), size, None


class _Tensor:
    """A view on a storage, made an array once the storage is filled."""

    def __init__(self, storage, offset, shape, strides, *_):
        self.storage, self.offset, self.shape, self.strides = storage, offset, shape, strides

    def array(self):
        last = self.offset + sum((n - 1) * step for n, step in zip(self.shape, self.strides, strict=True))
        if min((self.offset, *self.strides)) < 0 or (0 not in self.shape and last >= self.storage.size):
            raise pickle.UnpicklingError("a tensor reaches outside its storage")
        values = self.storage.values[self.offset :]
        strides = [step * values.itemsize for step in self.strides]
        return np.ascontiguousarray(np.lib.stride_tricks.as_strided(values, self.shape, strides))


class _TensorUnpickler(pickle.Unpickler):
    """Admits ordered dictionaries of tensors; any other global in the pickle is refused before it is looked up."""

    def __init__(self, file):
        super().__init__(file)
        self.storages = {}

    def find_class(self, module, name):
        if (module, name) == ("collections", "OrderedDict"):
            return collections.OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _Tensor
        if module == "torch" and name in _STORAGES:
            return _STORAGES[name]
        raise pickle.UnpicklingError(f"it asks for {module}.{name}, and only tensors are admitted")

    def persistent_load(self, pid):
        match pid:
            case ("storage", str(dtype), str(key), _, int(size), None) if dtype in _STORAGES.values():
                return self.storages.setdefault(key, _Storage(dtype, size))
        raise pickle.UnpicklingError(f"it asks for the persistent object {pid!r}, and only storages are admitted")


def load_torch_weights(path):
    """Reads a state dict saved by PyTorch before 1.6 (the legacy, non-zip format).

    Args:
        path: The `.pth` file.

    Returns:
        A dictionary from parameter name to NumPy array, in PyTorch's own layout (convolution kernels are
        `(out, in, height, width)`).

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file is no legacy checkpoint, is truncated, or holds anything but tensors; the
            message says which. Nothing in the file is ever executed.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            return _read(file)
    except (pickle.UnpicklingError, EOFError, AttributeError, IndexError, TypeError, KeyError) as error:
        raise ValueError(
            f"{path} is not a legacy PyTorch checkpoint of tensors ({error}). Expected a state dict written by "
            "torch.save of PyTorch < 1.6, or with _use_new_zipfile_serialization=False."
        ) from error


def _read(file):
    if _TensorUnpickler(file).load() != _MAGIC:
        raise pickle.UnpicklingError("the magic number is missing")
    _TensorUnpickler(file).load()  # protocol version
    _TensorUnpickler(file).load()  # sizes and byte order of the machine that wrote it
    unpickler = _TensorUnpickler(file)
    tensors = unpickler.load()
    for key in _TensorUnpickler(file).load():
        storage = unpickler.storages[key]
        if int.from_bytes(file.read(8), "little") != storage.size:
            raise pickle.UnpicklingError(f"storage {key} has another size than its tensors say")
        data = file.read(storage.size * storage.dtype.itemsize)
        if len(data) < storage.size * storage.dtype.itemsize:
            raise EOFError("the file is truncated")
        storage.values = np.frombuffer(data, storage.dtype)
    return {name: tensor.array() for name, tensor in tensors.items()}
