"""A folder of images beside a folder of fixation maps: binary PNG, or counts in NPY and MAT files."""

from pathlib import Path

import numpy as np

from keras_saliency.data import image_files
from keras_saliency.data.data_set import DataSet, split
from keras_saliency.data.fixations import Fixations
from keras_saliency.data.map_arrays import READERS
from keras_saliency.data.names import Index, files_below
from keras_saliency.data.placing import Geometry
from keras_saliency.data.samples import Sample
from keras_saliency.data.splits import by_hash

# What the map of an image may be called; exact values come first.
RANKS = (
    ("{stem}.npy", "{stem}.mat"),
    ("{stem}.png", "{stem}_fixPts.png", "{stem}_fixations.png"),
    ("{stem}.jpg", "{stem}_fixPts.jpg", "{stem}_fixations.jpg"),
)
LOSSY = 127  # above which a pixel of a binary map is set that was saved as JPEG, which blurs it


def read(
    directory: Path,
    images: str = "images",
    fixations: str = "fixations",
    pixels_per_degree: float | None = None,
) -> DataSet:
    """Reads images and, of each, a map of its fixations, found by the name of the image, however deep.

    A PNG file has two grey levels, of which the higher is a fixation; in NPY and MAT files a number is how many fell on
    the pixel. Fixations are at the centres of their pixels. Nothing tells observers and order: all fixations count as
    one observer's, and there is no gold standard. Splits are those of a `table` without a column of them.

    Density maps alone cannot be read: what they are blurred from is lost.

    Args:
        directory: The folder.
        images: Where the images are in it.
        fixations: Where the maps are.
        pixels_per_degree: The pixels of one degree of visual angle, None where unknown; the blur of the ground truth is
            as that of a `table`.

    Raises:
        FileNotFoundError: If a folder or the maps of images are missing.
        ValueError: If a map is no map of fixations, is of another size than its image, or belongs to several.
    """
    places = {"images": directory / images, "fixations": directory / fixations}
    for name, place in places.items():
        if not place.is_dir():
            raise FileNotFoundError(f"{place} is missing. Say where the {name} are: {name}=...")
    files = [path for path in files_below(places["images"]) if path.suffix.lower() in image_files.READ]
    maps = Index(path for path in files_below(places["fixations"]) if path.suffix.lower() in READERS)
    samples, shapes = [], {}
    for file, found in zip(files, _maps_of(files, maps, places), strict=True):
        counts = _counts(places["fixations"] / found)
        samples.append(Sample(str(file), places["images"] / file, None, _fixations(counts), 1.0))  # type: ignore[arg-type]
        shapes[str(file)] = counts.shape
    geometry = Geometry(pixels_per_degree=pixels_per_degree)

    def placed(sample, size):
        if shapes[sample.name] != size:
            raise ValueError(
                f"{sample.name}: the image is {size} and its fixation map {shapes[sample.name]}, both (height, width). "
                "A binary map cannot be resized; make it from the coordinates again."
            )
        return geometry.placed(sample, size)

    parts = by_hash([sample.name for sample in samples])
    data = split("folder", samples, lambda i: parts[i], pixels_per_degree, placed)
    return data.noting("fixation maps tell no observers: all fixations count as one observer's")


def _maps_of(files, maps, places):
    found = [maps.find(str(file), RANKS) for file in files]
    missing = [str(file) for file, paths in zip(files, found, strict=True) if not paths]
    if missing or not files:
        what = f"{len(missing)} of {len(files)} images have no map, the first is {missing[0]}" if files else "no images"
        raise FileNotFoundError(
            f"{places['images']}: {what}. Expected maps in {places['fixations']}, called as their images: "
            f"{', '.join(READERS)}."
        )
    owners = {}
    for file, paths in zip(files, found, strict=True):
        if len(paths) > 1:
            raise ValueError(f"{file} has {len(paths)} maps: {', '.join(sorted(map(str, paths)))}. Keep one of them.")
        if owners.setdefault(paths[0], file) != file:
            raise ValueError(f"{paths[0]} fits both {owners[paths[0]]} and {file}. Give each image a map of its name.")
    return [paths[0] for paths in found]


def _counts(path):
    """How many fixations fell on each pixel."""
    try:
        values = READERS[path.suffix.lower()](path)
    except Exception as error:  # The readers raise whatever the broken bytes lead them to.
        raise ValueError(f"The fixation map {path} cannot be read: {error}") from error
    if path.suffix.lower() in (".jpg", ".jpeg"):
        return (values > LOSSY).astype("int64")
    levels = np.unique(values)
    if path.suffix.lower() == ".png":
        if len(levels) > 2:
            raise ValueError(
                f"{path} has {len(levels)} grey levels, and a map of fixations two. It is a density map, or was "
                "saved as JPEG: make it from the coordinates again, or give them as a table."
            )
        return (values > levels[0]).astype("int64") if levels[-1] > 0 else np.zeros(values.shape, "int64")
    if values.ndim != 2 or levels[0] < 0 or not np.array_equal(levels, np.round(levels)):
        raise ValueError(f"{path} must hold counts of fixations, whole numbers from 0, (height, width).")
    return values.astype("int64")


def _fixations(counts):
    rows, columns = np.nonzero(counts)
    repeats = counts[rows, columns]
    y, x = (np.repeat(axis, repeats) + 0.5 for axis in (rows, columns))
    return Fixations(x, y, np.zeros(len(x), "int64"), np.zeros(len(x)))
