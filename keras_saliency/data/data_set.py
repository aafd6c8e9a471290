"""A data set: its splits, what was left out of them, and what makes one of samples."""

import collections
import dataclasses
import functools
from collections.abc import Callable, Sequence
from pathlib import Path

from keras_saliency.data import image_files
from keras_saliency.data.facts import Facts
from keras_saliency.data.names import as_on_disk
from keras_saliency.data.refusals import MissingImagesError, UnusableError
from keras_saliency.data.samples import Sample, Samples
from keras_saliency.data.splits import PARTS
from keras_saliency.formulas.types import Size


@dataclasses.dataclass(frozen=True)
class DataSet:
    """A data set with its fixed splits.

    Whoever makes one: images without fixations and map are left out of their split and listed in `skipped`, and so is
    how many fixations were outside their image. Frames stay in their videos without any, too.

    Attributes:
        name: Its name in the table of data sets.
        train: The training split.
        validation: The validation split.
        test: The test split.
        pixels_per_degree: The pixels of one degree of visual angle, None where unknown.
        skipped: One line for each thing that was left out, and why.
        facts: What is known of it, where it is published.

    Raises:
        UnusableError: If a split is left without samples.
        ValueError: If a split has two samples of one name.
    """

    name: str
    train: Samples
    validation: Samples
    test: Samples
    pixels_per_degree: float | None = None
    skipped: tuple[str, ...] = ()
    facts: Facts | None = None

    def __post_init__(self) -> None:
        splits = self.splits
        # A line that is there already came with what this data set was made of.
        found = dict.fromkeys([*self.skipped, *(line for samples in splits.values() for line in _problems(samples))])
        object.__setattr__(self, "skipped", tuple(found))
        for part, samples in splits.items():
            if not len(samples.usable):
                skipped = f"Skipped: {list(self.skipped[:3])}." if self.skipped else "Give it some."
                said = f"{self.name}: no usable sample is left for the {part} split. {skipped}"
                raise UnusableError(said, splits)
            usable = [sample for sample in samples if sample.is_usable or sample.frame is not None]
            name, count = collections.Counter(sample.name for sample in usable).most_common(1)[0]
            if count > 1:
                raise ValueError(
                    f"{self.name}: {count} images of the {part} split are called {name}. Give each a name of its own, "
                    "such as FOLDER/NAME."
                )
            if len(usable) < len(samples):
                object.__setattr__(self, part, Samples(usable, samples.pixels_per_degree))

    @property
    def splits(self) -> dict[str, Samples]:
        """The three splits by their names."""
        return {part: getattr(self, part) for part in PARTS}

    @property
    def samples(self) -> Samples:
        """All samples, those of training first."""
        return Samples([sample for split in self.splits.values() for sample in split], self.pixels_per_degree)

    @property
    def videos(self) -> bool:
        """Whether there are frames of videos among its samples."""
        return any(samples.are_frames for samples in self.splits.values())

    def noting(self, *lines: str) -> "DataSet":
        """The same with lines before those of `skipped`."""
        return dataclasses.replace(self, skipped=(*lines, *self.skipped))


def _problems(samples):
    """A line for each thing that is left out of a split."""
    for sample in samples:
        kept, left_out = len(sample.fixations), sample.fixations.left_out
        if left_out:
            yield f"{sample.name}: {left_out} of {kept + left_out} fixations are outside the image"
        if sample.frame is None and not sample.is_usable:
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
        said = f"{name}: {len(missing)} of {len(samples)} images are missing, the first is {missing[0]}. "
        remedy = "Give the folder that holds the complete data set."
        raise MissingImagesError(said + remedy, list(map(str, missing)), len(samples))
    chosen: dict[str, list[Sample]] = {part: [] for part in PARTS}
    skipped = []
    looked_at = image_files.in_threads(functools.partial(_with_size, place), samples)
    for i, (sample, problem) in enumerate(looked_at):
        if problem:
            skipped.append(problem)
        else:
            chosen[assign(i)].append(sample)
    train, validation, test = (Samples(chosen[part], pixels_per_degree) for part in PARTS)
    return DataSet(name, train, validation, test, pixels_per_degree, tuple(skipped))


def _with_size(place, sample):
    """The sample with the size of its image, and None, or what is wrong with it."""
    try:
        sized = place(sample, sample.read().shape[:2])
        sized.__dict__["orientation"] = sample.orientation  # known now, and to be kept
        return sized, None
    except (image_files.ImageError, ValueError) as error:
        return sample, str(error)
