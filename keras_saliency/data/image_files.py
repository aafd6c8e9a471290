"""One decoder for every door: training, evaluation, prediction and the served graph see the same pixels of a file.

TensorFlow decodes, in the graph or outside it: decoders differ by a few grey levels, and predictions with them.
"""

import concurrent.futures
import contextlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TypeAlias, TypeVar

import tensorflow as tf

from keras_saliency.data.image_header import LARGE, flaw
from keras_saliency.data.orientation import UPRIGHT, orientation, turned_upright
from keras_saliency.data.parts import Part
from keras_saliency.formulas.types import Photograph, Tensor, Unbatched

READ = (".jpg", ".jpeg", ".jpe", ".png", ".gif", ".bmp", ".webp")
# Of images that TensorFlow cannot read, which are refused by name, and not passed over.
REFUSED = (".tif", ".tiff", ".heic", ".heif", ".avif", ".jp2")
REASON = 160  # letters of what TensorFlow says
Image: TypeAlias = Path | bytes | Part
Looked = TypeVar("Looked")
Seen = TypeVar("Seen")


class ImageError(OSError):
    """An image file that cannot be decoded, while it could be read."""


def decode(data: bytes | Tensor) -> Unbatched:
    """Decodes the bytes of an image file to an RGB image `(height, width, 3)`, uint8, upright as its EXIF data say.

    JPEG, PNG, the first frame of GIF, BMP without a palette, and WebP without transparency where TensorFlow has it.
    Grey becomes three equal channels, 16 bit become their upper 8, and transparency is left away.

    Raises:
        tf.errors.InvalidArgumentError: If it is no whole file of these kinds, or has more than
            `image_header.MAX_PIXELS` pixels; then none has been decoded.
    """
    return _with_orientation(data)[0]


def _with_orientation(data):
    with tf.control_dependencies([_decodable(data)]):
        turn = orientation(data)
        return decode_known(data, turn), turn


def decode_known(data: bytes | Tensor, orientation: int | Tensor) -> Unbatched:
    """Decodes as `decode` does what `way_up` has looked at: for graphs in which that would be done again and again."""
    image = tf.ensure_shape(tf.io.decode_image(data, channels=3, expand_animations=False), (None, None, 3))
    return turned_upright(image, orientation)


def _decodable(data):
    """Fails, before a pixel is decoded, where the header says that none must be."""
    reason = flaw(data)
    return tf.raw_ops.Assert(condition=reason == b"", data=[reason])


# Its many small operations take longer one by one.
decode_in_graph = tf.function(_with_orientation, input_signature=[tf.TensorSpec((), tf.string)], autograph=False)


def in_threads(look: Callable[[Looked], Seen], items: Iterable[Looked]) -> Iterator[Seen]:
    """What `look` makes of each item, in order, where it reads images: many at a time."""
    decode_in_graph.get_concrete_function()  # made here once, and not by every thread
    with concurrent.futures.ThreadPoolExecutor() as pool:
        yield from pool.map(look, items)


def read(file: Image, name: str | Path) -> Photograph:
    """Reads an image as `decode` gives it, from a file or from its bytes.

    Raises:
        ImageError: If it cannot be decoded; names it and what to do.
    """
    return read_with_orientation(file, name)[0]


def read_with_orientation(file: Image, name: str | Path) -> tuple[Photograph, int]:
    """The same, and the EXIF orientation that it is turned by, as `way_up` gives it.

    Raises:
        ImageError: As `read`.
    """
    with _naming(name):
        image, turn = decode_in_graph(file_bytes(file))
        return image.numpy(), int(turn)


def read_as_stored(file: Image, name: str | Path) -> Photograph:
    """Reads an image as `read` does, but not turned: with the rows and columns that the file stores.

    Raises:
        ImageError: As `read`.
    """
    data = file_bytes(file)
    with _naming(name):
        _decodable(data)
        return decode_known(data, UPRIGHT).numpy()


def way_up(file: Image, name: str | Path) -> int:
    """The EXIF orientation of an image, 1 to 8, as `decode` finds it.

    Raises:
        ImageError: If it is not to be decoded.
    """
    data = file_bytes(file)
    with _naming(name):
        _decodable(data)
        return int(orientation(data))


@contextlib.contextmanager
def _naming(name):
    try:
        yield
    except tf.errors.InvalidArgumentError as error:
        # What failed inside a function stands behind where it arose.
        lines = error.message.partition("\n\t [[")[0].splitlines()
        reason = lines[-1 if lines[0].startswith("Graph") else 0].rpartition("}} ")[2]
        before, _, asserted = reason.partition("assertion failed: [")
        reason = (asserted.partition("]")[0] or before)[:REASON]
        smaller = ", smaller" if reason == LARGE else ""
        raise ImageError(
            f"{name}: the image cannot be decoded ({reason}). Save it again as PNG or JPEG{smaller}."
        ) from error


def upright(file: Image, pixels: Photograph) -> bytes:
    """The bytes of an image file, of a turned picture those of a PNG file that shows it upright without EXIF data.

    Args:
        file: The file, or its bytes.
        pixels: What `read` gives for it.
    """
    data = file_bytes(file)
    return data if orientation(data) == UPRIGHT else tf.io.encode_png(pixels).numpy()


def file_bytes(file: Image) -> bytes:
    """The bytes of a file, or of a part of one, or those that it is given as.

    Raises:
        ImageError: If it is a pipe, a device or the like, whose end may never come.
        ValueError: As `Part.read`.
    """
    if isinstance(file, bytes):
        return file
    if isinstance(file, Part):
        return file.read()
    if file.exists() and not file.is_file():
        raise ImageError(f"{file} is no regular file. Expected an image file.")
    return file.read_bytes()
