"""One decoder for every door: training, evaluation, prediction and the served graph see the same pixels of a file.

TensorFlow decodes, in the graph or outside it: decoders differ by a few grey levels, and predictions with them.
"""

from pathlib import Path

import tensorflow as tf

from keras_saliency.data.orientation import UPRIGHT, orientation, turned_upright
from keras_saliency.formulas.types import Photograph, Tensor, Unbatched

READ = (".jpg", ".jpeg", ".jpe", ".png", ".gif", ".bmp", ".webp")
# Of images that TensorFlow cannot read, which are refused by name, and not passed over.
REFUSED = (".tif", ".tiff", ".heic", ".heif", ".avif", ".jp2")
REASON = 160  # letters of what TensorFlow says
PALETTE = "a BMP file with a palette"


class ImageError(OSError):
    """An image file that cannot be decoded, while it could be read."""


def decode(data: bytes | Tensor) -> Unbatched:
    """Decodes the bytes of an image file to an RGB image `(height, width, 3)`, uint8, upright as its EXIF data say.

    JPEG, PNG, the first frame of GIF, BMP without a palette, and WebP without transparency where TensorFlow has it.
    Grey becomes three equal channels, 16 bit become their upper 8, and transparency is left away.

    Raises:
        tf.errors.InvalidArgumentError: If it is no whole file of these kinds.
    """
    # TensorFlow takes the numbers of the colours for the colours.
    bits = tf.strings.substr(tf.strings.join([data, bytes(32)]), 28, 1)
    plain = ~tf.strings.regex_full_match(tf.strings.substr(data, 0, 2), "BM") | ~(bits == b"\x08")
    with tf.control_dependencies([tf.debugging.assert_equal(plain, True, PALETTE)]):
        image = tf.io.decode_image(data, channels=3, expand_animations=False)
    return turned_upright(tf.ensure_shape(image, (None, None, 3)), orientation(data))


def read(file: Path | bytes, name: str | Path) -> Photograph:
    """Reads an image as `decode` gives it, from a file or from its bytes.

    Raises:
        ImageError: If it cannot be decoded; names it and what to do.
    """
    data = file_bytes(file)
    try:
        return decode(data).numpy()
    except tf.errors.InvalidArgumentError as error:
        reason = error.message.splitlines()[0].rpartition("}} ")[2][:REASON]
        raise ImageError(f"{name}: the image cannot be decoded ({reason}). Save it again as PNG or JPEG.") from error


def upright(file: Path | bytes, pixels: Photograph) -> bytes:
    """The bytes of an image file, of a turned picture those of a PNG file that shows it upright without EXIF data.

    Args:
        file: The file, or its bytes.
        pixels: What `read` gives for it.
    """
    data = file_bytes(file)
    return data if orientation(data) == UPRIGHT else tf.io.encode_png(pixels).numpy()


def file_bytes(file: Path | bytes) -> bytes:
    """The bytes of a file, or those that it is given as."""
    return file if isinstance(file, bytes) else file.read_bytes()
