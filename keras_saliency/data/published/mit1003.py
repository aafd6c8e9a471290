"""MIT1003: 1003 photographs, 15 observers, 3 s of free viewing (Judd et al., ICCV 2009)."""

import dataclasses
from pathlib import Path

import numpy as np

from keras_saliency.data import folder
from keras_saliency.data.data_set import DataSet
from keras_saliency.data.matlab import expecting, load_matlab
from keras_saliency.data.placing import Geometry
from keras_saliency.data.published.gathering import Recording
from keras_saliency.data.published.judd import find_fixations
from keras_saliency.data.published.making import make_published, unrecorded
from keras_saliency.data.samples import Sample
from keras_saliency.formulas.types import Size

PIXELS_PER_DEGREE = 35.0
SOURCES = ("samples", "maps")
FIRST = ("drop", "keep", "centre")
# Of each observer's folder: no recordings.
OTHERS = ("shuff_stimnames.mat", "CalibrationData.mat")
FORM = "one structure, whose DATA(1).eyeData is a matrix N x 2 or wider of samples (x, y)"
DROPPED = "the first fixation of each of {} recordings, which was forced to the centre, is left out: first='drop'"


def read(directory: Path, source: str = "samples", first: str = "drop") -> DataSet:
    """Reads `ALLSTIMULI/NAME.jpeg` and `DATA/OBSERVER/NAME.mat`, of which fixations are computed.

    The 240 Hz samples become fixations as the authors' code finds them (`judd.find_fixations`). Coordinates are taken
    as they are recorded, without an offset, as by pysaliency; fixations outside the image, blinks among them, are left
    out and counted. `time` is the onset since the first sample. The blur of the ground truth is one degree, 35 pixels.
    Splits are by the hash of the names.

    Args:
        directory: The folder.
        source: `"samples"`, or `"maps"` to read `ALLFIXATIONMAPS/NAME_fixPts.jpg` instead: one pixel for each fixation,
            and only the first six of each observer, who are not told apart. Scores on them differ.
        first: What to do with the first fixation of `"samples"`, which was forced to the centre: `"drop"` it, as is
            usual; `"keep"` it, if it is in the image; or put it in the `"centre"` where it is not.

    Raises:
        FileNotFoundError: If files are missing.
        ValueError: If an option is unknown, or a file has another form: names it.
    """
    for option, value, known in (("source", source, SOURCES), ("first", first, FIRST)):
        if value not in known:
            raise ValueError(f"Unknown {option} {value!r} of MIT1003. Known: {', '.join(known)}.")
    places = {"images": directory / "ALLSTIMULI", "fixations": directory / "ALLFIXATIONMAPS"}
    for place in (places["images"], places["fixations"] if source == "maps" else directory / "DATA"):
        if not place.is_dir():
            raise FileNotFoundError(f"{place} is missing. Unpack {place.name}.zip in {directory}.")
    if source == "maps":
        return folder.read_maps("mit1003", places, Geometry(pixels_per_degree=PIXELS_PER_DEGREE))
    files = [path for path in sorted((directory / "DATA").glob("[!.]*/[!.]*.mat")) if path.name not in OTHERS]
    if not files:
        raise FileNotFoundError(f"{directory / 'DATA'} has no OBSERVER/NAME.mat. Unpack DATA.zip in {directory}.")
    recordings = (_recording(path, 1 if first == "drop" else 0) for path in files)
    geometry = (_Centring if first == "centre" else Geometry)(pixels_per_degree=PIXELS_PER_DEGREE)
    columns = ("x", "y", "time", "duration")
    data = make_published("mit1003", recordings, "DATA", places["images"], geometry, columns)
    shown = (path.stem for path in places["images"].glob("[!.]*.jpeg"))
    notes = [DROPPED.format(len(files))] if first == "drop" else []
    return data.noting(*notes, *unrecorded(shown, (path.stem for path in files), "DATA"))


def _recording(path: Path, begin: int) -> Recording:
    content = load_matlab(path)
    with expecting(path, FORM):
        samples = np.asarray(np.atleast_1d(content["DATA"])[0]["eyeData"], "float64")
        if samples.ndim != 2 or samples.shape[1] < 2:
            raise ValueError(f"a matrix of shape {samples.shape}")
        return path.stem, path.parent.name, find_fixations(samples[:, :2])[begin:]


class _Centring(Geometry):
    """Puts first fixations in the centre of the image where they are outside of it."""

    def placed(self, sample: Sample, size: Size) -> Sample:
        every = sample.fixations
        lost = every.time == 0
        lost &= ~((every.x >= 0) & (every.x < size[1]) & (every.y >= 0) & (every.y < size[0]))
        x, y = np.where(lost, size[1] / 2, every.x), np.where(lost, size[0] / 2, every.y)
        return super().placed(dataclasses.replace(sample, fixations=dataclasses.replace(every, x=x, y=y)), size)
