"""A cache of frozen-backbone features, so that an epoch of head training does not pay for the backbone again."""

import contextlib
import errno
import hashlib
import json
import math
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from keras_saliency.data.image_files import file_bytes
from keras_saliency.data.pipeline import images, naming_images
from keras_saliency.data.samples import Samples
from keras_saliency.formulas.types import Features, Size, Tensor
from keras_saliency.writing.files import delete_own, whole, write_whole

FLOAT16_MAX = 65504.0
DONE = "complete.json"
OWN = re.compile(rf"(\.part\.)?(tap\d+\.npy|{re.escape(DONE)})")


class FeatureCache:
    """The features of every sample of a split, and of its mirror image if flips are wanted, as float16 files.

    A complete cache is used again if samples, backbone and size are the same; another is replaced.

    Args:
        directory: Where the files lie, a folder of their own.
        backbone: A model from images to a list of feature maps.
        samples: The split.
        size: Of the images.
        flip: Whether the mirror images are needed, too.
        batch: Images that go through the backbone at once.
        progress: Called with the number of images done after each batch.

    Raises:
        ValueError: If the folder holds other files; nothing in it is touched.
    """

    def __init__(
        self,
        directory: str | Path,
        backbone: keras.Model,
        samples: Samples,
        size: Size,
        flip: bool = False,
        batch: int = 16,
        progress: Callable[[int], None] = lambda done: None,
    ) -> None:
        self.directory = Path(directory)
        self.flips = 2 if flip else 1
        shapes = [(self.flips, len(samples), *tap.shape[1:]) for tap in backbone.outputs]
        manifest = {"fingerprint": _fingerprint(backbone, samples, size), "shapes": [list(shape) for shape in shapes]}
        done = self.directory / DONE
        if not done.is_file() or done.read_bytes() != json.dumps(manifest).encode():
            foreign = [path.name for path in self.directory.glob("*") if not OWN.fullmatch(path.name)]
            if foreign:
                raise ValueError(f"{self.directory} holds {foreign[0]}, which is no part of a feature cache.")
            delete_own(self.directory, OWN)
            self.directory.mkdir(parents=True, exist_ok=True)
            _require_room(self.directory, sum(2 * math.prod(shape) for shape in shapes))
            with naming_images(samples):
                self._fill(backbone, samples, size, shapes, batch, progress)
            write_whole(done, json.dumps(manifest))
        self.shapes = [shape[2:] for shape in shapes]

    def _path(self, i):
        return self.directory / f"tap{i}.npy"

    def _fill(self, backbone, samples, size, shapes, batch, progress):
        forward = tf.function(lambda pictures: backbone(pictures, training=False))
        if keras.backend.backend() != "tensorflow":
            forward = lambda pictures: backbone.predict_on_batch(pictures.numpy())  # noqa: E731
        start = 0
        with contextlib.ExitStack() as stack:
            taps = [
                _Rows(stack.enter_context(stack.enter_context(whole(self._path(i))).open("wb")), shape)
                for i, shape in enumerate(shapes)
            ]
            for pictures in images(samples, size, batch):
                for mirrored in range(self.flips):
                    features = forward(pictures[:, :, ::-1] if mirrored else pictures)
                    for tap, feature in zip(taps, keras.tree.flatten(features), strict=True):
                        tap.write(mirrored, start, np.clip(feature, -FLOAT16_MAX, FLOAT16_MAX))
                start += len(pictures)
                progress(start)
            for tap in taps:  # before the first is moved to its place
                tap.file.flush()

    def gather(self, indices: Tensor, flipped: Tensor) -> tuple[Features, ...]:
        """The features of a batch, in a `tf.data` graph: a tuple of float32 maps.

        Args:
            indices: The numbers of the samples, `(batch,)`, integers.
            flipped: Whether each is mirrored, `(batch,)`.
        """

        files = [self._path(i).absolute() for i in range(len(self.shapes))]

        # TensorFlow keeps this function for good. What it mapped for longer than a batch would stay in memory, and on
        # the disk after it is deleted, once for each stage of a recipe.
        def read(i, mirrored):
            return [np.load(file, mmap_mode="r")[mirrored.astype(int), i].astype("float32") for file in files]

        features = tf.numpy_function(read, [indices, flipped], [tf.float32] * len(files), stateful=False)
        return tuple(map(lambda maps, shape: tf.ensure_shape(maps, (None, *shape)), features, self.shapes))


class _Rows:
    """A float16 array in a new file, `(flips, samples, ...)`, that is written by blocks of samples.

    Into a memory map one would write faster, but where the disk is full that ends the process.
    """

    def __init__(self, file, shape):
        self.file, self.shape = file, shape
        np.lib.format.write_array_header_1_0(file, {"descr": "<f2", "fortran_order": False, "shape": shape})
        self.start = file.tell()

    def write(self, mirrored, sample, values):
        row = 2 * math.prod(self.shape[2:])
        self.file.seek(self.start + (mirrored * self.shape[1] + sample) * row)
        self.file.write(np.ascontiguousarray(values, "<f2"))


def clear_features(directory: str | Path) -> None:
    """Deletes the caches `train` and `validation` of a run in a folder; other files and what holds them stay."""
    delete_own(Path(directory), re.compile(rf"(train|validation)(/{OWN.pattern})?"))


def _require_room(folder, needed):
    """Finds out that a disk is too small before hours of work."""
    disk = shutil.disk_usage(folder)
    if disk.free < needed and disk.total:  # Some file systems do not know.
        said = (
            f"The features need {needed / 1e6:,.0f} MB, and {disk.free / 1e6:,.0f} MB are free. Make room and try again"
        )
        raise OSError(errno.ENOSPC, said, str(folder))


def _fingerprint(backbone, samples, size):
    """A digest of everything that the features depend on."""
    digest = hashlib.sha256(repr(tuple(size)).encode())
    # What the backbone makes of noise stands for its layers and weights; names differ from run to run.
    noise = np.random.default_rng(0).uniform(0, 255, (1, *size, 3)).astype("float32")
    for feature in keras.tree.flatten(backbone(noise, training=False)):
        digest.update(np.ascontiguousarray(feature))
    for sample in samples:
        digest.update(file_bytes(sample.image))
    return digest.hexdigest()
