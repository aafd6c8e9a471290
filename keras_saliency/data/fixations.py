"""The table of samples: images and who looked where."""

import collections
import collections.abc
import concurrent.futures
import dataclasses
import functools
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Self, overload

import numpy as np
import tensorflow as tf
from numpy.typing import ArrayLike

from keras_saliency.data import image_files
from keras_saliency.data.names import as_on_disk
from keras_saliency.data.pipeline import pipeline
from keras_saliency.data.splits import PARTS
from keras_saliency.formulas.types import Photograph, Plane, Size


@dataclasses.dataclass(frozen=True)
class Fixations:
    """The fixations of one image, a column each, in the order of observer and time.

    Attributes:
        x: Pixels from the left edge, continuous; pixel j covers [j, j + 1).
        y: Pixels from the top edge.
        observer: The number of the observer, from zero.
        time: Onset in seconds. Where a data set records only durations, the sum of the observer's earlier ones.
        left_out: How many `within` took away.

    Raises:
        ValueError: If the columns are not of one length.
    """

    x: np.ndarray
    y: np.ndarray
    observer: np.ndarray
    time: np.ndarray
    left_out: int = 0

    def __post_init__(self) -> None:
        shapes = {column: np.shape(getattr(self, column)) for column in ("x", "y", "observer", "time")}
        if set(shapes.values()) != {(len(self),)}:
            raise ValueError(f"The columns of fixations must be of one length. Received: {shapes}.")

    def __len__(self) -> int:
        return len(self.x)

    def __getitem__(self, rows: slice | np.ndarray) -> "Fixations":
        return Fixations(self.x[rows], self.y[rows], self.observer[rows], self.time[rows])

    @classmethod
    def from_rows(cls, rows: ArrayLike) -> Self:
        """Builds the table from rows `(x, y, observer, time)`."""
        table = np.asarray(rows, "float64").reshape(-1, 4)
        return cls(table[:, 0], table[:, 1], table[:, 2].astype("int64"), table[:, 3])

    def _inside(self, size):
        # NaN is nowhere inside.
        return (self.x >= 0) & (self.x < size[1]) & (self.y >= 0) & (self.y < size[0])

    def within(self, size: Size) -> "Fixations":
        """Those inside an image `(height, width)`; the others, and what is not finite, are counted in `left_out`."""
        inside = self._inside(size)
        if inside.all():
            return self
        return dataclasses.replace(self[inside], left_out=self.left_out + int(np.sum(~inside)))

    def pixels(self) -> tuple[np.ndarray, np.ndarray]:
        """The row and column of the pixel under each fixation."""
        return self.y.astype("int64"), self.x.astype("int64")

    def counts(self, size: Size) -> Plane:
        """The number of fixations in each pixel, `(height, width)`, float64.

        Raises:
            ValueError: If some are outside.
        """
        outside = np.sum(~self._inside(size))
        if outside:
            raise ValueError(f"{outside} of {len(self)} fixations are outside {tuple(size)}. Take `within(size)`.")
        rows, columns = self.pixels()
        return np.bincount(rows * size[1] + columns, minlength=size[0] * size[1]).reshape(size).astype("float64")


@dataclasses.dataclass(frozen=True)
class Sample:
    """One image with its fixations.

    Whoever makes one: fixations outside the image, or not finite, are left out, and counted in `fixations.left_out`.

    Attributes:
        name: What reports call it.
        image: The path of an image file, or its bytes; what can be read says `keras_saliency.data.image_files.decode`.
        size: `(height, width)` in pixels, of the upright image; None until `split` has read it from the image.
        fixations: Its fixations inside the image.
        sigma: The standard deviation of the ground-truth blur, in pixels of the image.
        density: The density `(height, width)` from which the fixations were drawn, where it is known.
    """

    name: str
    image: Path | bytes
    size: Size
    fixations: Fixations
    sigma: float
    density: Plane | None = None

    def __post_init__(self) -> None:
        if isinstance(self.image, str):
            object.__setattr__(self, "image", Path(self.image))
        if self.size is not None:
            object.__setattr__(self, "fixations", self.fixations.within(self.size))

    @functools.cached_property
    def orientation(self) -> int:
        """How its file stores the image, read once: the EXIF orientation, 1 to 8, where 1 is upright.

        Raises:
            ImageError: If it is not to be decoded.
        """
        return image_files.way_up(self.image, self.name)

    def read(self) -> Photograph:
        """The decoded image `(height, width, 3)`, uint8, upright.

        Raises:
            ImageError: If it cannot be decoded.
            ValueError: If it is of another size than the sample.
        """
        image, self.__dict__["orientation"] = image_files.read_with_orientation(self.image, self.name)
        if self.size is not None and tuple(self.size) != image.shape[:2]:
            raise ValueError(
                f"{self.name}: the image is {image.shape[:2]}, and its fixations were recorded on {tuple(self.size)}, "
                "both (height, width). Scale them to the image, and give its size."
            )
        return image


