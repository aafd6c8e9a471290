"""Reads tensors from PyTorch checkpoints and safetensors: without PyTorch, and without running what a pickle asks."""

import contextlib
import functools
import io
import math
import mmap
import pickle
import zipfile
import zlib
from pathlib import Path
from typing import NamedTuple

import numpy as np

from keras_saliency.legacy.plain_pickle import PlainUnpickler, fill
from keras_saliency.reading.regular import require_regular

_MAGIC = 0x1950A86A20F9469CFC6C
_STORAGES = {
    "DoubleStorage": "f8",
    "FloatStorage": "f4",
    "HalfStorage": "f2",
    "BFloat16Storage": "bfloat16",
    "LongStorage": "i8",
    "IntStorage": "i4",
    "ShortStorage": "i2",
    "CharStorage": "i1",
    "ByteStorage": "u1",
    "BoolStorage": "?",
}
REASON = 300  # letters of what is wrong with a file
# Where training scripts keep the state dict among epoch and optimizer.
_STATE_DICTS = ("state_dict", "model", "model_state_dict")
_MALFORMED = (
    pickle.UnpicklingError,
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    AttributeError,
    LookupError,
    TypeError,
    ValueError,
    ArithmeticError,
    RuntimeError,
    MemoryError,
    OSError,  # a place before the start of the file
)


class _Storage(NamedTuple):
    """A flat buffer whose bytes stand elsewhere in the file."""

    dtype: str
    key: str
    size: int

    @property
    def nbytes(self):
        return self.size * (2 if self.dtype == "bfloat16" else np.dtype(self.dtype).itemsize)

    def decode(self, data, order):
        if len(data) != self.nbytes:
            raise EOFError(f"storage {self.key} is truncated or has another size than its tensors say")
        if self.dtype == "bfloat16":  # the upper half of a float32
            return (np.frombuffer(data, f"{order}u2").astype("u4") << 16).view("f4")
        return np.frombuffer(data, np.dtype(self.dtype).newbyteorder(order)).astype(self.dtype, copy=False)


class _Tensor(NamedTuple):
    """A view on a storage, made an array once the storage is read."""

    storage: _Storage
    offset: int
    shape: tuple
    strides: tuple

    def array(self, values):
        last = self.offset + sum((n - 1) * step for n, step in zip(self.shape, self.strides, strict=True))
        if min((self.offset, *self.shape, *self.strides)) < 0 or (0 not in self.shape and last >= values.size):
            raise pickle.UnpicklingError("a tensor reaches outside its storage")
        if math.prod(self.shape) > values.size:  # by strides of zero, say
            raise pickle.UnpicklingError("a tensor is larger than its storage")
        strides = [step * values.itemsize for step in self.strides]
        return np.lib.stride_tricks.as_strided(values[self.offset :], self.shape, strides, writeable=False)


class _TensorUnpickler(PlainUnpickler):
    """Admits plain containers of tensors; any other global in the pickle is refused before it is looked up."""

    def __init__(self):
        self.storages = {}
        admitted = {
            ("collections", "OrderedDict"): lambda pairs=(): fill({}, pairs),
            ("torch._utils", "_rebuild_tensor"): self._tensor,
            ("torch._utils", "_rebuild_tensor_v2"): self._tensor,
            ("torch._utils", "_rebuild_parameter"): lambda tensor, *_: tensor,
            **{("torch", name): dtype for name, dtype in _STORAGES.items()},
        }
        super().__init__(admitted, self._storage)

    def _storage(self, pid):
        match pid:
            case ("storage", str(dtype), str(key), _, int(size)) | (
                "storage",
                str(dtype),
                str(key),
                _,
                int(size),
                None,
            ):
                storage = _Storage(dtype, key, size)
                if dtype in _STORAGES.values() and size >= 0 and self.storages.setdefault(key, storage) == storage:
                    return storage
        raise pickle.UnpicklingError("it asks for a persistent object, and only storages are admitted")

    def _tensor(self, storage, offset, shape, strides, *_):
        match (storage, offset, shape, strides):
            case (_Storage(), int(), tuple(), tuple()) if all(isinstance(n, int) for n in (*shape, *strides)):
                return _Tensor(storage, offset, shape, strides)
        raise pickle.UnpicklingError("a tensor is malformed")


def load_torch_weights(path: str | Path) -> dict[str, np.ndarray]:
    """Reads the state dict of a PyTorch checkpoint: the zip format and the one before PyTorch 1.6.

    Nothing in the file is ever executed: it may hold tensors, parameters, and the plain containers, numbers and
    strings around them; anything else is refused.

    Args:
        path: The `.pth`, `.pt` or `.tar` file that `torch.save` wrote: a state dict, or a checkpoint that holds one as
            `state_dict`, `model` or `model_state_dict`.

    Returns:
        A dictionary from parameter name to read-only NumPy array, in PyTorch's own layout (convolution kernels are
        `(out, in, height, width)`); bfloat16 as float32; the prefix `module.` of `DataParallel` is removed.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file is no such checkpoint, is truncated, or holds anything else; the message says which.
    """
    path = Path(path)
    require_regular(path)
    with path.open("rb") as file:
        try:
            zipped = file.read(4) == b"PK\x03\x04"
            file.seek(0)
            checkpoint, read = (_read_zip if zipped else _read_legacy)(file)
            tensors = _state_dict(checkpoint).items()
            return _without_data_parallel({name: tensor.array(read(tensor.storage)) for name, tensor in tensors})
        except _MALFORMED as error:
            reason = " ".join(str(error).split())[:REASON]
            raise ValueError(
                f"{path} is not a PyTorch checkpoint of tensors ({reason}). Expected a state dict saved by torch.save, "
                f"alone or as one of {', '.join(_STATE_DICTS)}. If you trust the file, load it with PyTorch and save "
                "its state dict alone: torch.save(model.state_dict(), path)."
            ) from error


