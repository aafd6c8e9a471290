"""Which way up a picture is: the EXIF orientation of an image file, read in a TensorFlow graph, and its undoing.

Cameras store a picture as the sensor saw it, and beside it how it is to be turned. EXIF data are a TIFF directory: a
header, which says the order of bytes and where the entries begin, and entries of twelve bytes.
"""

import numpy as np
import tensorflow as tf

from keras_saliency.formulas.types import Tensor, Unbatched

TAG, UPRIGHT, LAST = 0x0112, 1, 8
# A TIFF header with EXIF data is known by what stands before it in JPEG, PNG and WebP; a dot is any byte.
BEFORE, HEADERS, ANY = (b"Exif\0\0", b"eXIf", b"EXIF...."), (b"II*\0", b"MM\0*"), ord(".")
# JPEG has it first; far behind there may be previews with their own.
JPEG, HEAD = b"\xff\xd8", 1 << 16
ROOM = 16  # zeros around the file, so that what reaches over its ends can be read
BIG = np.array([1 << 24, 1 << 16, 1 << 8, 1])  # the weights of the bytes of a number


# Without loops and branches: in tf.data each costs more than to decode a small image.
@tf.function(input_signature=[tf.TensorSpec((), tf.string)], autograph=False)
def orientation(data: bytes | Tensor) -> Tensor:
    """The EXIF orientation of the bytes of a JPEG, PNG or WebP file, 1 to 8; 1, upright, where there is none."""
    jpeg = tf.equal(tf.strings.substr(data, 0, len(JPEG)), JPEG)
    data = tf.strings.substr(data, 0, tf.where(jpeg, HEAD, tf.strings.length(data)))
    raw = tf.pad(tf.io.decode_raw(data, tf.uint8), [[ROOM, ROOM]])
    size = tf.size(raw, tf.int64)
    header = _find_header(raw, size)
    little = raw[tf.minimum(header, size - 1)] == HEADERS[0][0]

    def number(at, count):
        bytes_ = tf.cast(raw[at : at + count], tf.int64)
        return tf.reduce_sum(tf.where(little, bytes_[::-1], bytes_) * BIG[-count:])

    start = tf.minimum(header + number(tf.minimum(header + 4, size - 4), 4), size - 2)
    count = tf.minimum(number(start, 2), (size - start - 2) // 12)
    entries = tf.cast(tf.reshape(raw[start + 2 : start + 2 + 12 * count], (-1, 12)), tf.int64)
    pairs = tf.stack([entries[:, 0:2], entries[:, 8:10]])  # the tags and their values
    tags, values = tf.unstack(tf.reduce_sum(tf.where(little, pairs[..., ::-1], pairs) * BIG[-2:], -1))
    value = tf.reduce_max(tf.where(tags == TAG, values, 0))
    return tf.where((header < size) & (value > UPRIGHT) & (value <= LAST), value, UPRIGHT)


def _find_header(raw, size):
    """Where the first TIFF header with EXIF data begins; `size` if there is none."""
    stars = tf.where(raw == ord("*"))[:, 0]  # which both headers have, and few places else
    found = [size]
    for header in HEADERS:
        begin = stars - header.index(b"*")
        for before in BEFORE:
            pattern = np.frombuffer(before + header, "uint8")
            windows = tf.gather(raw, begin[:, None] + np.arange(-len(before), len(header)))
            same = tf.reduce_all((windows == pattern) | (pattern == ANY), 1)
            found.append(tf.reduce_min(tf.where(same, begin, size)))
    return tf.minimum(tf.reduce_min(found), size)  # the least of no places is large


def turned_upright(image: Unbatched, orientation: Tensor) -> Unbatched:
    """An image `(height, width, channels)` as it is to be seen, from how it is stored with an EXIF orientation."""

    def where(chosen, change, image):
        return tf.cond(
            tf.reduce_any(orientation == tf.constant(chosen, tf.int64)), lambda: change(image), lambda: image
        )

    image = where((5, 6, 7, 8), lambda stored: tf.transpose(stored, (1, 0, 2)), image)
    image = where((2, 3, 6, 7), lambda stored: stored[:, ::-1], image)
    return where((3, 4, 7, 8), lambda stored: stored[::-1], image)
