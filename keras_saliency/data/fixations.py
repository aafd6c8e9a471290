"""The table of samples: images and who looked where."""

import collections.abc
import concurrent.futures
import dataclasses
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Self, overload

import numpy as np
import tensorflow as tf
from numpy.typing import ArrayLike

from keras_saliency.data import geometry
from keras_saliency.data.pipeline import pipeline
from keras_saliency.formulas.types import Photograph, Plane, Size


@dataclasses.dataclass(frozen=True)
class Fixations:
    """The fixations of one image, a column each, in the order of observer and time.

    Attributes:
        x: Pixels from the left edge, continuous; pixel j covers [j, j + 1).
        y: Pixels from the top edge.
        observer: The number of the observer, from zero.
        time: Onset in seconds. Where a data set records only durations, the sum of the observer's earlier ones.
    """

    x: np.ndarray
    y: np.ndarray
    observer: np.ndarray
    time: np.ndarray

    def __len__(self) -> int:
        return len(self.x)

    def __getitem__(self, rows: slice | np.ndarray) -> "Fixations":
        return Fixations(self.x[rows], self.y[rows], self.observer[rows], self.time[rows])

    @classmethod
    def from_rows(cls, rows: ArrayLike) -> Self:
        """Builds the table from rows `(x, y, observer, time)`."""
        table = np.asarray(rows, "float64").reshape(-1, 4)
        return cls(table[:, 0], table[:, 1], table[:, 2].astype("int64"), table[:, 3])

    def pixels(self) -> tuple[np.ndarray, np.ndarray]:
        """The row and column of the pixel under each fixation."""
        return self.y.astype("int64"), self.x.astype("int64")

    def counts(self, size: Size) -> Plane:
        """The number of fixations in each pixel, `(height, width)`, float64; all must be inside."""
        rows, columns = self.pixels()
        return np.bincount(rows * size[1] + columns, minlength=size[0] * size[1]).reshape(size).astype("float64")


@dataclasses.dataclass(frozen=True)
class Sample:
    """One image with its fixations.

    Attributes:
        name: What reports call it.
        image: The path of a JPEG or PNG file, or its bytes.
        size: `(height, width)` in pixels.
        fixations: Its fixations.
        sigma: The standard deviation of the ground-truth blur, in pixels of the image.
        density: The density `(height, width)` from which the fixations were drawn, where it is known.
    """

    name: str
    image: Path | bytes
    size: Size
    fixations: Fixations
    sigma: float
    density: Plane | None = None

    def read(self) -> Photograph:
        """The decoded image `(height, width, 3)`, uint8."""
        data = self.image if isinstance(self.image, bytes) else self.image.read_bytes()
        return geometry.decode(data).numpy()


class Samples(collections.abc.Sequence[Sample]):
    """A split of a data set: a sequence of `Sample`, and the `tf.data` pipeline over it.

    Args:
        samples: The samples.
        pixels_per_degree: The pixels of one degree of visual angle, None where unknown.
    """

    def __init__(self, samples: Iterable[Sample], pixels_per_degree: float | None = None) -> None:
        self.samples, self.pixels_per_degree = list(samples), pixels_per_degree

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

    Attributes:
        name: Its name in the table of data sets.
        train: The training split.
        validation: The validation split.
        test: The test split.
        pixels_per_degree: The pixels of one degree of visual angle, None where unknown.
        skipped: One line for each thing that was left out, and why.
    """

    name: str
    train: Samples
    validation: Samples
    test: Samples
    pixels_per_degree: float | None = None
    skipped: tuple[str, ...] = ()


def split(
    name: str, samples: Sequence[Sample], assign: Callable[[int], str], pixels_per_degree: float | None = None
) -> DataSet:
    """Checks samples and sorts them into a `DataSet`.

    Args:
        name: The name of the data set.
        samples: The samples, with a size of None where it is to be read from the image.
        assign: A function from the position of a sample to `"train"`, `"validation"` or `"test"`.
        pixels_per_degree: As in `DataSet`.

    Returns:
        The data set. Images that cannot be decoded or have no fixations, and fixations that are outside the image
        or not finite, are left out and listed in `skipped`.

    Raises:
        FileNotFoundError: If image files are missing.
        ValueError: If a split is left without samples.
    """
    missing = [s.image for s in samples if isinstance(s.image, Path) and not s.image.is_file()]
    if missing:
        raise FileNotFoundError(
            f"{name}: {len(missing)} of {len(samples)} images are missing, the first is {missing[0]}. "
            "Give the folder that holds the complete data set."
        )
    splits: dict[str, Any]
    skipped, splits = [], {"train": [], "validation": [], "test": []}
    with concurrent.futures.ThreadPoolExecutor() as pool:
        checked = list(pool.map(_check, samples))
    for i, (sample, problems) in enumerate(checked):
        skipped += problems
        if sample is not None:
            splits[assign(i)].append(sample)
    for part, chosen in splits.items():
        if not chosen:
            raise ValueError(f"{name}: no usable sample is left for the {part} split. Skipped: {skipped[:3]}.")
    splits = {part: Samples(chosen, pixels_per_degree) for part, chosen in splits.items()}
    return DataSet(name, pixels_per_degree=pixels_per_degree, skipped=tuple(skipped), **splits)


def _check(sample):
    """The sample as far as it can be used, or None, and what is wrong with it."""
    try:
        size = sample.read().shape[:2]
    except tf.errors.InvalidArgumentError as error:
        return None, [f"{sample.name}: the image cannot be decoded ({error.message.splitlines()[0][:120]})"]
    if sample.size is not None and tuple(sample.size) != size:
        return None, [f"{sample.name}: the image is {size}, and its fixations were recorded on {tuple(sample.size)}"]
    fixations, problems = sample.fixations, []
    height, width = size
    inside = (fixations.x >= 0) & (fixations.x < width) & (fixations.y >= 0) & (fixations.y < height)
    if not inside.all():
        problems.append(f"{sample.name}: {np.sum(~inside)} of {len(inside)} fixations are outside the image")
        fixations = fixations[inside]
    if len(fixations) == 0:
        return None, [*problems, f"{sample.name}: the image has no fixations"]
    return dataclasses.replace(sample, size=size, fixations=fixations), problems
