"""Which way up a picture is: the EXIF orientation of an image file, read in a TensorFlow graph, and its undoing.

Cameras store a picture as the sensor saw it, and beside it how it is to be turned. EXIF data are a TIFF directory: a
header, which says the order of bytes and where the entries begin, and entries of twelve bytes.
"""

from typing import NamedTuple

import numpy as np
import tensorflow as tf

from keras_saliency.formulas.types import Tensor, Unbatched

TAG, UPRIGHT, LAST = 0x0112, 1, 8
PREFIX = b"Exif\0\0"  # which JPEG, and some writers of WebP, have before the TIFF header
BIG, LITTLE = (1 << 24, 1 << 16, 1 << 8, 1), (1, 1 << 8, 1 << 16, 1 << 24)
ROOM = 16  # zeros behind the file, so that what is short of its end can be read


class Layout(NamedTuple):
    """How the parts of a kind of file follow each other; places are bytes from the beginning of a part.

    Attributes:
        magic: How such a file begins.
        first: Where its first part begins.
        length: Where the length of a part stands, and the weights of its bytes.
        more: What is added to it up to the next part.
        exif: Where the part with EXIF data has which mark.
        stop: The same of the part behind which none is looked for.
        content: Where the EXIF data begin.
        unit: A length is rounded up to a multiple of it, 1 or 2.
    """

    magic: bytes
    first: int
    length: tuple[int, tuple[int, ...]]
    more: int
    exif: tuple[int, bytes]
    stop: tuple[int, bytes]
    content: int
    unit: int = 1


LAYOUTS = (
    Layout(b"\xff\xd8\xff", 2, (2, BIG[2:]), 2, (4, PREFIX), (0, b"\xff\xda"), 4),  # JPEG, up to the scan
    Layout(b"\x89PNG", 8, (0, BIG), 12, (4, b"eXIf"), (4, b"IDAT"), 8),
    Layout(b"RIFF", 12, (4, LITTLE), 8, (0, b"EXIF"), (0, b"EXIF"), 8, unit=2),  # WebP, which has them last
)


@tf.function(input_signature=[tf.TensorSpec((), tf.string)], autograph=False)
def orientation(data: bytes | Tensor) -> Tensor:
    """The EXIF orientation of the bytes of a JPEG, PNG or WebP file, 1 to 8; 1, upright, where there is none."""
    raw = tf.concat([tf.io.decode_raw(data, tf.uint8), tf.zeros(ROOM, tf.uint8)], 0)
    found = tf.constant(UPRIGHT, tf.int64)
    for layout in LAYOUTS:
        found = tf.cond(
            _has(raw, 0, layout.magic), lambda layout=layout: _in_file(raw, layout), lambda found=found: found
        )
    return found


def _has(raw, at, mark):
    return tf.reduce_all(raw[at : at + len(mark)] == np.frombuffer(mark, "uint8"))


def _number(raw, at, weights):
    return tf.reduce_sum(tf.cast(raw[at : at + len(weights)], tf.int64) * weights)


def _in_file(raw, layout):
    (exif_at, exif), (stop_at, stop), (length_at, weights) = layout.exif, layout.stop, layout.length
    end = tf.size(raw, tf.int64) - ROOM

    def goes_on(at):
        return (at < end) & ~_has(raw, at + exif_at, exif) & ~_has(raw, at + stop_at, stop)

    def following(at):
        length = _number(raw, at + length_at, weights)
        return at + layout.more + length + length % layout.unit

    (at,) = tf.while_loop(goes_on, following, [tf.constant(layout.first, tf.int64)])
    here = (at < end) & _has(raw, tf.minimum(at, end) + exif_at, exif)
    return tf.cond(here, lambda: _in_directory(raw, at + layout.content), lambda: tf.constant(UPRIGHT, tf.int64))


def _in_directory(raw, header):
    """The orientation in a TIFF directory."""
    header += tf.where(_has(raw, header, PREFIX), tf.constant(len(PREFIX), tf.int64), 0)
    little, size = _has(raw, header, b"II"), tf.size(raw, tf.int64)

    def number(at, count):
        return tf.where(little, _number(raw, at, LITTLE[:count]), _number(raw, at, BIG[-count:]))

    start = tf.minimum(header + number(header + 4, 4), size - 2)
    count = tf.minimum(number(start, 2), (size - start - 2) // 12)
    entries = tf.cast(tf.reshape(raw[start + 2 : start + 2 + 12 * count], (-1, 12)), tf.int64)
    pairs = tf.stack([entries[:, 0:2], entries[:, 8:10]])  # the tags and their values
    tags, values = tf.unstack(tf.where(little, pairs @ [[1], [256]], pairs @ [[256], [1]])[..., 0])
    value = tf.reduce_max(tf.where(tags == TAG, values, 0))
    return tf.where((value > UPRIGHT) & (value <= LAST), value, UPRIGHT)


def turned_upright(image: Unbatched, orientation: Tensor) -> Unbatched:
    """An image `(height, width, channels)` as it is to be seen, from how it is stored with an EXIF orientation."""

    def where(chosen, change, image):
        return tf.cond(
            tf.reduce_any(orientation == tf.constant(chosen, tf.int64)), lambda: change(image), lambda: image
        )

    image = where((5, 6, 7, 8), lambda stored: tf.transpose(stored, (1, 0, 2)), image)
    image = where((2, 3, 6, 7), lambda stored: stored[:, ::-1], image)
    return where((3, 4, 7, 8), lambda stored: stored[::-1], image)
