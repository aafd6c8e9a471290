"""Clips of videos for training: several frames in a row with their targets, made as a pipeline makes images."""

import numpy as np
import tensorflow as tf

from keras_saliency.data import order
from keras_saliency.data.pipeline import ahead, aim_of, pair_maker
from keras_saliency.data.samples import Samples
from keras_saliency.data.videos import shots_in
from keras_saliency.data.windows import places
from keras_saliency.formulas.types import Size
from keras_saliency.formulas.view import View

# To translate the Python of a graph function takes longer than to make its graph, and here is no loop or branch.
_in_graph = tf.autograph.experimental.do_not_convert


def clips(
    samples: Samples,
    length: int,
    stride: int = 1,
    *,
    size: Size | View,
    batch: int = 4,
    target_size: Size | float | None = None,
    sigma: float | None = None,
    flip: bool = False,
    shuffle: bool = False,
    seed: int = 0,
    epoch: int | None = None,
) -> tf.data.Dataset:
    """Builds the pipeline from the frames of videos to batches of clips.

    Frames are decoded, resized and blurred as `Samples.pipeline` does it. Each frame is in one clip, but for those at
    the end of a video, or of a shot, that make no whole one: with a stride of 2 two clips interlace. Clips in which
    nobody looked at any frame are left away. Of a frame without fixations the target is zero, its mask, too, so that
    no loss that heeds the mask learns anything from it.

    Args:
        samples: A split whose samples are frames.
        length: Frames of a clip.
        stride: How many samples further the next frame of a clip is.
        size: Of the frames, as in `Samples.pipeline`.
        batch: Clips in a batch; the last one, or the last one of each size, may be smaller.
        target_size: As in `Samples.pipeline`.
        sigma: As in `Samples.pipeline`.
        flip: Whether each clip is mirrored, all of it, with probability one half.
        shuffle: Whether the order of clips is random.
        seed: Of order and flips; equal seeds give equal batches.
        epoch: As in `Samples.pipeline`.

    Returns:
        A `tf.data.Dataset` of `(frames, targets)`: `(batch, length, height, width, 3)` in [0, 255] and
        `(batch, length, target height, target width, 3)`, float32.

    Raises:
        ValueError: If length or stride is below one, no video has so many frames, the frames of one do not stand
            together and in order, or are so long that a view shows them in windows.
    """
    if isinstance(size, View) and len(samples.in_windows(size)) > len(samples.usable):
        raise ValueError(
            "So long a frame is seen in windows, which clips do not have. Give a size in place of the view."
        )
    rows = _rows(samples, length, stride)
    seen = places(samples, size)
    aim = seen if target_size is None else aim_of(samples, size, target_size)
    again = epoch is None
    order_seed, flip_seed = map(int, np.random.SeedSequence([seed, epoch or 0]).generate_state(2) >> 1)
    first = [samples[int(i)] for i in rows[:, 0]]
    numbers = order.shuffled(first, order_seed, again) if shuffle else tf.data.Dataset.range(len(rows))
    coins = tf.data.Dataset.random(seed=flip_seed, rerandomize_each_iteration=again)
    flips = coins.map(_in_graph(lambda coin: (coin % 2 == 0) & flip))
    make, table = pair_maker(samples, seen, aim, sigma), tf.constant(rows)

    def frames_of(key, clip, flipped):
        return tf.data.Dataset.from_tensor_slices((tf.fill([length], key), table[clip], tf.fill([length], flipped)))

    def load(key, i, flipped):
        image, target = make(i, flipped)
        return key, (tf.raw_ops.Reverse(tensor=image, dims=[False, flipped, False]), target)

    def shuffle_batches(batches):
        return batches.shuffle(len(rows), seed=order_seed, reshuffle_each_iteration=again)

    _, kinds = np.unique(seen.canvases[rows[:, 0]], axis=0, return_inverse=True)
    sorted_rows = order.in_batches(
        tf.data.Dataset.zip(numbers, flips), kinds.ravel(), batch, shuffle_batches if shuffle else None
    )
    loaded = sorted_rows.flat_map(_in_graph(frames_of)).map(
        _in_graph(load), num_parallel_calls=tf.data.AUTOTUNE, deterministic=True
    )
    whole = loaded.batch(length, drop_remainder=True).map(_in_graph(lambda keys, pair: (keys[0], pair)))
    batches = order.batched(whole, batch)
    if not shuffle or all(sample.weight == 1.0 for sample in first):  # else chance decides how many there are
        count = (-(-np.bincount(kinds.ravel()) // batch)).sum()
        batches = batches.apply(tf.data.experimental.assert_cardinality(count))
    return ahead(batches)


def _rows(samples, length, stride):
    """The positions of the frames of each clip, `(clips, length)`."""
    if length < 1 or stride < 1:
        raise ValueError(f"length and stride are whole numbers from 1. Received: length={length}, stride={stride}.")
    shots = shots_in(samples)
    found = []
    for shot in shots.values():
        for offset in range(stride):
            own = np.arange(shot.start + offset, shot.stop, stride)
            found += list(own[: len(own) // length * length].reshape(-1, length))
    longest = max(map(len, shots.values()), default=0)
    if not found:
        raise ValueError(f"No video has a clip of {length} frames with stride {stride}. The longest has {longest}.")
    known = [row for row in found if any(samples[int(i)].is_usable for i in row)]
    if not known:
        raise ValueError("Nobody looked at any frame of a clip. Give videos with fixations.")
    return np.array(known, "int64")
