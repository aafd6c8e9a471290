"""In which order samples are shown, and how often."""

import functools
from collections.abc import Iterable
from typing import Any

import numpy as np
import tensorflow as tf


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


def draws(count: int, weight: float) -> int:
    """How many of some samples an epoch shows, each counted as often as it is shown; at least one."""
    return max(1, round(count * weight))
