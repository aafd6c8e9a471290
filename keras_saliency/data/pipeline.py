"""`tf.data` pipelines: images, or cached features, with packed targets."""

import contextlib
from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np
import tensorflow as tf

from keras_saliency.data import geometry, image_files
from keras_saliency.formulas.types import Features, Size, Tensor


class Split(Protocol):
    """What a pipeline needs of `Samples`, whose file imports this one."""

    pixels_per_degree: float | None

    def __len__(self) -> int: ...

    def __getitem__(self, i: int, /) -> Any: ...

    def __iter__(self) -> Iterator[Any]: ...


class Cache(Protocol):
    """What a pipeline needs of a `FeatureCache`."""

    def gather(self, indices: Tensor, flipped: Tensor) -> tuple[Features, ...]: ...


def pipeline(
    samples: Split,
    size: Size,
    batch: int = 8,
    *,
    target_size: Size | None = None,
    sigma: float | None = None,
    degrees: float | None = None,
    flip: bool = False,
    shuffle: bool = False,
    seed: int = 0,
    epoch: int | None = None,
    features: Cache | None = None,
) -> tf.data.Dataset:
    """Builds the pipeline from samples to batches `(image, target)`.

    Each image is decoded, letterboxed to `size`, and flipped or not; its fixations follow as coordinates, are
    rasterised after the geometry, counts kept, and blurred. The target is packed: density (peak one), fixation
    counts, validity mask.

    Args:
        samples: `Samples`, such as `data_set.train`.
        size: `(height, width)` of the images.
        batch: Samples in a batch; the last one may be smaller.
        target_size: `(height, width)` of the targets, of the same shape; by default that of the images. Pass
            `model.output_shape[1:3]` for a model that gives maps of another size.
        sigma: The ground-truth blur in pixels of the original image; by default that of each sample.
        degrees: The blur in degrees of visual angle instead.
        flip: Whether each sample is mirrored with probability one half.
        shuffle: Whether the order is random.
        seed: Of order and flips; equal seeds give equal batches after the same `keras.utils.set_random_seed`.
        epoch: Fixes order and flips to those of this epoch, so that an interrupted training goes on as it would
            have; None draws new ones for each iteration.
        features: A `FeatureCache` to take the place of the images, made with the same samples and size.

    Returns:
        A `tf.data.Dataset` of `(images, targets)`: `(batch, height, width, 3)` in [0, 255] and
        `(batch, target height, target width, 3)`, float32; with `features`, feature maps for the images.

    Raises:
        ValueError: If there are no samples, one has no fixations, or a blur is given in degrees and the visual angle is
            unknown.
    """
    _require_samples(samples)
    for sample in samples:
        if len(sample.fixations) == 0:
            raise ValueError(
                f"{sample.name} has no fixations: its target would be empty, whatever its density. Leave it out, as a "
                "DataSet does."
            )
    if degrees is not None:
        if samples.pixels_per_degree is None or sigma is not None:
            raise ValueError(
                "degrees needs a data set whose pixels_per_degree is known, and no sigma beside it. "
                f"Received: degrees={degrees}, sigma={sigma}, pixels_per_degree={samples.pixels_per_degree}."
            )
        sigma = degrees * samples.pixels_per_degree
    size, target_size = tuple(size), tuple(target_size or size)  # type: ignore[assignment]
    # One stream of seeds, of order and of flips, for each epoch, or a new one at each iteration.
    again = epoch is None
    order_seed, flip_seed = (int(s) for s in np.random.SeedSequence([seed, epoch or 0]).generate_state(2) >> 1)
    indices = tf.data.Dataset.range(len(samples))
    if shuffle:
        indices = indices.shuffle(len(samples), seed=order_seed, reshuffle_each_iteration=again)
    coins = tf.data.Dataset.random(seed=flip_seed, rerandomize_each_iteration=again)
    flips = coins.map(lambda coin: coin % 2 == 0 if flip else False)
    make_target = _target_maker(samples, target_size, sigma)
    make_image = _image_maker(samples, size)

    def load(i, flipped):
        if features:
            return (i, flipped), make_target(i, flipped)
        image = make_image(i)
        return tf.cond(flipped, lambda: image[:, ::-1], lambda: image), make_target(i, flipped)

    dataset = tf.data.Dataset.zip(indices, flips)
    dataset = dataset.map(load, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True).batch(batch)
    if features:
        dataset = dataset.map(lambda rows, target: (features.gather(*rows), target), num_parallel_calls=2)
    return dataset.prefetch(tf.data.AUTOTUNE)


