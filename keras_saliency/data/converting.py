"""From a data set to shards."""

import contextlib
import dataclasses
import errno
import itertools
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from keras_saliency.data.data_set import DataSet
from keras_saliency.data.fixations import COLUMNS
from keras_saliency.data.image_files import file_bytes, upright
from keras_saliency.data.parts import Part
from keras_saliency.data.pipeline import images, naming_images
from keras_saliency.data.samples import Sample, Samples
from keras_saliency.data.shards import FORMAT, MANIFEST, MAPS, TABLE, digest_of
from keras_saliency.data.stored import to_arrays
from keras_saliency.formulas.types import Size
from keras_saliency.writing.files import require_new, whole

SHARD = 1 << 28  # bytes, after which another begins
BEFORE, AFTER = 12, 4  # bytes around a record: its length and its checksums
SIZE = (240, 320)


def convert(
    data: DataSet,
    out: str | Path,
    size: Size | None = SIZE,
    shard: int = SHARD,
    progress: Callable[[], Any] = lambda: None,
) -> Path:
    """Writes a data set as shards, which `load("shards", out)` opens; nothing is overwritten.

    Args:
        data: The data set.
        out: A folder that is new or empty.
        size: `(height, width)` of the pipelines that shall be fast: pixels of that size are stored, as they come out of
            a pipeline, to the bit. Others decode the images, as without shards. None stores no pixels.
        shard: How many bytes a file has before another begins.
        progress: Called after each image.

    Returns:
        The folder.

    Raises:
        FileExistsError: If the folder holds something.
        ImageError: If an image cannot be decoded; names it.
        OSError: If the folder cannot be written.
    """
    out = Path(out)
    require_new(out)
    with whole(out) as part, _full_as_the_system_says():
        part.mkdir(parents=True)
        writer = _Writer(part, shard)
        splits = {}
        for name, samples in data.splits.items():
            written: list[Sample] = []
            with naming_images(samples):
                for sample, pixels in zip(samples, _pixels(samples, size), strict=True):
                    written.append(writer.write(sample, name, pixels))
                    progress()
            splits[name] = Samples(written, samples.pixels_per_degree)
        writer.close()
        with (part / TABLE).open("wb") as file:
            np.savez(file, **to_arrays(dataclasses.replace(data, **splits), part))  # type: ignore[arg-type]
        (part / MANIFEST).write_text(json.dumps(_manifest(data, size, part), indent=2) + "\n")
    return out


def _pixels(samples: Samples, size: Size | None) -> Iterator[np.ndarray | None]:
    """What a pipeline makes of each image."""
    if size is None:
        yield from (None for _ in samples)
    else:
        yield from (image for _, batch in images(samples, size) for image in batch.numpy())


class _Writer:
    """Writes records into one shard after another, and knows where they lie."""

    def __init__(self, folder, limit):
        self.folder, self.limit = folder, limit
        self.shards, self.maps, self.records = itertools.count(), itertools.count(), None

    def write(self, sample: Sample, split: str, pixels: np.ndarray | None) -> Sample:
        """The same sample, its image in the shard."""
        if self.records is None:
            self.file, self.offset = self.folder / f"{next(self.shards):05d}.tfrecord", 0
            self.records = tf.io.TFRecordWriter(str(self.file))
        image = upright(sample.image, sample.read()) if sample.as_stored else file_bytes(sample.image)
        contents, shapes = {"image": image}, {}
        if pixels is not None:
            contents["pixels"], shapes["pixels"] = pixels.astype("<f4").tobytes(), pixels.shape
        record = _example(sample, split, contents)
        self.records.write(record)
        # Wherever in the record the same bytes are first, they are these.
        begin = self.offset + BEFORE
        places = {
            name: Part(self.file, begin + record.index(data), len(data), shapes.get(name))
            for name, data in contents.items()
        }
        ground_truth = sample.ground_truth and self._copied(sample.ground_truth)
        moved = dataclasses.replace(
            sample, image=places["image"], letterboxed=places.get("pixels"), ground_truth=ground_truth
        )
        moved.__dict__["orientation"] = sample.orientation
        self.offset = begin + len(record) + AFTER
        if self.offset >= self.limit:
            self.close()
        return moved

    def _copied(self, path):
        maps = self.folder / MAPS
        maps.mkdir(exist_ok=True)
        return Path(shutil.copyfile(path, maps / f"{next(self.maps):06d}{path.suffix}"))

    def close(self):
        if self.records is not None:
            self.records.close()
            self.records = None


@contextlib.contextmanager
def _full_as_the_system_says():
    try:
        yield
    except tf.errors.ResourceExhaustedError as error:
        raise OSError(errno.ENOSPC, "the disk is full") from error


def _example(sample: Sample, split: str, data: dict[str, bytes]) -> bytes:
    texts = {"name": sample.name.encode("utf-8", "surrogateescape"), "split": split.encode(), **data}
    height, width = sample.size
    columns = {column: getattr(sample.fixations, column) for column in COLUMNS}
    integers = {"height": [height], "width": [width], "observer": columns.pop("observer")}
    floats = {"sigma": [sample.sigma], **columns}
    features = {
        **{name: tf.train.Feature(bytes_list=tf.train.BytesList(value=[value])) for name, value in texts.items()},
        **{name: tf.train.Feature(int64_list=tf.train.Int64List(value=value)) for name, value in integers.items()},
        **{name: tf.train.Feature(float_list=tf.train.FloatList(value=value)) for name, value in floats.items()},
    }
    return tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString()


def _manifest(data, size, folder):
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {
        "format": FORMAT,
        "name": data.name,
        "facts": data.facts and dataclasses.asdict(data.facts),
        "skipped": data.skipped,
        "pixels_per_degree": data.pixels_per_degree,
        "images": {part: len(samples) for part, samples in data.splits.items()},
        "fixations": {part: sum(len(sample.fixations) for sample in samples) for part, samples in data.splits.items()},
        "pixels": size,
        "tensorflow": tf.__version__,
        "files": {
            path.relative_to(folder).as_posix(): {"bytes": path.stat().st_size, "sha256": digest_of(path)}
            for path in files
        },
    }
