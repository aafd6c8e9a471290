"""Where predictions come from: Keras models, exported models, folders of maps, HDF5 files.

A source has a `name`, and `predictions(samples)` yields one `Prediction` for each sample, in order; no more than a
batch of them is in memory. What is wrong with a map raises a ValueError that names the image and the remedy.
"""

import collections
import itertools
from pathlib import Path, PurePosixPath

import cv2
import numpy as np
import scipy.io
from keras import ops
from PIL import Image
from scipy.special import logsumexp

from keras_saliency import interop
from keras_saliency.data import geometry
from keras_saliency.data.pipeline import pipeline
from keras_saliency.export import load_saved_model
from keras_saliency.models import require_log_density
from keras_saliency.prediction import load_model

# The forms of the names of maps, of each rank; the best rank that is there is read. First exact values, then 8 bit.
FILES = (
    ("{stem}_log_density.npy",),
    ("{stem}.npy", "{stem}.mat"),
    ("{stem}_saliency.png", "{stem}.png", "{stem}.jpg", "{stem}.jpeg"),
)
KEYS = (("{name}",), ("{stem}", "{stem}.jpg", "{stem}.jpeg", "{stem}.png"))
IMAGES = (".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff")
HDF5 = (".h5", ".hdf5")
NUMERIC = "biuf"  # kinds of NumPy types
LOG_TOLERANCE = 1e-3


class Prediction(collections.namedtuple("Prediction", ["values", "is_log_density", "is_eight_bit"])):
    """What a source says about one image.

    Attributes:
        values: `(height, width)`, float64, at the size of the image.
        is_log_density: Whether they are a normalised log-density (natural logarithm); else they are a non-negative
            saliency map, as the file holds it.
        is_eight_bit: Whether they come from 8-bit integers.
    """

    __slots__ = ()


class ModelSource:
    """A Keras model.

    Args:
        model: A model whose head is `"log-density"`, from images `(batch, height, width, 3)`.
        name: What reports call it.
        batch: Images that go through it at once.

    Raises:
        ValueError: If the model does not give a log-density.
    """

    def __init__(self, model, name, batch=8):
        require_log_density(model)
        self.model, self.name, self.batch = model, name, batch

    def predictions(self, samples):
        """Yields a `Prediction` for each sample."""
        start, batches = 0, pipeline(samples, self.model.input_shape[1:3], self.batch)
        for images, _ in batches.as_numpy_iterator():  # NumPy, which every backend takes
            log_densities = ops.convert_to_numpy(self.model.predict_on_batch(images))
            part = samples[start : start + len(log_densities)]
            yield from map(_unletterbox, log_densities, part)
            start += len(part)


class SavedModelSource:
    """A SavedModel that `keras_saliency.export.export_saved_model` wrote.

    Args:
        directory: Its folder, such as `served/NAME/1`.
        batch: Images that are served at once.

    Raises:
        ValueError: If it is none.
    """

    def __init__(self, directory, batch=8):
        self.name, self.serve, self.batch = _name(directory), load_saved_model(directory), batch

    def predictions(self, samples):
        """Yields a `Prediction` for each sample."""
        for start in range(0, len(samples), self.batch):
            part = samples[start : start + self.batch]
            files = [sample.image if isinstance(sample.image, bytes) else sample.image.read_bytes() for sample in part]
            yield from map(_unletterbox, self.serve(files), part)


