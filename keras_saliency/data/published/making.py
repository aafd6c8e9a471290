"""What makes a data set of recordings of a published one, and lists what is left out of it."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from keras_saliency.data.data_set import DataSet
from keras_saliency.data.placing import Geometry
from keras_saliency.data.published.gathering import Recording, gather, official_splits
from keras_saliency.data.recordings import make_data
from keras_saliency.formulas.types import Size


def make_published(
    name: str,
    recordings: Iterable[Recording],
    where: str,
    images: Path,
    geometry: Geometry,
    columns: Sequence[str] = ("x", "y"),
    official: Mapping[str, str] | None = None,
    groups: Mapping[str, str] | None = None,
    sizes: Mapping[str, Size] | None = None,
) -> DataSet:
    """The data set of recordings; images that nobody fixated are listed in `skipped`.

    Args:
        name: The name of the data set.
        recordings: As for `gather`; where nothing tells observers and order, all observers are None.
        where: What errors call them.
        images: The folder of the images.
        geometry: How coordinates are meant.
        columns: The columns of the arrays, as in `recordings.make_data`.
        official: The official split of each image, for `official_splits`; by default all are assigned by hash.
        groups: What images belong to that are not alone, as in `Sample`.
        sizes: As in `recordings.make_data`.

    Raises:
        FileNotFoundError: As `recordings.make_data`.
        ValueError: As `recordings.make_data`, or if there are fewer images than splits.
    """
    table = gather(recordings, columns)
    if table["observer"].isna().all():
        table = table.drop(columns="observer").assign(time=float("nan"))  # nor the order
    seen = {*table["image"].unique()}
    notes = [f"{image}: the image has no fixations" for image in table["image"].cat.categories if image not in seen]
    if official is not None:
        parts, told = official_splits(official)
        table["split"] = table["image"].map(parts)
        notes += told
    if groups is not None:
        table["group"] = [groups.get(image, image) for image in table["image"]]
    return make_data(name, table, where, images, geometry, sizes).noting(*notes)


def unpictured(recorded: Iterable[str], images: Iterable[str], where: str) -> list[str]:
    """A line for `DataSet.skipped` about what `where` has of images that are not there, if there is something."""
    missing = sorted({*recorded} - {*images})
    return [f"{where} has fixations on {len(missing)} other images, the first is {missing[0]}"] if missing else []


def unrecorded(images: Iterable[str], recorded: Iterable[str], where: str) -> list[str]:
    """A line for `DataSet.skipped` about images that a data set has and that `where` has nothing of, if there are."""
    missing = sorted({*images} - {*recorded})
    return [f"{len(missing)} images have no file in {where}, the first is {missing[0]}"] if missing else []
