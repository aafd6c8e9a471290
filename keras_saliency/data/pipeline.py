"""`tf.data` pipelines: images, or cached features, with packed targets."""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import tensorflow as tf

from keras_saliency.data import geometry, image_files, order, parts
from keras_saliency.data.augmentation import mover, recolour, require_known
from keras_saliency.data.moved_targets import MovedTargets
from keras_saliency.data.targets import rows_of, target_maker
from keras_saliency.data.windows import Places, places
from keras_saliency.formulas.types import Features, Size, Tensor
from keras_saliency.formulas.view import View


class Split(Protocol):
    """What a pipeline needs of `Samples`, whose file imports this one."""

    pixels_per_degree: float | None

    def __len__(self) -> int: ...

    def __getitem__(self, i: int, /) -> Any: ...

    def __iter__(self) -> Iterator[Any]: ...

    def in_windows(self, size: Any, /) -> "Split": ...


class Cache(Protocol):
    """What a pipeline needs of a `FeatureCache`."""

    def gather(self, indices: Tensor, flipped: Tensor) -> tuple[Features, ...]: ...


def pipeline(
    samples: Split,
    size: Size | View,
    batch: int = 8,
    *,
    target_size: Size | float | None = None,
    sigma: float | None = None,
    degrees: float | None = None,
    flip: bool = False,
    shuffle: bool = False,
    seed: int = 0,
    epoch: int | None = None,
    features: Cache | None = None,
    augment: Mapping[str, float] | None = None,
    numbered: bool = False,
) -> tf.data.Dataset:
    """Builds the pipeline from samples to batches `(image, target)`.

    Each image is decoded, brought to the size at which a network sees it, and flipped or not; its fixations follow as
    coordinates, are rasterised after the geometry, counts kept, and blurred. The target is packed: density (peak one),
    fixation counts, validity mask. Where a sample brings its own map, that is the density; where it has no fixations,
    their counts are NaN, so that what needs them is, too. Frames of videos are images as any others, those into which
    nobody looked are left away; `keras_saliency.data.clips` keeps several together.

    Args:
        samples: `Samples`, such as `data_set.train`.
        size: `(height, width)` of the images, which are letterboxed; or a `View`, such as `model.view`, by which each
            has the size that its shape asks for. Then all images of a batch are of one size, very long ones are seen in
            windows, each an image of its own, and those windows are left away into which nobody looked.
        batch: Samples in a batch; the last one, or the last one of each size, may be smaller.
        target_size: `(height, width)` of the targets, of the same shape; by default that of the images. Pass
            `model.output_shape[1:3]` for a model that gives maps of another size; with a view, how many times as large
            they are.
        sigma: The ground-truth blur in pixels of the original image; by default that of each sample.
        degrees: The blur in degrees of visual angle instead.
        flip: Whether each sample is mirrored with probability one half.
        shuffle: Whether the order is random.
        seed: Of order and flips; equal seeds give equal batches after the same `keras.utils.set_random_seed`.
        epoch: Fixes order and flips to those of this epoch, so that an interrupted training goes on as it would
            have; None draws new ones for each iteration.
        features: A `FeatureCache` to take the place of the images, made with the same samples and size.
        augment: How images change at random, from names of `keras_saliency.data.augmentation.KINDS` to how much:
            `{"crop": 0.2, "rotation": 5, "colour": 0.2}`. Fixations move with the image; those that leave it are not
            counted. Where all would leave, the image stays as it is.
        numbered: Whether images come with the numbers of their data sets in a mixture: `((images, numbers), targets)`,
            or `((*features, numbers), targets)`.

    Returns:
        A `tf.data.Dataset` of `(images, targets)`: `(batch, height, width, 3)` in [0, 255] and
        `(batch, target height, target width, 3)`, float32; with `features`, feature maps for the images.

    Raises:
        ValueError: If there are no samples, one has neither fixations nor a map, a blur is given in degrees and the
            visual angle is unknown, an augmentation is unknown or out of range, or it is asked for with features.
    """
    _require_samples(samples)
    for sample in samples:
        if sample.frame is None and not sample.is_usable:
            raise ValueError(
                f"{sample.name} has no fixations: its target would be empty, whatever its density. Leave it out, as a "
                "DataSet does."
            )
    samples = samples.in_windows(size)
    _require_samples(samples)
    if degrees is not None:
        if samples.pixels_per_degree is None or sigma is not None:
            raise ValueError(
                "degrees needs a data set whose pixels_per_degree is known, and no sigma beside it. "
                f"Received: degrees={degrees}, sigma={sigma}, pixels_per_degree={samples.pixels_per_degree}."
            )
        sigma = degrees * samples.pixels_per_degree
    augment = dict(augment or {})
    require_known(augment)
    if features and augment:
        raise ValueError("Cached features are of images as they are: augment needs the images themselves.")
    seen = places(samples, size)
    aim = seen if target_size is None else aim_of(samples, size, target_size)
    # One stream of seeds, of order and of flips, for each epoch, or a new one at each iteration.
    again = epoch is None
    states = np.random.SeedSequence([seed, epoch or 0]).generate_state(3) >> 1
    order_seed, flip_seed, move_seed = map(int, states)
    indices = order.shuffled(samples, order_seed, again) if shuffle else tf.data.Dataset.range(len(samples))
    flips = tf.data.Dataset.from_tensors(False).repeat()
    if flip:
        coins = tf.data.Dataset.random(seed=flip_seed, rerandomize_each_iteration=again)
        flips = coins.map(_in_graph(lambda coin: coin % 2 == 0))
    drawn = [indices, flips]
    if augment:
        drawn.append(tf.data.Dataset.random(seed=move_seed, rerandomize_each_iteration=again).batch(2))
        make = _moving_maker(samples, seen, aim, sigma, augment)
    elif features:
        make_target = target_maker(samples, aim, sigma)
        make = lambda i, flipped: ((i, flipped), make_target(i, flipped))  # noqa: E731
    else:
        make = pair_maker(samples, seen, aim, sigma)
    numbers = tf.constant([sample.data_set for sample in samples])

    def load(i, flipped, *seed):
        image, target = make(i, flipped, *seed)
        if flip and not features:
            image = tf.raw_ops.Reverse(tensor=image, dims=[False, flipped, False])
        return (image, numbers[i]) if numbered and not features else image, target

    def shuffle_batches(batches):
        return batches.shuffle(len(samples), seed=order_seed, reshuffle_each_iteration=again)

    rows = tf.data.Dataset.zip(*drawn)
    each_once = not shuffle or all(sample.weight == 1.0 for sample in samples)
    dataset = _loaded(rows, load, batch, seen.canvases, shuffle_batches if shuffle else None, each_once)
    if features:

        def gather(rows, target):
            own = (tf.gather(numbers, rows[0]),) if numbered else ()
            return (*features.gather(*rows), *own), target

        dataset = dataset.map(_in_graph(gather), num_parallel_calls=2)
    return ahead(dataset)


