"""Times the training pipeline beside bare decoding and resizing: `python scripts/benchmark.py pipeline DIR`."""

import hashlib
import time
from pathlib import Path
from typing import Annotated

import numpy as np
import rich.console
import rich.table
import tensorflow as tf
import typer

import keras_saliency as ks

TARGET = 0.85


def bare(samples, size, batch):
    """What no pipeline can do without: the files read, decoded and resized in parallel."""
    files = tf.constant([str(sample.image) for sample in samples])

    def load(i):
        image = tf.io.decode_image(tf.io.read_file(files[i]), channels=3, expand_animations=False)
        return tf.image.resize(tf.cast(image, tf.float32), size, antialias=True)

    dataset = tf.data.Dataset.range(len(samples)).map(load, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
    return dataset.batch(batch).prefetch(tf.data.AUTOTUNE)


def iterate(dataset):
    """The wall and processor seconds of one iteration."""
    started, used = time.perf_counter(), time.process_time()
    for _ in dataset:
        pass
    return time.perf_counter() - started, time.process_time() - used


def pipeline(
    directory: Annotated[Path, typer.Argument(help="The folder of OSIE.")],
    size: Annotated[tuple[int, int], typer.Option(help="Height and width.")] = (240, 320),
    batch: Annotated[int, typer.Option(min=1, help="Images in a batch.")] = 8,
    repeats: Annotated[int, typer.Option(min=1, help="Iterations of each; the fastest counts.")] = 8,
) -> None:
    """Compare the pipeline with bare decoding and resizing of the same files, in turns."""
    samples = ks.data.load("osie", directory).validation
    options = {"flip": True, "shuffle": True, "epoch": 0}
    samples.pipeline(size, batch, **options)  # the first imports what the others need
    started = time.perf_counter()
    made = samples.pipeline(size, batch, **options)
    built = time.perf_counter() - started
    next(iter(made))
    first = time.perf_counter() - started
    datasets = {"bare decoding and resizing": bare(samples, size, batch), "pipeline": made}
    times = {name: [] for name in datasets}
    for turn in range(repeats + 1):
        for name, dataset in datasets.items():
            measured = iterate(dataset)
            if turn:  # the first warms up
                times[name].append(measured)
    fastest = {name: np.min(values, 0) / len(samples) for name, values in times.items()}
    table = rich.table.Table("", "images/s", "processor ms an image")
    for name, (wall, used) in fastest.items():
        table.add_row(name, f"{1 / wall:.0f}", f"{1000 * used:.2f}")
    without, whole = fastest.values()
    table.add_row(f"share (at least {TARGET:.0%})", *(f"{share:.0%}" for share in without / whole))
    console = rich.console.Console()
    console.print(table)
    console.print(f"to build {built:.2f} s, to the first batch {first:.2f} s")
    # The same machine, seeds and versions of the libraries give the same batches.
    digest = hashlib.sha256()
    for part in tf.nest.flatten(list(made)):
        digest.update(part.numpy().tobytes())
    console.print(f"batches {digest.hexdigest()[:16]}")
