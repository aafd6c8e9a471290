"""What readers of published data sets share: from recordings to a data set, and official splits without tests."""

import concurrent.futures
import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from keras_saliency.data.data_set import DataSet
from keras_saliency.data.fixations import Fixations
from keras_saliency.data.placing import Geometry
from keras_saliency.data.recordings import make_data
from keras_saliency.data.samples import Sample, Samples
from keras_saliency.data.splits import HALVES, by_hash

# Of one observer on one image: their names, and a row for each fixation.
Recording = tuple[str, str | int | None, np.ndarray]
WITHHELD = "the fixations of the official test split are withheld: the official validation images are for tests, too"
ONLY = "there are fixations of the official {part} images alone: they are for all splits, by the hash of their names"


def make_published(
    name: str,
    recordings: Iterable[Recording],
    where: str,
    images: Path,
    geometry: Geometry,
    columns: Sequence[str] = ("x", "y"),
    official: Mapping[str, str] | None = None,
) -> DataSet:
    """The data set of recordings; images that nobody fixated are listed in `skipped`.

    Args:
        name: The name of the data set.
        recordings: Image, observer, and an array `(fixations, columns)`, for each observer of each image. Where none
            tells observers, these are None.
        where: What errors call them.
        images: The folder of the images.
        geometry: How coordinates are meant.
        columns: The names of the columns of the arrays, as in `recordings.make_data`.
        official: The official split of each image, for `official_splits`; by default all are assigned by hash.

    Raises:
        FileNotFoundError: As `recordings.make_data`.
        ValueError: As `recordings.make_data`, or if there are fewer images than splits.
    """
    import pandas as pd

    named, observers, arrays = zip(*recordings, strict=True)
    lengths = [len(array) for array in arrays]
    numbers: dict[str, int] = {}
    codes = np.repeat([numbers.setdefault(image, len(numbers)) for image in named], lengths)
    table = pd.DataFrame(np.concatenate(arrays), columns=list(columns))
    table["image"] = pd.Categorical.from_codes(codes, list(numbers))
    if any(observer is not None for observer in observers):
        table["observer"] = np.repeat(np.array(observers, object), lengths)
    seen = set(np.unique(codes).tolist())
    notes = [f"{image}: the image has no fixations" for i, image in enumerate(numbers) if i not in seen]
    if official is not None:
        parts, told = official_splits(official)
        table["split"] = table["image"].map(parts)
        notes += told
    return make_data(name, table, where, images, geometry).noting(*notes)


def official_splits(official: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """The split of each image of a data set that withholds the fixations of its official test split.

    Train is train. The official validation images are halved into validation and test, by the hash of their names.
    Where one of both is all there is, such as in a sample of the data set, its images are for all three.

    Args:
        official: The official split of each image, `"train"` or `"validation"`.

    Returns:
        The split of each image, and lines for `DataSet.skipped`.

    Raises:
        ValueError: If there are fewer images than splits.
    """
    found = set(official.values())
    if len(found) == 1:
        return dict(zip(official, by_hash(list(official)), strict=True)), [ONLY.format(part=found.pop())]
    others = [name for name, part in official.items() if part == "validation"]
    return {**official, **dict(zip(others, by_hash(others, HALVES, "validation"), strict=True))}, [WITHHELD]


def unrecorded(images: Iterable[str], recorded: Iterable[str], where: str) -> list[str]:
    """A line for `DataSet.skipped` about images that a data set has and that `where` has nothing of, if there are."""
    missing = sorted({*images} - {*recorded})
    return [f"{len(missing)} images have no file in {where}, the first is {missing[0]}"] if missing else []


def unseen(
    name: str, files: Mapping[str, Path | bytes], sigma: float, pixels_per_degree: float | None = None
) -> Samples:
    """Images whose fixations are withheld, as samples without fixations, in their order.

    Args:
        name: The name of the data set.
        files: The file of each, or its bytes, by its name.
        sigma: The blur that their fixations are scored with.
        pixels_per_degree: As in `Samples`.

    Raises:
        FileNotFoundError: If files are missing.
        ImageError: If one cannot be decoded.
    """
    missing = [file for file in files.values() if isinstance(file, Path) and not file.is_file()]
    if missing:
        raise FileNotFoundError(
            f"{name}: {len(missing)} of {len(files)} images are missing, the first is {missing[0]}. Give the folder "
            "that holds the complete data set."
        )
    none = Fixations.from_rows([])
    samples = [Sample(image, file, None, none, sigma) for image, file in files.items()]  # type: ignore[arg-type]
    with concurrent.futures.ThreadPoolExecutor() as pool:
        sizes = pool.map(lambda sample: sample.read().shape[:2], samples)
        sized = [dataclasses.replace(sample, size=size) for sample, size in zip(samples, sizes, strict=True)]
    return Samples(sized, pixels_per_degree)