class FolderSource:
    """A folder of maps, searched deeply: PNG of 8 or 16 bit, JPEG, NPY, and MAT files of one 2-D array.

    A map is found by the name of its image without suffix: `1001.npy`, `1001.mat`, `1001.png` or `1001.jpg` for
    `1001.jpg`, or what `keras-saliency predict` writes. Exact values come before 8-bit ones. An array of floats whose
    exponential sums to one is a log-density.

    Args:
        directory: The folder.
        resize: Whether maps of another size than their image are resized, antialiased and bicubic.
    """

    def __init__(self, directory, resize=False):
        self.name, self.directory, self.resize = _name(directory), Path(directory), resize

    def predictions(self, samples):
        """Yields a `Prediction` for each sample."""
        files = [path.relative_to(self.directory).as_posix() for path in self.directory.rglob("*") if path.is_file()]
        for sample, file in zip(samples, _find(samples, files, FILES, self.directory), strict=True):
            path = self.directory / file
            try:
                values = READERS[path.suffix.lower()](path)
            except Exception as error:  # The readers raise whatever the broken bytes lead them to.
                raise ValueError(f"The map of {sample.name}, {path}, cannot be read: {error}") from error
            yield _prediction(values, sample, self.resize)


class HDF5Source:
    """Predictions in pysaliency's HDF5 format, log-densities or saliency maps; see `keras_saliency.interop`.

    Args:
        file: The file.
        resize: As in `FolderSource`.
    """

    def __init__(self, file, resize=False):
        self.name, self.file, self.resize = _name(file), Path(file), resize

    def predictions(self, samples):
        """Yields a `Prediction` for each sample."""
        with interop.open_predictions(self.file) as maps:
            for sample, key in zip(samples, _find(samples, maps, KEYS, self.file), strict=True):
                yield _prediction(maps[key][()], sample, self.resize)


# What lies at a path -> the source for it; the first row that fits.
SOURCES = (
    (lambda path: path.suffix == ".keras" or (path / "model.keras").is_file(), lambda path, resize: _load(path)),
    (lambda path: (path / "saved_model.pb").is_file(), lambda path, resize: SavedModelSource(path)),
    (lambda path: path.is_dir(), FolderSource),
    (lambda path: path.suffix.lower() in HDF5, HDF5Source),
)


def open_source(path, resize=False):
    """The source for what lies at a path.

    Args:
        path: The folder of a run with `model.keras`, a `.keras` file, a SavedModel, a folder of maps, or an HDF5 file.
        resize: Whether maps of another size than their image are resized.

    Raises:
        FileNotFoundError: If there is nothing.
        ValueError: If it is nothing of these, or the model does not give a log-density.
    """
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f"{path} does not exist. Expected a model, a folder of maps or an HDF5 file.")
    for fits, source in SOURCES:
        if fits(path):
            return source(path, resize)
    raise ValueError(
        f"{path} holds no predictions. Expected a .keras file or the folder of a run, a SavedModel, a folder of "
        f"PNG, JPEG, NPY or MAT files, or an HDF5 file ({', '.join(HDF5)})."
    )


def _load(path):
    return ModelSource(load_model(path), _name(path))


def _name(path):
    """The last part of a path that says something: not `model.keras`, nor the version of a SavedModel."""
    path = Path(path).absolute()
    last = path.with_suffix("") if path.suffix in (".keras", *HDF5) else path
    return next((part for part in reversed(last.parts) if part != "model" and not part.isdigit()), last.name)


def _find(samples, names, ranks, where):
    """The name of the map of each sample.

    Names are paths; their folders must agree with those in the name of the sample, as far as both have some.
    """
    index = collections.defaultdict(list)
    for path in map(PurePosixPath, names):
        index[_lowered(path.name)].append(path)
    found = {sample.name: _candidates(sample.name, index, ranks) for sample in samples}
    missing = [name for name, paths in found.items() if not paths]
    if missing:
        expected = ", ".join(form for forms in _forms(missing[0], ranks) for form in forms)
        raise ValueError(
            f"{len(missing)} of {len(found)} maps are missing in {where}, the first is that of {missing[0]}. "
            f"Expected one of {expected}."
        )
    owners = {}
    for name, paths in found.items():
        if len(paths) > 1:
            several = ", ".join(sorted(map(str, paths)))
            raise ValueError(f"{where} has {len(paths)} maps of {name}: {several}. Keep one of them.")
        owner = owners.setdefault(paths[0], name)
        if owner != name:
            raise ValueError(f"{paths[0]} in {where} fits both {owner} and {name}. Give each image a map of its name.")
    return [str(found[sample.name][0]) for sample in samples]


