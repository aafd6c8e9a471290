"""To and from pysaliency: models, and its HDF5 files of predictions.

Such a file holds one dataset `(height, width)` for each image, called as the image file, suffix included, below
groups where the name has folders. It says nowhere whether the maps are log-densities; only their values tell. What
pysaliency's development version stores smaller by a `downscale_factor` has its `original_shape` as an attribute.
"""

import contextlib
import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any

import h5py
import keras
import numpy as np
import scipy.ndimage
from scipy.special import logsumexp

from keras_saliency.data import DataSet
from keras_saliency.data.image_files import file_bytes
from keras_saliency.data.map_arrays import PIXELS
from keras_saliency.data.samples import Samples
from keras_saliency.evaluation.map_files import Prediction
from keras_saliency.formulas.types import Plane
from keras_saliency.models import require_log_density
from keras_saliency.reading.hdf5 import open_hdf5
from keras_saliency.reporting.samples import Predictor
from keras_saliency.serving import prediction
from keras_saliency.writing.files import require_new, whole

INSTALL = "pip install pysaliency torch 'setuptools<81'"
# Of the logarithm of the sum of a log-density that was averaged and interpolated: a sharp one at factor 16 loses 1.4.
# Whatever else has negative values is far above it: the more so, the more pixels there are.
SHRUNK_TOLERANCE = 2.0
DURATIONS = "scanpath_fixation_attributes/durations"


def as_pysaliency(model: keras.Model) -> Any:
    """Wraps a model as a `pysaliency.Model`, so that pysaliency can score it, mix it and sample from it.

    It caches what it predicted, as every pysaliency model does, unless its attribute `caching` is set to False.
    The AUC_Judd of pysaliency 0.2.22 calls `numpy.trapz`, which NumPy 2.4 has no more: set
    `numpy.trapz = numpy.trapezoid` before. pysaliency's JPEG decoder differs from TensorFlow's by a few grey levels in
    some pixels, and predictions for the same file differ accordingly.

    Args:
        model: A Keras model whose head is `"log-density"`.

    Returns:
        A `pysaliency.Model`: `log_density(stimulus)` takes an image `(height, width, 3)` or, grey, `(height, width)`
        in [0, 255] and gives its log-density `(height, width)`, float64, in natural units.

    Raises:
        ImportError: If pysaliency cannot be imported; says what to install.
        ValueError: If the model does not give a log-density.
    """
    try:
        import pysaliency
    except ImportError as error:
        # Its version 0.2.22 imports torch, and pkg_resources of setuptools, and asks for neither.
        raise ImportError(f"as_pysaliency needs pysaliency ({error}). Run: {INSTALL}") from error
    require_log_density(model)

    class KerasModel(pysaliency.Model):
        """The log-densities of a Keras model."""

        def _log_density(self, stimulus):
            image = np.atleast_3d(stimulus)[..., :3]
            image = np.broadcast_to(image, (*image.shape[:2], 3))
            log_density = prediction.predict_image(model, image).astype("float64")
            return log_density - logsumexp(log_density)

    return KerasModel()


def export_predictions(source: Predictor | Iterable[Prediction | Plane], samples: Samples, file: str | Path) -> None:
    """Writes predictions as pysaliency's `HDF5Model` and `HDF5SaliencyMapModel` read them: float32, compressed.

    The datasets are called as the samples: pysaliency finds those whose names end the paths of its stimuli. The file
    appears when it is complete.

    Args:
        source: A source of `keras_saliency.evaluation.sources`, or the predictions themselves, one for each sample.
        samples: The split.
        file: The file to write.

    Raises:
        FileExistsError: If it exists.
        ValueError: If two samples have one name, a map has not the size of its image, or there are not as many
            predictions as samples.
    """
    file = Path(file)
    if file.exists():
        raise FileExistsError(f"{file} exists already. Choose another name, or delete it.")
    if len({sample.name for sample in samples}) < len(samples):
        raise ValueError("The samples must have different names, which become those of the datasets.")
    predictions = source.predictions(samples) if hasattr(source, "predictions") else source
    file.parent.mkdir(parents=True, exist_ok=True)
    with whole(file) as part, h5py.File(part, "w") as stored:
        for sample, predicted in zip(samples, predictions, strict=True):
            values = np.asarray(getattr(predicted, "values", predicted), "float32")
            if values.shape != tuple(sample.size):
                raise ValueError(f"The map of {sample.name} must be {sample.size}. Received: {values.shape}.")
            stored.create_dataset(sample.name, data=values, compression="gzip", shuffle=True)


