"""A cache of frozen-backbone features, so that an epoch of head training does not pay for the backbone again."""

import contextlib
import copy
import errno
import hashlib
import json
import math
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_saliency.data.image_files import file_bytes
from keras_saliency.data.pipeline import images, naming_images
from keras_saliency.data.samples import Samples
from keras_saliency.data.windows import places
from keras_saliency.formulas.types import Features, Size, Tensor
from keras_saliency.formulas.view import View
from keras_saliency.writing.files import delete_own, whole, write_whole

FLOAT16_MAX = 65504.0
DONE = "complete.json"
OWN = re.compile(rf"(\.part\.)?(tap\d+(-\d+)?\.npy|{re.escape(DONE)})")


class FeatureCache:
    """The features of every sample of a split, and of its mirror image if flips are wanted, as float16 files.

    A complete cache is used again if samples, backbone and size are the same; another is replaced.

    Args:
        directory: Where the files lie, a folder of their own.
        backbone: A model from images to a list of feature maps.
        samples: The split.
        size: Of the images, or the view by which they are seen: there are files for each size that it gives them.
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
        size: Size | View,
        flip: bool = False,
        batch: int = 16,
        progress: Callable[[int], None] = lambda done: None,
    ) -> None:
        self.directory = Path(directory)
        self.flips = 2 if flip else 1
        samples = samples.in_windows(size)
        # Of one picture in several data sets there is one row.
        known: dict[Any, int] = {}
        same = np.array(
            [known.setdefault((sample.image, sample.window, sample.size), len(known)) for sample in samples]
        )
        samples = Samples([samples[i] for i in np.unique(same, return_index=True)[1]], samples.pixels_per_degree)
        canvases = places(samples, size).canvases
        sizes, kinds = np.unique(canvases, axis=0, return_inverse=True)
        # Where the features of a sample are: those of which size, and the row there.
        self.kinds, self.rows = kinds.ravel(), np.empty(len(samples), int)
        for kind in range(len(sizes)):
            self.rows[self.kinds == kind] = np.arange(np.sum(self.kinds == kind))
        self.taps = [_taps(backbone, *map(int, each)) for each in sizes]
        counts = np.bincount(self.kinds).tolist()
        shapes = [[(self.flips, count, *tap) for tap in taps] for count, taps in zip(counts, self.taps, strict=True)]
        manifest = json.dumps({"fingerprint": _fingerprint(backbone, samples, canvases), "shapes": shapes})
        done = self.directory / DONE
        if not done.is_file() or done.read_bytes() != manifest.encode():
            foreign = [path.name for path in self.directory.glob("*") if not OWN.fullmatch(path.name)]
            if foreign:
                raise ValueError(f"{self.directory} holds {foreign[0]}, which is no part of a feature cache.")
            delete_own(self.directory, OWN)
            self.directory.mkdir(parents=True, exist_ok=True)
            _require_room(self.directory, sum(2 * math.prod(shape) for taps in shapes for shape in taps))
            with naming_images(samples):
                self._fill(backbone, samples, size, shapes, batch, progress)
            write_whole(done, manifest)
        self.kinds, self.rows = self.kinds[same], self.rows[same]

    def only(self, chosen: np.ndarray) -> "FeatureCache":
        """The cache of some of the samples, by the same files: `chosen` are their numbers, or True for each of them."""
        part = copy.copy(self)
        part.kinds, part.rows = self.kinds[chosen], self.rows[chosen]
        return part

    def _path(self, kind, tap):
        return self.directory / f"tap{tap}-{kind}.npy"

    def _fill(self, backbone, samples, size, shapes, batch, progress):
        forward = tf.function(lambda pictures: backbone(pictures, training=False), reduce_retracing=True)
        if keras.backend.backend() != "tensorflow":
            forward = lambda pictures: backbone.predict_on_batch(pictures.numpy())  # noqa: E731
        seen = 0
        with contextlib.ExitStack() as stack:
            files = [
                [_Rows(stack.enter_context(whole(self._path(kind, tap))), shape) for tap, shape in enumerate(taps)]
                for kind, taps in enumerate(shapes)
            ]
            for numbers, pictures in images(samples, size, batch):
                first = int(numbers[0])
                for mirrored in range(self.flips):
                    features = forward(pictures[:, :, ::-1] if mirrored else pictures)
                    for tap, feature in zip(files[self.kinds[first]], keras.tree.flatten(features), strict=True):
                        # Those of one size come in the order of the samples.
                        tap.write(mirrored, self.rows[first], np.clip(feature, -FLOAT16_MAX, FLOAT16_MAX))
                seen += len(pictures)
                progress(seen)

    def gather(self, indices: Tensor, flipped: Tensor) -> tuple[Features, ...]:
        """The features of a batch, in a `tf.data` graph: a tuple of float32 maps.

        Args:
            indices: The numbers of the samples, `(batch,)`, integers, all seen at one size.
            flipped: Whether each is mirrored, `(batch,)`.
        """
        files = [[self._path(kind, tap).absolute() for tap in range(len(taps))] for kind, taps in enumerate(self.taps)]

        kinds, row_of = self.kinds, self.rows

        # TensorFlow keeps this function for good, and must not keep the cache with it. What it mapped for longer than a
        # batch would stay in memory, and on the disk after it is deleted, once for each stage of a recipe.
        def read(i, mirrored):
            rows = mirrored.astype(int), row_of[i]
            return [np.load(file, mmap_mode="r")[rows].astype("float32") for file in files[kinds[i[0]]]]

        features = tf.numpy_function(read, [indices, flipped], [tf.float32] * len(files[0]), stateful=False)
        shapes = zip(*self.taps, strict=True)
        known = [[sides[0] if len({*sides}) == 1 else None for sides in zip(*taps, strict=True)] for taps in shapes]
        return tuple(map(lambda maps, shape: tf.ensure_shape(maps, (None, *shape)), features, known))


def _taps(backbone, height, width):
    """The shapes of features of one image, `(height, width, channels)` each."""
    shapes = backbone.compute_output_shape((None, height, width, 3))
    return [shape[1:] for shape in (shapes if isinstance(shapes, list) else [shapes])]


class _Rows:
    """A float16 array in a new file, `(flips, samples, ...)`, that is written by blocks of samples.

    Into a memory map one would write faster, but where the disk is full that ends the process. The file is closed after
    each block: there may be more sizes of images than files that can be open at once.
    """

    def __init__(self, part, shape):
        self.part, self.shape = part, shape
        with part.open("wb") as file:
            np.lib.format.write_array_header_1_0(file, {"descr": "<f2", "fortran_order": False, "shape": shape})
            self.start = file.tell()

    def write(self, mirrored, sample, values):
        row = 2 * math.prod(self.shape[2:])
        with self.part.open("r+b") as file:
            file.seek(self.start + (mirrored * self.shape[1] + sample) * row)
            file.write(np.ascontiguousarray(values, "<f2"))


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


def fingerprint_of(backbone: keras.Model, height: int, width: int) -> bytes:
    """A digest of the weights of a backbone, and of what it makes of noise, which stands for its layers: to three
    digits, as processors and numbers of threads differ in the last ones. Names differ from run to run.
    """
    noise = np.random.default_rng(0).uniform(0, 255, (1, height, width, 3)).astype("float32")
    features = map(keras.ops.convert_to_numpy, keras.tree.flatten(backbone(noise, training=False)))
    made = [(feature.shape, f"{np.abs(feature.astype(float)).mean():.3g}") for feature in features]
    digest = hashlib.sha256(repr(made).encode())
    for weight in backbone.get_weights():
        digest.update(np.ascontiguousarray(weight).tobytes())
    return digest.digest()


def _fingerprint(backbone, samples, canvases):
    """A digest of everything that the features depend on."""
    windows = [sample.window and (*sample.window, *sample.size) for sample in samples]
    digest = hashlib.sha256(repr((canvases.tolist(), windows)).encode())
    digest.update(fingerprint_of(backbone, *canvases[0]))
    for sample in samples:
        digest.update(file_bytes(sample.image))
    return digest.hexdigest()
