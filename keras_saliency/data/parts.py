"""Parts of files: where in a shard the bytes of an image lie."""

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf

from keras_saliency.formulas.types import Tensor


@dataclasses.dataclass(frozen=True)
class Part:
    """Some bytes of a file.

    Attributes:
        file: The file.
        offset: The position of the first byte.
        length: How many there are.
        shape: Of the array of float32, the lowest byte first, that they are; None if they are an image file.
    """

    file: Path
    offset: int
    length: int
    shape: tuple[int, ...] | None = None

    def read(self) -> bytes:
        """The bytes.

        Raises:
            OSError: If the file cannot be read.
            ValueError: If it ends before they do.
        """
        with self.file.open("rb", buffering=0) as file:
            file.seek(self.offset)
            data = file.read(self.length)
        if len(data) < self.length:
            raise ValueError(
                f"{self.file} ends before byte {self.offset + self.length}: it is not whole. Write it again."
            )
        return data


def reader(parts: Sequence[Part], dtype: tf.DType) -> Callable[[Tensor], Tensor]:
    """A graph function from the number of a part to its content.

    Args:
        parts: The parts.
        dtype: `tf.string` for its bytes, `tf.float32` for a vector of such numbers.
    """
    files = tf.constant([str(part.file) for part in parts])
    places = tf.constant([(part.offset, part.length) for part in parts], tf.int64)
    read = _bytes if dtype == tf.string else _floats

    def content(i):
        found = tf.numpy_function(read, [files[i], places[i, 0], places[i, 1]], dtype, stateful=False)
        return tf.ensure_shape(found, () if dtype == tf.string else (None,))

    return content


# Python is needed for some microseconds, and not while the disk is read.
def _floats(file, offset, length):
    return np.fromfile(file.decode(), "<f4", length // 4, offset=offset)


def _bytes(file, offset, length):
    return Part(Path(file.decode()), int(offset), int(length)).read()
