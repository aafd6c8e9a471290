"""Times what data cost: `python scripts/benchmark.py data DIR`, the folder of OSIE.

The training pipeline beside bare decoding and resizing of the same files, from shards beside from files, and beside the
training of `osie_lite0` with its backbone; and how long it takes to open 10,000 images and 10 million fixations.
"""

import hashlib
import json
import os
import tempfile
import time
from pathlib import Path
from typing import Annotated

import numpy as np
import rich.console
import rich.table
import tensorflow as tf
import typer
from benchmarks.models import _fresh, _megabytes, _rates

import keras_saliency as ks

OPTIONS = {"flip": True, "shuffle": True, "epoch": 0}
IMAGES, OBSERVERS, EACH = 10_000, 15, 9
FIXATIONS, OF_IMAGES = 10_000_000, 1_000
DAY = 86_400
# What is asked for, and whether it is the least or the most.
ASKED = {
    "pipeline_to_bare": ("at least", 0.85),
    "shards_to_files": ("at least", 1.5),
    "pipeline_to_training": ("at least", 1.0),
    "seconds_to_open_images_again": ("at most", 1.0),
    "seconds_to_open_fixations": ("at most", 20.0),
    "megabytes_of_fixations": ("at most", 2000.0),
}


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


def digest(dataset):
    """The same machine, seeds and versions of the libraries give the same batches."""
    found = hashlib.sha256()
    for part in tf.nest.flatten(list(dataset)):
        found.update(part.numpy().tobytes())
    return found.hexdigest()[:16]


def measure_pipelines(directory, size, batch, repeats):
    """Seconds an image, wall and processor, of each kind of input; they take turns, and the fastest counts."""
    osie = ks.data.load("osie", directory)
    with tempfile.TemporaryDirectory() as folder:
        shards = {name: Path(folder) / name for name in ("shards", "encoded")}
        ks.data.convert(osie, shards["shards"], size)
        ks.data.convert(osie, shards["encoded"], None)
        found = {f"megabytes_{name}": _size(path) for name, path in shards.items()}
        found["megabytes_files"] = _size(directory / "stimuli")
        samples = {"files": osie.validation}
        samples |= {name: ks.data.load("shards", path).validation for name, path in shards.items()}
        datasets = {name: some.pipeline(size, batch, **OPTIONS) for name, some in samples.items()}
        datasets = {"bare": bare(osie.validation, size, batch), **datasets}
        times = {name: [] for name in datasets}
        for turn in range(repeats + 1):
            for name, dataset in datasets.items():
                measured = iterate(dataset)
                if turn:  # the first warms up
                    times[name].append(measured)
        digests = {digest(datasets[name]) for name in samples}
    if len(digests) > 1:
        raise AssertionError(f"Batches from shards are others than from files: {digests}.")
    for name, values in times.items():
        wall, used = np.min(values, 0) / len(osie.validation)
        found |= {f"images_a_second_{name}": 1 / wall, f"processor_ms_{name}": 1000 * used}
    found["pipeline_to_bare"] = found["images_a_second_files"] / found["images_a_second_bare"]
    found["pipeline_to_bare_in_processor_time"] = found["processor_ms_bare"] / found["processor_ms_files"]
    found["shards_to_files"] = found["images_a_second_shards"] / found["images_a_second_files"]
    return {**found, "batches": digests.pop()}


def measure_training(directory, size, batch, repeats):
    """Images a second of a training with its backbone, from files and from memory."""
    recipe = ks.zoo.find_recipe("osie_lite0")
    model = ks.create_model(recipe.model.name, backbone=recipe.model.backbone, weights=None, input_size=size)
    model.compile("adamw", ks.combo(recipe.loss, from_logits=True))
    samples = ks.data.load("osie", directory).validation[: 5 * batch]
    inputs = {"files": samples.pipeline(size, batch, **OPTIONS)}
    inputs["memory"] = inputs["files"].cache()
    steps = {key: lambda batches=batches: model.fit(batches, verbose=0) for key, batches in inputs.items()}
    rates = _rates(steps, len(samples), repeats)
    return {f"images_a_second_trained_from_{key}": rate for key, rate in rates.items()}