def images(samples: Split, size: Size | View, batch: int = 8) -> tf.data.Dataset:
    """The images of a pipeline in order, without targets: for samples whose fixations are not known, or not needed.

    Args:
        samples: `Samples`, of which each is seen in a single window; see `Samples.in_windows`.
        size: As in `pipeline`; those that a view shows are in the order of batches of one size.
        batch: Samples in a batch; the last one, or the last one of each size, may be smaller.

    Returns:
        A `tf.data.Dataset` of the numbers of samples, `(batch,)`, and images `(batch, height, width, 3)` in [0, 255],
        float32.

    Raises:
        ValueError: If there are no samples.
    """
    _require_samples(samples)
    seen = places(samples, size)
    make = _image_maker(samples, seen)
    numbers = tf.data.Dataset.zip((tf.data.Dataset.range(len(samples)),))
    return ahead(_loaded(numbers, lambda i: (i, make(i)), batch, seen.canvases))


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


# To translate the Python of a graph function takes longer than to make its graph, and here is no loop or branch.
_in_graph = tf.autograph.experimental.do_not_convert


def aim_of(samples: Split, size: Size | View, target_size: Any) -> Places:
    """Where targets lie that are of another size than what is seen."""
    if isinstance(size, View):
        return places(samples, size, target_size)
    return places(samples, tuple(target_size))