def load_safetensors(path: str | Path) -> dict[str, np.ndarray]:
    """Reads a `.safetensors` file as `load_torch_weights` reads a checkpoint.

    Raises:
        ImportError: If the package safetensors is missing; says how to install it.
        ValueError: If the file is malformed.
    """
    with _reading(path) as safetensors:
        tensors = safetensors.numpy.load_file(path)
    widened = {name: value.astype("f4") if value.dtype == "bfloat16" else value for name, value in tensors.items()}
    return _without_data_parallel(widened)


def safetensors_metadata(path: str | Path) -> dict[str, str]:
    """The texts that a `.safetensors` file holds beside its tensors.

    Raises:
        ImportError, ValueError: As `load_safetensors`.
    """
    with _reading(path) as safetensors, safetensors.safe_open(path, "np") as file:
        return file.metadata() or {}


@contextlib.contextmanager
def _reading(path):
    """A context in which what is wrong with a `.safetensors` file becomes an error that says so."""
    try:
        import safetensors.numpy
    except ImportError as error:
        raise ImportError(
            f"Reading {path} needs the package safetensors, which is not installed. Run: pip install safetensors."
        ) from error
    require_regular(path)
    try:
        yield safetensors
    except (AttributeError, KeyError) as error:  # of a kind of numbers that NumPy has not
        raise ValueError(
            f"{path} holds numbers that NumPy has no kind for ({error}), such as 8-bit floats. Save it as float32."
        ) from error
    except safetensors.SafetensorError as error:
        raise ValueError(
            f"{path} is not a safetensors file ({error}). Expected an intact one; get it again."
        ) from error


def _read_legacy(file):
    # A map of the file gives no more than there is, however much is asked for.
    with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        if _TensorUnpickler().load(data) != _MAGIC:
            raise pickle.UnpicklingError("the magic number is missing")
        _TensorUnpickler().load(data)  # protocol version
        _TensorUnpickler().load(data)  # the machine that wrote it; storages are little-endian all the same
        unpickler = _TensorUnpickler()
        checkpoint = unpickler.load(data)
        buffers = {}
        for key in _TensorUnpickler().load(data):
            if not isinstance(key, str) or key not in unpickler.storages:
                raise pickle.UnpicklingError("it holds a storage that no tensor has")
            storage = unpickler.storages[key]
            if int.from_bytes(data.read(8), "little") != storage.size:
                raise pickle.UnpicklingError(f"storage {key} has another size than its tensors say")
            start = data.tell()
            buffers[storage] = storage.decode(data[start : start + storage.nbytes], "<")
            data.seek(start + storage.nbytes)
    return checkpoint, buffers.__getitem__


def _read_zip(file):
    archive = zipfile.ZipFile(file)
    stored = archive.infolist()
    if any(entry.compress_type != zipfile.ZIP_STORED for entry in stored):
        raise pickle.UnpicklingError("its entries are compressed, and torch.save compresses none")
    if sum(entry.file_size for entry in stored) > file.seek(0, io.SEEK_END):
        raise pickle.UnpicklingError("its entries claim more bytes than the file has")
    # Every entry lies in one folder, named after the file once written.
    entries = {entry.filename.partition("/")[2]: entry for entry in stored}
    order = {b"little": "<", b"big": ">"}[archive.read(entries["byteorder"]) if "byteorder" in entries else b"little"]
    checkpoint = _TensorUnpickler().load(io.BytesIO(archive.read(entries["data.pkl"])))

    @functools.cache
    def read(storage):
        return storage.decode(archive.read(entries[f"data/{storage.key}"]), order)

    return checkpoint, read


def _state_dict(checkpoint):
    if not isinstance(checkpoint, dict):
        raise pickle.UnpicklingError(f"it holds a {type(checkpoint).__name__} in place of a dictionary")
    held = [checkpoint[key] for key in _STATE_DICTS if isinstance(checkpoint.get(key), dict)]
    state = held[0] if held else checkpoint
    tensors = {name: value for name, value in state.items() if isinstance(value, _Tensor) and isinstance(name, str)}
    if not tensors:
        raise pickle.UnpicklingError(f"there are no tensors in its dictionary of {', '.join(map(str, state))[:200]}")
    return tensors


def _without_data_parallel(tensors):
    if all(name.startswith("module.") for name in tensors):
        return {name.removeprefix("module."): value for name, value in tensors.items()}
    return tensors
