"""Images beside fixation maps (binary PNG, or counts in NPY and MAT files), density maps, or both."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from keras_saliency.data import image_files
from keras_saliency.data.data_set import DataSet, split
from keras_saliency.data.fixations import Fixations
from keras_saliency.data.map_arrays import READERS, read_map
from keras_saliency.data.names import Index, files_below
from keras_saliency.data.placing import Geometry
from keras_saliency.data.samples import Sample
from keras_saliency.data.splits import by_folder

# What the map of an image may be called; exact values come first.
RANKS = {
    "fixations": (
        ("{stem}.npy", "{stem}.mat"),
        ("{stem}.png", "{stem}_fixPts.png", "{stem}_fixations.png"),
        ("{stem}.jpg", "{stem}_fixPts.jpg", "{stem}_fixations.jpg"),
    ),
    "maps": (
        ("{stem}.npy", "{stem}.mat"),
        ("{stem}.png", "{stem}_fixMap.png"),
        ("{stem}.jpg", "{stem}.jpeg", "{stem}_fixMap.jpg"),
    ),
}
LOSSY = 127  # above which a pixel of a binary map is set that was saved as JPEG, which blurs it
NO_OBSERVERS = "fixation maps tell no observers: all fixations count as one observer's, and there is no gold standard"
NO_FIXATIONS = (
    "density maps tell no fixations: NSS, the AUCs, IG and the log-likelihood are not defined, no loss that needs "
    "fixations can be trained, and there is no gold standard"
)
NONE = Fixations.from_rows([])


def read(
    directory: Path,
    images: str = "images",
    fixations: str = "fixations",
    maps: str = "maps",
    pixels_per_degree: float | None = None,
) -> DataSet:
    """Reads images and, of each, a map of its fixations, its density map, or both; found by name, however deep.

    A fixation map as PNG has two grey levels, of which the higher is a fixation; in NPY and MAT files a number is how
    many fell on the pixel. Fixations are at the centres of their pixels. Nothing tells observers and order: all
    fixations count as one observer's, and there is no gold standard.

    Density maps, of any scale, take the place of blurred fixations as what is compared with. Where they are all there
    is, whatever needs fixations has no value. Splits are the folders train, validation and test of
    the images, if all of them are in such; else those of a `table` without a column of them.

    Args:
        directory: The folder.
        images: Where the images are in it.
        fixations: Where the fixation maps are, if there are.
        maps: Where the density maps are, if there are.
        pixels_per_degree: The pixels of one degree of visual angle, None where unknown; the blur of the ground truth is
            as that of a `table`.

    Raises:
        FileNotFoundError: If a folder or the maps of images are missing.
        ValueError: If a map is not what it is taken for, is of another size than its image, or belongs to several.
    """
    called = {"images": images, "fixations": fixations, "maps": maps}
    places = {name: directory / folder for name, folder in called.items()}
    there = {name for name, place in places.items() if place.is_dir()}
    for name, folder in called.items():
        if name not in there and (name == "images" or folder != name):
            raise FileNotFoundError(f"{places[name]} is missing. Say where the {name} are: {name}=...")
    if len(there) == 1:
        raise FileNotFoundError(
            f"{directory} has neither fixations/ nor maps/. Say where fixation maps or density maps are: "
            "fixations=... or maps=..."
        )
    return read_maps(
        "folder",
        {name: places[name] for name in called if name in there},
        Geometry(pixels_per_degree=pixels_per_degree),
    )


def read_maps(name: str, places: Mapping[str, Path], geometry: Geometry) -> DataSet:
    """Reads images and their maps, as `read` does.

    Args:
        name: The name of the data set.
        places: The folders of `"images"`, and of `"fixations"`, `"maps"`, or both.
        geometry: The visual angle, or the blur.

    Raises:
        FileNotFoundError: As `read`.
        ValueError: As `read`.
    """
    files = [path for path in files_below(places["images"]) if path.suffix.lower() in image_files.READ]
    found = {kind: _maps_of(files, kind, places) for kind in RANKS if kind in places}
    samples, shapes = [], {}
    for i, file in enumerate(files):
        sample = Sample(str(file), places["images"] / file, None, NONE, 1.0)  # type: ignore[arg-type]
        if "fixations" in found:
            counts = counts_of(places["fixations"] / found["fixations"][i])
            sample, shapes[sample.name] = dataclasses.replace(sample, fixations=_fixations(counts)), counts.shape
        if "maps" in found:
            sample = dataclasses.replace(sample, ground_truth=places["maps"] / found["maps"][i])
        samples.append(sample)

    def placed(sample, size):
        if shapes.get(sample.name, size) != size:
            raise ValueError(
                f"{sample.name}: the image is {size} and its fixation map {shapes[sample.name]}, both (height, width). "
                "A binary map cannot be resized; make it from the coordinates again."
            )
        sample = geometry.placed(sample, size)
        if sample.ground_truth and len(np.unique(sample.read_ground_truth())) == 2:
            raise ValueError(
                f"{sample.ground_truth} has two levels, and is a map of fixations. Put such maps into fixations/."
            )
        return sample

    parts = by_folder([sample.name for sample in samples])
    data = split(name, samples, lambda i: parts[i], geometry.of_image, placed)
    return data.noting(NO_OBSERVERS if "fixations" in found else NO_FIXATIONS)


def _maps_of(files, kind, places):
    known = Index(path for path in files_below(places[kind]) if path.suffix.lower() in READERS)
    found = [known.find(str(file), RANKS[kind]) for file in files]
    missing = [str(file) for file, paths in zip(files, found, strict=True) if not paths]
    if missing or not files:
        what = f"{len(missing)} of {len(files)} images have no map, the first is {missing[0]}" if files else "no images"
        raise FileNotFoundError(
            f"{places['images']}: {what}. Expected maps in {places[kind]}, called as their images: "
            f"{', '.join(READERS)}."
        )
    owners = {}
    for file, paths in zip(files, found, strict=True):
        if len(paths) > 1:
            raise ValueError(f"{file} has {len(paths)} maps: {', '.join(sorted(map(str, paths)))}. Keep one of them.")
        if owners.setdefault(paths[0], file) != file:
            raise ValueError(f"{paths[0]} fits both {owners[paths[0]]} and {file}. Give each image a map of its name.")
    return [paths[0] for paths in found]


def counts_of(path: Path) -> np.ndarray:
    """How many fixations fell on each pixel, `(height, width)`, as the file of a fixation map says.

    Raises:
        ValueError: If it is no such map: names it.
    """
    values = read_map(path, "The fixation map")
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
    if levels[0] < 0 or not np.array_equal(levels, np.round(levels)):
        raise ValueError(f"{path} must hold counts of fixations, whole numbers from 0, (height, width).")
    return values.astype("int64")


def _fixations(counts):
    rows, columns = np.nonzero(counts)
    repeats = counts[rows, columns]
    y, x = (np.repeat(axis, repeats) + 0.5 for axis in (rows, columns))
    return Fixations(x, y, np.zeros(len(x), "int64"), np.zeros(len(x)))