def _loaded(rows, load, batch, canvases, shuffle_batches=None, each_once=True):
    """Batches of what is loaded for rows; images of a batch are of one size."""
    options = {"num_parallel_calls": tf.data.AUTOTUNE, "deterministic": True}
    _, kinds = np.unique(canvases, axis=0, return_inverse=True)
    if not kinds.any():
        return rows.map(_in_graph(load), **options).batch(batch)
    sorted_rows = order.in_batches(rows, kinds.ravel(), batch, shuffle_batches)
    batches = order.batched(sorted_rows.map(_in_graph(lambda key, *row: (key, load(*row))), **options), batch)
    if not each_once:  # Of how many batches there are of a size, chance decides.
        return batches
    return batches.apply(tf.data.experimental.assert_cardinality(-(-np.bincount(kinds.ravel()) // batch).sum()))


def ahead(dataset: tf.data.Dataset) -> tf.data.Dataset:
    """Loads ahead, with no tuning: an iterator with it lives on, asleep, for up to as long as it has run."""
    options = tf.data.Options()
    options.autotune.enabled = False
    return dataset.prefetch(tf.data.AUTOTUNE).with_options(options)


def _require_samples(samples):
    if len(samples) == 0:
        raise ValueError("A pipeline needs at least one sample. Received: no samples.")


def pair_maker(samples: Split, seen: Places, aim: Places, sigma: float | None) -> Callable[[Tensor, Tensor], Any]:
    """A graph function from index, and whether the image will be mirrored, to image and target."""
    make_image, make_target = _image_maker(samples, seen), target_maker(samples, aim, sigma)
    return lambda i, flipped: (make_image(i), make_target(i, flipped))


def _moving_maker(samples, seen, aim, sigma, augment):
    """The same of images that are moved and recoloured, by a seed."""
    read, draw = _reader(samples), mover(augment)
    targets = MovedTargets(samples, aim, sigma)
    canvas_of, box_of = map(rows_of, seen)

    def make(i, flipped, seed):
        canvas, box = canvas_of(i), box_of(i)
        move = draw(seed, canvas, box, targets.leaves_any(i, draw(seed, canvas, box, True)))
        image = tf.cast(tf.image.resize(read(i), move.inner, antialias=True), tf.float32)
        image = move.image(recolour(image, seed, augment), geometry.PADDING)
        return image, targets.make(i, move, flipped)

    return make


def _image_maker(samples, seen):
    """A graph function from index to the image on its canvas."""
    canvas_of, box_of = map(rows_of, seen)
    stored = [sample.letterboxed for sample in samples]
    shapes = [(*canvas, 3) for canvas in seen.canvases.tolist()]
    if all(part is not None and part.shape == shape for part, shape in zip(stored, shapes, strict=True)):
        # A view may ask for the same as the frame did.
        same = geometry.box(np.array([sample.size for sample in samples], "int32"), seen.canvases) == seen.boxes
    else:
        same = False
    if np.all(same):
        pixels_of = parts.reader(stored, tf.float32)
        return lambda i: tf.reshape(pixels_of(i), (*canvas_of(i), 3))
    read = _reader(samples)
    return lambda i: geometry.letterbox(read(i), canvas_of(i), box_of(i))


def _bytes_reader(files):
    """A graph function from index to the bytes of an image file."""
    if all(isinstance(file, Path) for file in files):
        paths = tf.constant(list(map(str, files)))
        return lambda i: tf.io.read_file(paths[i])
    if all(isinstance(file, parts.Part) for file in files):
        return parts.reader(files, tf.string)
    contents = tf.constant([image_files.file_bytes(file) for file in files])
    return lambda i: contents[i]


def _reader(samples):
    """A graph function from index to the decoded image."""
    bytes_of = _bytes_reader([sample.image for sample in samples])
    size_of = rows_of(np.array([sample.whole_size for sample in samples], "int32"))
    orientation_of = rows_of([[sample.orientation] for sample in samples])
    cut = any(sample.window for sample in samples)
    part_of = rows_of([(*(sample.window or (0, 0))[:2], *sample.size) for sample in samples])

    def make(i):
        image = image_files.decode_known(bytes_of(i), *orientation_of(i))
        same = tf.reduce_all(tf.shape(image)[:2] == size_of(i))
        says = "an image has not the size of its sample"
        with tf.control_dependencies([tf.raw_ops.Assert(condition=same, data=[says])]):
            if not cut:
                return tf.identity(image)
            top, left, height, width = part_of(i)
            return image[top : top + height, left : left + width]

    return make