class Samples(collections.abc.Sequence[Sample]):
    """A split of a data set: a sequence of `Sample`, and the `tf.data` pipeline over it.

    Args:
        samples: The samples.
        pixels_per_degree: The pixels of one degree of visual angle, None where unknown.

    Raises:
        ValueError: If a sample has no size.
    """

    def __init__(self, samples: Iterable[Sample], pixels_per_degree: float | None = None) -> None:
        self.samples, self.pixels_per_degree = list(samples), pixels_per_degree
        for sample in self.samples:
            if sample.size is None:
                raise ValueError(f"The sample {sample.name} has no size. Give (height, width) of its image in pixels.")

    def __len__(self) -> int:
        return len(self.samples)

    @overload
    def __getitem__(self, i: int) -> Sample: ...

    @overload
    def __getitem__(self, i: slice) -> "Samples": ...

    def __getitem__(self, i: int | slice) -> "Sample | Samples":
        return Samples(self.samples[i], self.pixels_per_degree) if isinstance(i, slice) else self.samples[i]

    def relative_fixations(self) -> np.ndarray:
        """All fixations as rows `(y, x)` in shares of height and width, `(fixations, 2)`, image after image."""
        return np.concatenate([np.stack([s.fixations.y, s.fixations.x], 1) / s.size for s in self])

    def pipeline(self, size: Size, batch: int = 8, **options: Any) -> tf.data.Dataset:
        """The `tf.data` pipeline over this split; see `keras_saliency.data.pipeline.pipeline`."""
        return pipeline(self, size, batch, **options)


@dataclasses.dataclass(frozen=True)
class DataSet:
    """A data set with its fixed splits.

    Whoever makes one: images without fixations are left out of their split and listed in `skipped`, and so is how many
    fixations were outside their image.

    Attributes:
        name: Its name in the table of data sets.
        train: The training split.
        validation: The validation split.
        test: The test split.
        pixels_per_degree: The pixels of one degree of visual angle, None where unknown.
        skipped: One line for each thing that was left out, and why.

    Raises:
        ValueError: If a split is left without samples, or has two of one name.
    """

    name: str
    train: Samples
    validation: Samples
    test: Samples
    pixels_per_degree: float | None = None
    skipped: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        splits = {part: getattr(self, part) for part in PARTS}
        # A line that is there already came with what this data set was made of.
        found = dict.fromkeys([*self.skipped, *(line for samples in splits.values() for line in _problems(samples))])
        object.__setattr__(self, "skipped", tuple(found))
        for part, samples in splits.items():
            usable = [sample for sample in samples if len(sample.fixations)]
            if not usable:
                skipped = f"Skipped: {list(self.skipped[:3])}." if self.skipped else "Give it some."
                raise ValueError(f"{self.name}: no usable sample is left for the {part} split. {skipped}")
            name, count = collections.Counter(sample.name for sample in usable).most_common(1)[0]
            if count > 1:
                raise ValueError(
                    f"{self.name}: {count} images of the {part} split are called {name}. Give each a name of its own, "
                    "such as FOLDER/NAME."
                )
            if len(usable) < len(samples):
                object.__setattr__(self, part, Samples(usable, samples.pixels_per_degree))

    def noting(self, *lines: str) -> "DataSet":
        """The same with lines before those of `skipped`."""
        return dataclasses.replace(self, skipped=(*lines, *self.skipped))


def _problems(samples):
    """A line for each thing that is left out of a split."""
    for sample in samples:
        kept, left_out = len(sample.fixations), sample.fixations.left_out
        if left_out:
            yield f"{sample.name}: {left_out} of {kept + left_out} fixations are outside the image"
        if not kept:
            yield f"{sample.name}: the image has no fixations"


def _sized(sample, size):
    return dataclasses.replace(sample, size=size)


def split(
    name: str,
    samples: Sequence[Sample],
    assign: Callable[[int], str],
    pixels_per_degree: float | None = None,
    place: Callable[[Sample, Size], Sample] = _sized,
) -> DataSet:
    """Reads the images of samples once and sorts those that can be used into a `DataSet`.

    Args:
        name: The name of the data set.
        samples: The samples, with a size of None where it is to be read from the image.
        assign: A function from the position of a sample to `"train"`, `"validation"` or `"test"`.
        pixels_per_degree: As in `DataSet`.
        place: From a sample and the size of its image to the sample of that size, whose coordinates are pixels.

    Returns:
        The data set. Images that cannot be decoded or are of another size than their fixations were recorded on, are
        left out and listed in `skipped`, beside what `DataSet` leaves out.

    Raises:
        FileNotFoundError: If image files are missing.
        ValueError: As `DataSet`.
    """
    files = [sample.image for sample in samples if isinstance(sample.image, Path)]
    found = dict(zip(files, as_on_disk(files), strict=True))
    samples = [
        dataclasses.replace(sample, image=found[sample.image]) if isinstance(sample.image, Path) else sample
        for sample in samples
    ]
    missing = [file for file in found.values() if not file.is_file()]
    if missing:
        raise FileNotFoundError(
            f"{name}: {len(missing)} of {len(samples)} images are missing, the first is {missing[0]}. "
            "Give the folder that holds the complete data set."
        )
    chosen: dict[str, list[Sample]] = {part: [] for part in PARTS}
    skipped = []
    image_files.decode_in_graph.get_concrete_function()  # made here once, and not by every thread
    with concurrent.futures.ThreadPoolExecutor() as pool:
        for i, (sample, problem) in enumerate(pool.map(functools.partial(_with_size, place), samples)):
            if problem:
                skipped.append(problem)
            else:
                chosen[assign(i)].append(sample)
    splits = {part: Samples(usable, pixels_per_degree) for part, usable in chosen.items()}
    return DataSet(name, **splits, pixels_per_degree=pixels_per_degree, skipped=tuple(skipped))


def _with_size(place, sample):
    """The sample with the size of its image, and None, or what is wrong with it."""
    try:
        sized = place(sample, sample.read().shape[:2])
        sized.__dict__["orientation"] = sample.orientation  # known now, and to be kept
        return sized, None
    except (image_files.ImageError, ValueError) as error:
        return sample, str(error)
