"""Which way up a picture is: the EXIF orientation of an image file, read in a TensorFlow graph, and its undoing.

Cameras store a picture as the sensor saw it, and beside it how it is to be turned. EXIF data are a TIFF directory: a
header, which says the order of bytes and where the entries begin, and entries of twelve bytes.
"""

import tensorflow as tf

from keras_saliency.formulas.types import Tensor, Unbatched

TAG, UPRIGHT, LAST = 0x0112, 1, 8
# A TIFF header with EXIF data is known by what stands before it in JPEG, PNG and WebP; \C is any byte.
BEFORE = r"(?:Exif\x00\x00|eXIf|EXIF\C{4})"
HEADER = BEFORE + r"(?:II\*\x00|MM\x00\*)"
# The entries up to that of the tag and of one byte, which is kept, by whether the higher byte comes first.
ENTRIES = {
    True: r"\A(?:\C{12})*?\x01\x12\C{6}\x00([\x02-\x08])\C*",
    False: r"\A(?:\C{12})*?\x12\x01\C{6}([\x02-\x08])\x00\C*",
}
# JPEG has it first; far behind there may be previews with their own.
JPEG, HEAD = b"\xff\xd8", 1 << 16
ROOM = bytes(8)  # behind the end, so that what reaches over it can be read
# By orientation, from 0: whether rows and columns change places, and then which are reversed.
TURNS = [[n > 4, n in (3, 4, 7, 8), n in (2, 3, 6, 7)] for n in range(LAST + 1)]


# Few operations: each graph that decodes has them, and to make and optimise it takes longer than to run it.
@tf.function(input_signature=[tf.TensorSpec((), tf.string)], autograph=False)
def orientation(data: bytes | Tensor) -> Tensor:
    """The EXIF orientation of the bytes of a JPEG, PNG or WebP file, 1 to 8; 1, upright, where there is none."""
    jpeg = tf.strings.substr(data, 0, len(JPEG)) == JPEG
    data = tf.strings.substr(data, 0, tf.where(jpeg, HEAD, tf.strings.length(data)))
    before = tf.strings.regex_replace(data, HEADER + r"\C*", "", replace_global=False)
    directory = tf.strings.substr(data, tf.strings.length(before), HEAD)
    directory = tf.strings.regex_replace(directory, r"\A" + BEFORE, "", replace_global=False)
    big = tf.strings.substr(directory, 0, 1) == b"M"
    size, room = tf.strings.length(directory), tf.strings.join([directory, ROOM])

    def number(at, dtype):
        bytes_ = tf.strings.substr(room, at, dtype.size)
        return tf.where(big, *(tf.io.decode_raw(bytes_, dtype, little_endian=little) for little in (False, True)))[0]

    start = number(4, tf.int32)
    start = tf.where((start < 0) | (start > size), size, start)  # negative is two thousand million and more
    count = tf.cast(number(start, tf.uint16), tf.int32)
    entries = tf.strings.substr(directory, tf.minimum(start + 2, size), 12 * count)
    found = [tf.strings.regex_replace(entries, pattern, r"\1", replace_global=False) for pattern in ENTRIES.values()]
    value = tf.where(big, *found)
    value = tf.where(tf.strings.length(value) == 1, value, b"\1")
    return tf.cast(tf.io.decode_raw(value, tf.uint8)[0], tf.int64)


def turned_upright(image: Unbatched, orientation: int | Tensor) -> Unbatched:
    """An image `(height, width, channels)` as it is to be seen, from how it is stored with an EXIF orientation."""

    def turned():
        across, *mirrored = tf.unstack(tf.gather(TURNS, orientation))
        stored = tf.transpose(image, tf.where(across, (1, 0, 2), (0, 1, 2)))
        return tf.raw_ops.Reverse(tensor=stored, dims=[*mirrored, False])

    if isinstance(orientation, int):
        return image if orientation == UPRIGHT else turned()
    return tf.cond(orientation == UPRIGHT, lambda: image, turned)
