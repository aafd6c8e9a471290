"""In which order samples are shown, and how often."""

import functools
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import tensorflow as tf

# To translate the Python of a graph function takes longer than to make its graph, and here is no loop or branch.
_in_graph = tf.autograph.experimental.do_not_convert


def shuffled(samples: Iterable[Any], seed: int, again: bool) -> tf.data.Dataset:
    """The numbers of samples in random order, those of each data set as often as their weight says.

    Args:
        samples: Each with a `data_set` and a `weight`.
        seed: Equal seeds give equal orders.
        again: Whether each iteration has another order.
    """
    groups: dict[Any, list[int]] = {}
    for i, sample in enumerate(samples):
        groups.setdefault((sample.data_set, sample.weight), []).append(i)
    if {weight for _, weight in groups} == {1.0}:
        indices = tf.data.Dataset.range(sum(map(len, groups.values())))
    else:
        parts = [
            tf.data.Dataset.from_tensor_slices(np.array(own, "int64"))
            .shuffle(len(own), seed=seed + number + 1, reshuffle_each_iteration=again)
            .repeat()
            .take(draws(len(own), weight))
            for number, ((_, weight), own) in enumerate(groups.items())
        ]
        indices = functools.reduce(tf.data.Dataset.concatenate, parts)
    return indices.shuffle(int(indices.cardinality()), seed=seed, reshuffle_each_iteration=again)


def in_batches(rows: tf.data.Dataset, kinds: np.ndarray, batch: int, shuffle: Callable | None) -> tf.data.Dataset:
    """Brings rows into an order in which those of one batch are of one kind, and none is left out.

    Args:
        rows: Tuples that begin with the number of a sample.
        kinds: The kind of each sample, `(samples,)`.
        batch: Rows in a batch; the last one of each kind may be smaller.
        shuffle: What shuffles the batches, a function of a `tf.data.Dataset`; else those that are not full come last.

    Returns:
        The rows with a number before them, the same for those of one batch; `batched` makes batches of them.
    """
    kinds = tf.constant(kinds, tf.int64)
    batches = rows.group_by_window(
        _in_graph(lambda i, *_: kinds[i]), lambda _, same: same.batch(batch), window_size=batch
    )
    batches = shuffle(batches) if shuffle else batches

    def numbered(number, row):
        # How many there are, too, as a window is asked for its size by its key.
        count = tf.shape(row[0], tf.int64)[0]
        return tf.data.Dataset.from_tensor_slices((tf.fill([count], number * (batch + 1) + count), *row))

    return batches.enumerate().flat_map(_in_graph(numbered))


def batched(rows: tf.data.Dataset, batch: int) -> tf.data.Dataset:
    """Makes batches of what was made of rows in the order of `in_batches`: pairs of their number and that."""
    return rows.group_by_window(
        _in_graph(lambda key, _: key),
        lambda _, same: same.map(_in_graph(lambda key, row: row)).batch(batch),
        window_size_func=_in_graph(lambda key: key % (batch + 1)),
    )


def draws(count: int, weight: float) -> int:
    """How many of some samples an epoch shows, each counted as often as it is shown; at least one."""
    return max(1, round(count * weight))