def _candidates(name, index, ranks):
    """The paths of the best rank that has any."""
    folders = PurePosixPath(name).parts[-2::-1]
    for forms in _forms(name, ranks):
        paths = [path for form in forms for path in index.get(_lowered(form), ())]
        agree = [all(a == b for a, b in zip(path.parts[-2::-1], folders, strict=False)) for path in paths]
        if any(agree):
            return list(itertools.compress(paths, agree))
    return []


def _forms(name, ranks):
    """What the map of an image may be called, for each rank."""
    path = PurePosixPath(name)
    stem = path.stem if path.suffix.lower() in IMAGES else path.name
    return [[form.format(name=path.name, stem=stem) for form in rank] for rank in ranks]


def _lowered(name):
    """A name with its suffix in lower case."""
    path = PurePosixPath(name)
    return path.stem + path.suffix.lower()


def _read_image(path):
    """The grey values of a PNG or JPEG file, 8 or 16 bit."""
    image = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if image is None:
        raise ValueError("it is no whole PNG or JPEG file. Write it again.")
    channels = image[..., None] if image.ndim == 2 else image[..., :3]
    if (channels != channels[..., :1]).any():
        raise ValueError("it is coloured, and a map is grey. Give the maps, not overlays or photographs.")
    return channels[..., 0]


def _read_matlab(path):
    """The only matrix of a MAT file; scalars and vectors are none."""
    arrays = [np.asarray(value) for name, value in scipy.io.loadmat(path).items() if not name.startswith("__")]
    maps = [array for array in arrays if array.ndim == 2 and min(array.shape) > 1 and array.dtype.kind in NUMERIC]
    if len(maps) != 1:
        raise ValueError(f"it holds {len(maps)} numeric matrices. Save one map in each file.")
    return maps[0]


READERS = {".png": _read_image, ".jpg": _read_image, ".jpeg": _read_image, ".npy": np.load, ".mat": _read_matlab}


def _unletterbox(log_density, sample):
    """The prediction from a model's output `(height, width, 1)` for the letterboxed image."""
    return _prediction(geometry.unletterbox(log_density, sample.size).numpy()[..., 0], sample)


def _prediction(values, sample, resize=False):
    """Checks a map, finds out what it is and brings it to the size of its image."""
    values, size = np.asarray(values), tuple(sample.size)
    if values.ndim != 2 or not values.size or values.dtype.kind not in NUMERIC:
        raise ValueError(
            f"The map of {sample.name} must be numbers (height, width). "
            f"Received: {values.dtype} of shape {values.shape}."
        )
    if values.shape != size and not resize:
        raise ValueError(
            f"The map of {sample.name} is {values.shape} and its image {size}, both (height, width). "
            'Write maps at the size of their images, or use convention="mit", which resizes them.'
        )
    kind, bytes_each, values = values.dtype.kind, values.dtype.itemsize, values.astype("float64")
    if not np.isfinite(values).all():
        raise ValueError(
            f"The map of {sample.name} has NaN or infinite values. A map must be finite; "
            "give a density of zero a little of the uniform one before its logarithm."
        )
    total = logsumexp(values)
    is_log_density = kind == "f" and bool(abs(total) < LOG_TOLERANCE)
    if values.min() < 0 and not is_log_density:
        raise ValueError(
            f"The map of {sample.name} has negative values and is no log-density: its exponential sums to "
            f"e**{total:.3g}, not 1. Subtract its logsumexp if it is one, else its minimum."
        )
    if values.shape != size:
        values = _resized(values, size)
    if is_log_density:
        values -= logsumexp(values)
    return Prediction(values, is_log_density, bytes_each == 1)


def _resized(values, size):
    """Antialiased bicubic, as MATLAB's imresize; without its overshoot."""
    resized = Image.fromarray(values.astype("float32")).resize(size[::-1], Image.Resampling.BICUBIC)
    return np.clip(np.asarray(resized, "float64"), values.min(), values.max())
