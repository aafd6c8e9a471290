"""A cache of frozen-backbone features, so that an epoch of head training does not pay for the backbone again."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from keras_saliency.data.fixations import Samples
from keras_saliency.data.image_files import file_bytes
from keras_saliency.data.pipeline import images, naming_images
from keras_saliency.formulas.types import Features, Size, Tensor

FLOAT16_MAX = 65504.0


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
        done = self.directory / "complete.json"
        if not done.is_file() or done.read_text() != json.dumps(manifest):
            self.directory.mkdir(parents=True, exist_ok=True)
            stale = list(self.directory.iterdir())
            foreign = [path.name for path in stale if path.name != done.name and not path.match("tap*.npy")]
            if foreign:
                raise ValueError(f"{self.directory} holds {foreign[0]}, which is no part of a feature cache.")
            for path in stale:
                path.unlink()
            with naming_images(samples):
                self._fill(backbone, samples, size, shapes, batch, progress)
            done.write_text(json.dumps(manifest))
        self.arrays = [np.load(self._path(i), mmap_mode="r") for i in range(len(shapes))]

    def _path(self, i):
        return self.directory / f"tap{i}.npy"

    def _fill(self, backbone, samples, size, shapes, batch, progress):
        arrays = [
            np.lib.format.open_memmap(self._path(i), mode="w+", dtype="float16", shape=shape)
            for i, shape in enumerate(shapes)
        ]
        forward = tf.function(lambda pictures: backbone(pictures, training=False))
        if keras.backend.backend() != "tensorflow":
            forward = lambda pictures: backbone.predict_on_batch(pictures.numpy())  # noqa: E731
        start = 0
        for pictures in images(samples, size, batch):
            rows = slice(start, start + len(pictures))
            for mirrored in range(self.flips):
                features = forward(pictures[:, :, ::-1] if mirrored else pictures)
                for array, feature in zip(arrays, keras.tree.flatten(features), strict=True):
                    array[mirrored, rows] = np.clip(feature, -FLOAT16_MAX, FLOAT16_MAX)
            start = rows.stop
            progress(start)
        for array in arrays:
            array.flush()

    def gather(self, indices: Tensor, flipped: Tensor) -> tuple[Features, ...]:
        """The features of a batch, in a `tf.data` graph: a tuple of float32 maps.

        Args:
            indices: The numbers of the samples, `(batch,)`, integers.
            flipped: Whether each is mirrored, `(batch,)`.
        """

        def read(i, mirrored):
            return [array[mirrored.astype(int), i].astype("float32") for array in self.arrays]

        features = tf.numpy_function(read, [indices, flipped], [tf.float32] * len(self.arrays), stateful=False)
        return tuple(
            tf.ensure_shape(feature, (None, *array.shape[2:]))
            for feature, array in zip(features, self.arrays, strict=True)
        )


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