def _size(folder):
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6


def write_images(folder, count):
    """Small JPEG files."""
    (folder / "images").mkdir(parents=True)
    noise = np.random.default_rng(0).integers(0, 255, (48, 64, 3), "uint8")
    data = tf.io.encode_jpeg(noise).numpy()
    for i in range(count):
        (folder / "images" / f"{i:05d}.jpg").write_bytes(data)


def write_table(folder, images, observers, each, suffix):
    """A table of fixations beside the images."""
    import pandas as pd

    rng, row = np.random.default_rng(0), np.arange(images * observers * each)
    names = np.array([f"{i:05d}.jpg" for i in range(images)])
    columns = {"image": names[row // (observers * each)], "observer": row // each % observers, "time": row % each * 0.3}
    columns |= {"x": rng.uniform(0, 64, len(row)), "y": rng.uniform(0, 48, len(row))}
    table = pd.DataFrame(columns)
    if suffix == ".csv":
        table.to_csv(folder / "fixations.csv", index=False)
    else:
        table.to_parquet(folder / "fixations.parquet", index=False)


def age(folder):
    """Makes all files a day old: of those that changed just now nothing is kept."""
    for path in folder.rglob("*"):
        os.utime(path, (time.time() - DAY,) * 2)


def measure_opening(folder, cache):
    """Seconds to open a table, and the peak megabytes of the process."""
    os.environ["KERAS_SALIENCY_CACHE"] = cache
    load = ks.data.load  # imports TensorFlow
    started = time.perf_counter()
    load("table", folder)
    return time.perf_counter() - started, _megabytes()


def data(
    directory: Annotated[Path, typer.Argument(help="The folder of OSIE.")],
    size: Annotated[tuple[int, int], typer.Option(help="Height and width.")] = (240, 320),
    batch: Annotated[int, typer.Option(min=1, help="Images in a batch.")] = 8,
    repeats: Annotated[int, typer.Option(min=1, help="Iterations of each; the fastest counts.")] = 8,
    out: Annotated[Path | None, typer.Option("--json", help="Where to write the numbers.")] = None,
) -> None:
    """Compare pipelines with bare decoding, and time the opening of large data sets."""
    # Each in a process of its own, this one included: a process counts the memory of the one that began it as its peak.
    found = _fresh(measure_pipelines, directory, size, batch, repeats)
    found |= _fresh(measure_training, directory, size, batch, repeats)
    found["pipeline_to_training"] = found["images_a_second_files"] / found["images_a_second_trained_from_memory"]
    with tempfile.TemporaryDirectory() as name:
        images, fixations = Path(name) / "images", Path(name) / "fixations"
        for folder, count in ((images, IMAGES), (fixations, OF_IMAGES)):
            _fresh(write_images, folder, count)
        _fresh(write_table, images, IMAGES, OBSERVERS, EACH, ".csv")
        _fresh(write_table, fixations, OF_IMAGES, 100, FIXATIONS // OF_IMAGES // 100, ".parquet")
        age(Path(name))
        cache = str(Path(name) / "cache")
        found["seconds_to_open_images"], _ = _fresh(measure_opening, images, cache)
        found["seconds_to_open_images_again"] = min(_fresh(measure_opening, images, cache)[0] for _ in range(3))
        found["seconds_to_open_fixations"], found["megabytes_of_fixations"] = _fresh(measure_opening, fixations, "")
    table = rich.table.Table("", "value", "asked for")
    for name, value in found.items():
        told = " ".join(map(str, ASKED.get(name, ())))
        table.add_row(name.replace("_", " "), value if isinstance(value, str) else f"{value:.2f}", told)
    rich.console.Console().print(table)
    if out is not None:
        out.write_text(json.dumps(found, indent=2) + "\n")
