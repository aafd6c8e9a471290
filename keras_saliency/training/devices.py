"""Training on several devices, of one process or, on JAX, of several."""

import contextlib
import functools
import math
import os
from collections.abc import Iterator, Sequence

import keras
import numpy as np
import tensorflow as tf


def share_among(devices: int) -> contextlib.AbstractContextManager:
    """Where models are made and trained on several devices, each with its share of every batch.

    On TensorFlow it is the scope of a `tf.distribute.MirroredStrategy`, on JAX a `keras.distribution.DataParallel`. On
    JAX the devices may be those of several processes, started by the same command with a `workdir` each and the
    environment variables of `keras.distribution.initialize`.

    Args:
        devices: How many, of all processes: GPUs, where there are some.

    Returns:
        A context, for `with`.

    Raises:
        ValueError: If there are not so many, or the backend is another.
    """
    if devices == 1:
        return contextlib.nullcontext()
    backend = keras.backend.backend()
    if backend not in SHARED:
        raise ValueError(f"Recipes are trained on several devices on {' and '.join(SHARED)}, not on {backend}.")
    find, share = SHARED[backend]
    found = find()
    if not 1 <= devices <= len(found):
        raise ValueError(f"devices must be from 1 to {len(found)}, of {', '.join(found)}. Received: devices={devices}.")
    return share(found[:devices])


def _in_tensorflow():
    return [device.name for device in tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("CPU")]


def _in_jax():
    if "KERAS_DISTRIBUTION_NUM_PROCESSES" in os.environ:
        keras.distribution.initialize()
    return keras.distribution.list_devices()


@contextlib.contextmanager
def _parallel(devices: list[str]) -> Iterator[None]:
    # Keras cannot share out a data set whose batches are gathered from a cache; `own_share` does.
    shared = keras.distribution.DataParallel(devices=devices, auto_shard_dataset=False)
    keras.distribution.set_distribution(shared)
    try:
        yield
    finally:
        keras.distribution.set_distribution(None)


@functools.cache
def mirrored(*devices: str) -> tf.distribute.MirroredStrategy:
    """The strategy for some devices. There is one of them in a process: TensorFlow confuses the messages of two."""
    return tf.distribute.MirroredStrategy(devices)


# How devices are found and shared among, by backend.
SHARED = {
    "tensorflow": (_in_tensorflow, lambda devices: mirrored(*devices).scope()),
    "jax": (_in_jax, _parallel),
}


@contextlib.contextmanager
def unshared() -> Iterator[None]:
    """Where each process computes for itself what it is asked, on the weights of a shared model."""
    distribution = keras.distribution.distribution()
    keras.distribution.set_distribution(None)
    try:
        yield
    finally:
        keras.distribution.set_distribution(distribution)


@contextlib.contextmanager
def enough_memory(batch: int) -> Iterator[None]:
    """Where a step of a training that needs more memory than there is says so in one line.

    Raises:
        MemoryError: If it does.
    """
    try:
        yield
    except (tf.errors.ResourceExhaustedError, MemoryError) as error:
        said = f"A batch of {batch} needs more memory than there is. Try a smaller --set batch=..."
        raise MemoryError(said) from error


def own_share(batches: tf.data.Dataset, counts: Sequence[int] | np.ndarray, batch: int) -> tf.data.Dataset:
    """What this process has of every batch: all of it, but on JAX with several processes.

    Args:
        batches: The batches, the same in every process.
        counts: How many images of each size they have together.
        batch: How many one has; the last one of each size has what is left.

    Raises:
        ValueError: If batches do not divide evenly among the devices: all must, but on TensorFlow the last one where
            images are of one size.
    """
    distribution = keras.distribution.distribution()
    counts = [int(count) for count in counts]
    sizes = {min(batch, count) for count in counts}
    if distribution is None:
        devices = tf.distribute.get_strategy().num_replicas_in_sync
    else:
        devices = math.prod(distribution.device_mesh.shape)
    if distribution is not None or len(counts) > 1:
        sizes |= {count % batch for count in counts}
    if any(size % devices for size in sizes):
        shown, last = (", ".join(map(str, each)) for each in (counts, (count % batch or batch for count in counts)))
        raise ValueError(
            f"Batches must divide evenly among {devices} devices. Received: {shown} images of one size in batches of "
            f"{batch}, the last one of {last}. Choose another --set batch=..., or show all in one frame: --set size=..."
        )
    if distribution is None:
        return batches
    import jax

    processes, process = jax.process_count(), jax.process_index()

    def share(part):
        count = tf.shape(part)[0] // processes
        return part[process * count : (process + 1) * count]

    return batches.map(lambda *batch: keras.tree.map_structure(share, batch)) if processes > 1 else batches
