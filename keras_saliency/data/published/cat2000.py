"""CAT2000: 4,000 pictures of 20 categories, 1920x1080, 24 observers an image, 5 s (Borji and Itti 2015)."""

import dataclasses
from pathlib import Path

import numpy as np

from keras_saliency.data.data_set import DataSet
from keras_saliency.data.matlab import load_matlab, malformed
from keras_saliency.data.placing import Geometry
from keras_saliency.data.published.gathering import Recording
from keras_saliency.data.published.making import make_published, unrecorded
from keras_saliency.data.published.withheld import withheld_samples
from keras_saliency.data.samples import Sample, Samples
from keras_saliency.formulas.types import Photograph, Size

GREY, TOLERANCE = 126, 6  # of the margins, and what JPEG changes of it
BLUR = 40.0  # pixels, of the benchmark's own maps
CATEGORIES = (
    *("Action", "Affective", "Art", "BlackWhite", "Cartoon", "Fractal", "Indoor", "Inverted", "Jumbled"),
    *("LineDrawing", "LowResolution", "Noisy", "Object", "OutdoorManMade", "OutdoorNatural", "Pattern", "Random"),
    *("Satelite", "Sketch", "Social"),
)
EACH = 100  # images of a category in each of the official sets
TURNED = {"Pattern/134.jpg"}  # by its EXIF data, wrongly
UNREADABLE = (
    "allFixData.mat is not read, since only MATLAB opens its containers.Map: who fixated, in which order, and how "
    "often the same pixel, is not known"
)


def read(directory: Path) -> DataSet:
    """Reads `trainSet/Stimuli/CATEGORY/NNN.jpg` and `trainSet/FIXATIONLOCS/CATEGORY/NNN.mat`.

    `fixLocs` has a one for each pixel that was fixated, by whomever and however often: all fixations count as one
    observer's, several on one pixel are one, and there is no gold standard. What tells them, `allFixData.mat`, holds a
    `containers.Map`, which nothing but MATLAB reads. Folders `Output` inside the categories are passed over.

    Splits are by the hash of the names, CATEGORY/NNN.jpg, since the fixations of the official test set are withheld;
    its images are those of `test_images`. The blur of the ground truth is that of the benchmark, 40 pixels. The grey
    margins of the pictures are known (`Sample.picture`): in training they are masked as padding is, evaluation scores
    all of the image, as the benchmark does.

    Raises:
        FileNotFoundError: If files are missing.
        ValueError: If a file has another form: names it.
    """
    images, folder = (directory / "trainSet" / name for name in ("Stimuli", "FIXATIONLOCS"))
    files = sorted(folder.glob("[!.]*/[!.]*.mat"))
    if not files:
        raise FileNotFoundError(f"{folder} has no CATEGORY/NNN.mat. Unpack trainSet.zip in {directory}.")
    recordings = (_recording(path) for path in files)
    data = make_published("cat2000", recordings, "FIXATIONLOCS", images, _Margins(blur=BLUR))
    shown = (_name(path) for path in images.glob("[!.]*/[!.]*.jpg"))
    notes = [UNREADABLE] if (directory / "trainSet" / "allFixData.mat").is_file() else []
    return data.noting(*notes, *unrecorded(shown, map(_name, files), "FIXATIONLOCS"))


def test_images(directory: Path) -> Samples:
    """The 2,000 images of the official test set, `testSet/Stimuli/CATEGORY/NNN.jpg`, whose fixations are withheld.

    They are in the order of category and number, and as they are stored: the EXIF data of one of them, Pattern/134.jpg,
    would turn it wrongly.

    Raises:
        FileNotFoundError: If images are missing.
        ValueError: If a category has more or fewer than 100 images.
        ImageError: If an image cannot be decoded.
    """
    folder = directory / "testSet" / "Stimuli"
    files = {category: sorted((folder / category).glob("[!.]*.jpg")) for category in CATEGORIES}
    for category, paths in files.items():
        if len(paths) != EACH:
            raise ValueError(f"{folder / category} has {len(paths)} images, and not {EACH}. Unpack testSet.zip again.")
    named = {f"{_name(path)}.jpg": path for paths in files.values() for path in paths}
    return withheld_samples("cat2000", named, BLUR, as_stored=TURNED)


class _Margins(Geometry):
    """Finds the grey margins of each picture."""

    def placed(self, sample: Sample, size: Size) -> Sample:
        return dataclasses.replace(super().placed(sample, size), picture=picture_in(sample.read()))


def picture_in(image: Photograph) -> tuple[int, int, int, int] | None:
    """The part of an image `(top, left, bottom, right)` inside margins of one grey; None where it has none."""
    other = (np.abs(image.astype("int16") - GREY) > TOLERANCE).any(-1)
    rows, columns = (np.flatnonzero(other.any(axis)) for axis in (1, 0))
    if not len(rows):
        return None
    part = (int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1)
    return None if part == (0, 0, *other.shape) else part


def _name(path):
    return f"{path.parent.name}/{path.stem}"


def _recording(path: Path) -> Recording:
    locations = np.asarray(load_matlab(path, "fixLocs"))
    if locations.ndim != 2 or locations.dtype.kind not in "bui":
        raise malformed(path, "fixLocs, a matrix of zeros and ones, (height, width)")
    return f"{_name(path)}.jpg", None, np.argwhere(locations)[:, ::-1] + 0.5
