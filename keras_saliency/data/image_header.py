"""What the header of an image file says in a TensorFlow graph, before a pixel is decoded: may it be?

A file of 100 kB may hold 100 million pixels, which take 300 MB.
"""

import numpy as np
import tensorflow as tf

from keras_saliency.formulas.types import Tensor

MAX_PIXELS = 1 << 26
LARGE = f"it has more than {MAX_PIXELS:,} pixels"
PALETTE = "a BMP file with a palette"
UNKNOWN = "Unknown image file format. Expected JPEG, PNG, GIF, BMP or WebP"
# What a file begins with, a dot being any byte, and where its width and height stand, the lowest byte first; the bit
# that they begin with, how many they have, and what is added.
KINDS = [
    (b"\x89PNG\r\n\x1a\n", (19, 18, 17, 16), (23, 22, 21, 20), (0, 0), 32, 0),
    (b"GIF8", (6, 7), (8, 9), (0, 0), 16, 0),
    (b"BM", (18, 19, 20, 21), (22, 23, 24, 25), (0, 0), 32, 0),
    (b"RIFF....WEBPVP8 ", (26, 27), (28, 29), (0, 0), 14, 0),
    (b"RIFF....WEBPVP8L", (21, 22), (22, 23, 24), (0, 6), 14, 1),
    (b"RIFF....WEBPVP8X", (24, 25, 26), (27, 28, 29), (0, 0), 24, 1),
]
HEAD, MAGIC, ANY = 32, 16, ord(".")
JPEG, GIF, BMP = b"\xff\xd8\xff", b"GIF8", b"BM"
BITS = 28  # where a BMP file says how many a pixel has
# A header, for the operation that reads those of JPEG files to have one to read.
PLAIN_JPEG = b"\xff\xd8\xff\xc0\0\x0b\x08\0\1\0\1\1\1\x11\0\xff\xda\0\x08\1\1\0\0\x3f\0\xff\xd9"
EXTENSION, FRAME = 0x21, 0x2C  # what the blocks of GIF files begin with


def _tables():
    magic = np.array([[*kind[0].ljust(MAGIC, b".")] for kind in KINDS], "int64")
    weights = np.zeros((HEAD, len(KINDS), 2), "int64")
    for i, (_, *sides, _, _, _) in enumerate(KINDS):
        for j, places in enumerate(sides):
            weights[places, i, j] = 256 ** np.arange(len(places))
    first, bits, added = (np.array([kind[i] for kind in KINDS], "int64") for i in (3, 4, 5))
    return magic, weights, 2**first, 2 ** bits[:, None], added[:, None]


BEGIN, WEIGHTS, DIVISORS, MODULI, ADDED = _tables()


# Without branches: in tf.data each costs more than to decode a small image.
@tf.function(input_signature=[tf.TensorSpec((), tf.string)], autograph=False)
def flaw(data: bytes | Tensor) -> Tensor:
    """Why the bytes of an image file are not to be decoded, or an empty string.

    It is no JPEG, PNG, GIF, BMP or WebP file, a BMP file with a palette, whose numbers TensorFlow takes for colours, or
    one of more than `MAX_PIXELS` pixels. Those of a GIF file are those of its largest frame, or a third of those of
    all, which are decoded to a byte each and not to three.

    Raises:
        tf.errors.InvalidArgumentError: If a JPEG file has no whole header.
    """
    head = tf.io.decode_raw(tf.strings.substr(tf.strings.join([data, bytes(HEAD)]), 0, HEAD), tf.uint8)
    head = tf.cast(head, tf.int64)
    kind = tf.reduce_all((head[:MAGIC] == BEGIN) | (BEGIN == ANY), 1)
    sides = tf.reduce_sum(head[:, None, None] * WEIGHTS, 0) // DIVISORS % MODULI + ADDED
    sides = tf.minimum(sides, 2**32 - sides)  # A negative height of BMP says that its first row comes first.
    plain = tf.reduce_max(tf.where(kind, sides[:, 0] * sides[:, 1], 0))
    jpeg = tf.strings.substr(data, 0, len(JPEG)) == JPEG
    shape = tf.cast(tf.io.extract_jpeg_shape(tf.where(jpeg, data, PLAIN_JPEG)), tf.int64)
    gif = tf.strings.substr(data, 0, len(GIF)) == GIF
    frames = _pixels_of_frames(tf.where(gif, data, b""))
    pixels = tf.maximum(tf.maximum(plain, frames), tf.where(jpeg, shape[0] * shape[1], 0))
    palette = (tf.strings.substr(data, 0, len(BMP)) == BMP) & (head[BITS] == 8)
    reason = tf.where(palette, PALETTE, tf.where(pixels > MAX_PIXELS, LARGE, b""))
    return tf.where(pixels > 0, reason, UNKNOWN)


def _pixels_of_frames(data):
    """Those of the largest frame of a GIF file, or a third of those of all; the screen of its header bounds neither."""
    size = tf.strings.length(data)
    # What is behind the end is neither a frame nor an extension, nor has it a length.
    raw = tf.pad(tf.io.decode_raw(data, tf.uint8), [[0, 1 << 10]])

    def byte(at):
        return tf.cast(raw[at], tf.int32)

    def table(at):  # of colours
        packed = byte(at)
        return tf.where(packed >= 1 << 7, 3 * tf.bitwise.left_shift(2, packed % 8), 0)

    def block(at, most, total):
        frame = byte(at) == FRAME
        sides = tf.cast(raw[at + 5 : at + 9], tf.int64)
        found = tf.where(frame, (sides[0] + 256 * sides[1]) * (sides[2] + 256 * sides[3]), 0)
        at += tf.where(frame, 11 + table(at + 9), 2)
        at, _ = tf.while_loop(
            lambda at, length: (length > 0) & (at < size),
            lambda at, length: (at + 1 + length, byte(at + 1 + length)),
            (at, byte(at)),
        )
        return at + 1, tf.maximum(most, found), total + found

    zero = tf.constant(0, tf.int64)
    _, most, total = tf.while_loop(
        lambda at, *_: (at < size) & ((byte(at) == FRAME) | (byte(at) == EXTENSION)),
        block,
        (13 + table(tf.constant(10)), zero, zero),
    )
    return tf.maximum(most, total // 3)