def images(samples: Split, size: Size, batch: int = 8) -> tf.data.Dataset:
    """The images of a pipeline in order, without targets: for samples whose fixations are not known, or not needed.

    Args:
        samples: `Samples`.
        size: `(height, width)` of the images.
        batch: Samples in a batch; the last one may be smaller.

    Returns:
        A `tf.data.Dataset` of images `(batch, height, width, 3)` in [0, 255], float32.

    Raises:
        ValueError: If there are no samples.
    """
    _require_samples(samples)
    make = _image_maker(samples, size)
    dataset = tf.data.Dataset.range(len(samples))
    dataset = dataset.map(make, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
    return dataset.batch(batch).prefetch(tf.data.AUTOTUNE)


@contextlib.contextmanager
def naming_images(*splits: Split) -> Iterator[None]:
    """A context in which the error about an image that cannot be decoded names it, which a graph cannot.

    Args:
        *splits: The samples whose pipelines are iterated over inside.
    """
    try:
        yield
    except tf.errors.InvalidArgumentError:
        for samples in splits:
            for sample in samples:
                sample.read()
        raise


def _require_samples(samples):
    if len(samples) == 0:
        raise ValueError("A pipeline needs at least one sample. Received: no samples.")


def _image_maker(samples, size):
    """A graph function from index to the letterboxed image."""
    files = [sample.image for sample in samples]
    in_memory = any(isinstance(file, bytes) for file in files)
    if in_memory:
        files = [image_files.file_bytes(file) for file in files]
    sources = tf.constant(files if in_memory else list(map(str, files)))
    image_sizes = tf.constant([sample.size for sample in samples], tf.int32)

    def make(i):
        image = image_files.decode(sources[i] if in_memory else tf.io.read_file(sources[i]))
        same = tf.debugging.assert_equal(tf.shape(image)[:2], image_sizes[i], "an image has not the size of its sample")
        with tf.control_dependencies([same]):
            return geometry.letterbox(image, size)

    return make


def _target_maker(samples, size, sigma):
    """A graph function from index and flip to the packed target."""
    columns = [np.concatenate([getattr(s.fixations, axis) for s in samples]).astype("float32") for axis in "xy"]
    starts = tf.constant(np.cumsum([0, *(len(s.fixations) for s in samples)]))
    x_all, y_all = map(tf.constant, columns)
    image_sizes = tf.constant([sample.size for sample in samples], tf.float32)
    sigmas = tf.constant([sample.sigma if sigma is None else sigma for sample in samples], tf.float32)

    def make(i, flipped):
        rows = slice(starts[i], starts[i + 1])
        x, y = x_all[rows], y_all[rows]
        x = tf.where(flipped, image_sizes[i, 1] - x, x)
        top, left, *inner = tf.unstack(geometry.box(image_sizes[i], size))
        inner_size = tf.stack(inner)
        scale = tf.cast(inner_size, tf.float32) / image_sizes[i]
        blur = sigmas[i] * tf.sqrt(scale[0] * scale[1])
        counts, density = geometry.fixation_maps(x * scale[1], y * scale[0], inner_size, blur)
        peaked = tf.math.divide_no_nan(density, tf.reduce_max(density))
        target = tf.concat([peaked, counts, tf.ones_like(counts)], -1)
        left = tf.where(flipped, size[1] - left - inner[1], left)
        return tf.ensure_shape(geometry.place(target, top, left, size), (*size, 3))

    return make