def export_data(data: DataSet, directory: str | Path) -> None:
    """Writes a data set as pysaliency reads it: `stimuli.hdf5` (`FileStimuli`) and `fixations.hdf5` (`FixationTrains`).

    Stimuli are the image files where they are, named relative to the folder; embedded images are written into it. They
    have an attribute `split`, and scanpaths one of `durations`. `keras_saliency.data.load("pysaliency", directory)`
    reads all of it again.

    Args:
        data: The data set.
        directory: The folder, new or empty.

    Raises:
        FileExistsError: If the folder holds something.
        ValueError: If an image has no fixations.
    """
    directory = Path(directory).absolute()
    require_new(directory)
    parts = [part for part, split in data.splits.items() for _ in split]
    samples = data.samples
    for sample in samples:
        if not len(sample.fixations):
            raise ValueError(f"{sample.name} has no fixations, and pysaliency knows no density maps. Leave it out.")
    directory.mkdir(parents=True, exist_ok=True)
    files = [_file_of(sample, directory) for sample in samples]
    with whole(directory / "stimuli.hdf5") as part, h5py.File(part, "w") as stored:
        _describe(stored, "FileStimuli", "2.1", __attributes__=["split"])
        stored.attrs["size"] = len(files)
        for name, texts in {"filenames": files, "split": parts}.items():
            stored.create_dataset(name, data=texts, dtype=h5py.string_dtype())
        shapes = stored.create_dataset("shapes", (len(files),), dtype=h5py.vlen_dtype("int64"))
        for i, sample in enumerate(samples):
            shapes[i] = [*sample.size, 3]
    paths = [
        (number, observer, sample.fixations[sample.fixations.observer == observer])
        for number, sample in enumerate(samples)
        for observer in np.unique(sample.fixations.observer)
    ]
    with whole(directory / "fixations.hdf5") as part, h5py.File(part, "w") as stored:
        mapping = {"durations": "duration"}
        _describe(stored, "FixationTrains", "1.2", __attributes__=[], scanpath_attribute_mapping=mapping)
        stored["train_ns"], stored["train_subjects"] = ([row[i] for row in paths] for i in (0, 1))
        columns = {"train_xs": "x", "train_ys": "y", "train_ts": "time", DURATIONS: "duration"}
        for name, column in columns.items():
            stored[name] = _padded([getattr(path, column) for *_, path in paths])
        for group, names in {"scanpath_attributes": [], "scanpath_fixation_attributes": ["durations"]}.items():
            stored.require_group(group).attrs["__attributes__"] = np.bytes_(json.dumps(names))


def _describe(stored, kind, version, **attributes):
    texts = {"type": kind, "version": version, **{name: json.dumps(value) for name, value in attributes.items()}}
    for name, text in texts.items():
        stored.attrs[name] = np.bytes_(text)


def _file_of(sample, directory):
    """The path of the file of an image, relative to a folder; an embedded image is written into it."""
    if isinstance(sample.image, Path):
        return os.path.relpath(sample.image, directory)
    name = sample.name if PurePosixPath(sample.name).suffix else f"{sample.name}.png"
    file = directory / "stimuli" / name
    file.parent.mkdir(parents=True, exist_ok=True)
    with whole(file) as part:
        part.write_bytes(file_bytes(sample.image))
    return os.path.relpath(file, directory)


def _padded(rows):
    """Rows of different lengths as one array, filled with NaN."""
    padded = np.full((len(rows), max(map(len, rows))), np.nan)
    for target, row in zip(padded, rows, strict=True):
        target[: len(row)] = row
    return padded


@contextlib.contextmanager
def open_predictions(file: str | Path) -> Iterator[dict[str, h5py.Dataset]]:
    """Opens a file of predictions: a context that gives a dictionary from name to dataset, `GROUP/NAME` below groups.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is no HDF5 file of its own numbers.
    """
    with contextlib.ExitStack() as opened:
        try:
            stored = opened.enter_context(open_hdf5(file))
        except FileNotFoundError:
            raise
        except (OSError, ValueError) as error:
            raise ValueError(f"{file} cannot be read as an HDF5 file ({error}). Write it again.") from error
        maps: dict[str, h5py.Dataset] = {}
        stored.visititems(lambda name, item: maps.update({name: item} if isinstance(item, h5py.Dataset) else {}))
        yield maps


def read_map(dataset: h5py.Dataset) -> np.ndarray:
    """The map in a dataset of predictions.

    One that was stored smaller is interpolated to its `original_shape` as pysaliency does it, bilinearly between the
    corners. That leaves a log-density unnormalised, which is normalised again.

    Args:
        dataset: From `open_predictions`.

    Returns:
        The values `(height, width)`, of their own type; float64 if they are floats that were stored smaller.

    Raises:
        ValueError: If the `original_shape` is no size of a photograph.
    """
    values = dataset[()]
    size = dataset.attrs.get("original_shape")
    if size is None or values.ndim != 2:
        return values
    size, stored = np.asarray(size), values.dtype
    if size.shape != (2,) or size.dtype.kind not in "iu" or min(size) < 1 or np.prod(size, dtype=float) > PIXELS:
        raise ValueError(f"{dataset.name} has an original_shape that is none, {size.tolist()}. Write it again.")
    if not values.size:
        return values
    values = scipy.ndimage.zoom(values.astype("float64"), np.divide(size, values.shape), order=1, mode="nearest")
    if stored.kind != "f":
        return np.round(values).astype(stored)  # an 8-bit map stays one
    total = logsumexp(values)
    return values - total if abs(total) < SHRUNK_TOLERANCE else values
