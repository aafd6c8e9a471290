"""Where predictions come from: Keras models, exported models, folders of maps, HDF5 files, baselines.

A source has a `name`, and `predictions(samples)` yields one `Prediction` for each sample, in order; no more than a
batch of them is in memory. What is wrong with a map raises a ValueError that names the image and the remedy.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol, cast

import keras
from keras import ops

from keras_saliency import baselines
from keras_saliency.data import DataSet, geometry, image_files, map_arrays
from keras_saliency.data.pipeline import images, naming_images
from keras_saliency.data.samples import Samples
from keras_saliency.data.videos import shots_in
from keras_saliency.evaluation import map_files, pysaliency
from keras_saliency.evaluation.map_files import Prediction
from keras_saliency.models import SHIPPED, VideoModel, for_recording, gives_log_density, is_shipped, require_finite
from keras_saliency.models.recording import recording_head_of
from keras_saliency.models.sizes import shown_by
from keras_saliency.runtimes.network import ABOUT, open_network
from keras_saliency.serving.export import load_saved_model
from keras_saliency.serving.load import MODEL, Run, load, name_of
from keras_saliency.serving.prediction import predict_image
from keras_saliency.serving.videos import maps_of, read_frames

HDF5 = (".h5", ".hdf5")


class Source(Protocol):
    """What `evaluate` asks of whatever predicts; anything that has both is a source.

    Attributes:
        name: What reports call it.
    """

    name: str

    def predictions(self, samples: Samples) -> Iterator[Prediction]:
        """Yields a `Prediction` for each sample, in order."""
        ...


class ModelSource:
    """A Keras model.

    Args:
        model: A model whose head is `"log-density"`, from images `(batch, height, width, 3)`; one with a view, or of
            any size, sees each image by itself, as `keras_saliency.predict` shows it.
        name: What reports call it.
        batch: Images that go through it at once.
        data: The name of the data set that is predicted: a model that has a head for it, and none that was chosen,
            is used with that.

    Attributes:
        said: Which head is used, a sentence for people; empty for a model without heads of recordings.

    Raises:
        ValueError: If the model does not give saliency maps, or its weights are not finite.
    """

    said = ""

    def __init__(self, model: keras.Model, name: str, batch: int = 8, data: str | None = None) -> None:
        require_finite(model)
        head = recording_head_of(model) if data else None
        if head and head.recordings and not head.recording:
            self.said = f"{name}: with the average head, as it was trained on {', '.join(head.recordings)}"
            if data in head.recordings:
                model, self.said = for_recording(model, data), f"{name}: with the head of {data}"
        self.log_density = gives_log_density(model)
        self.model, self.name, self.batch = model, name, batch

    def predictions(self, samples: Samples) -> Iterator[Prediction]:
        """Yields a `Prediction` for each sample."""
        size = shown_by(self.model)
        if not isinstance(size, tuple):
            if size is not None:
                samples.in_windows(size)  # Raises for what the model cannot see, by name and before all work.
            for sample in samples:
                degrees = sample.pixels_per_degree or samples.pixels_per_degree
                predicted = predict_image(self.model, sample.read(), self.log_density, pixels_per_degree=degrees)
                yield map_files.as_prediction(predicted, sample)
            return
        start, batches = 0, images(samples, size, self.batch)
        with naming_images(samples):
            for _, batch in batches.as_numpy_iterator():  # NumPy, which every backend takes
                # Under a strategy of `tf.distribute`, every replica answers with the whole batch, one after the other.
                maps = ops.convert_to_numpy(self.model.predict_on_batch(batch))[: len(batch)]
                part = samples[start : start + len(maps)]
                yield from (_unletterbox(*pair, self.log_density) for pair in zip(maps, part, strict=True))
                start += len(part)


class VideoSource:
    """A model of videos, which goes through the frames of each video, or shot, from an empty state.

    Args:
        model: A `VideoModel`.
        name: What reports call it.
        stride: As in `predict_video`, for a model that was trained on each n-th frame.

    Raises:
        ValueError: If its weights are not finite.
    """

    follows_frames = True

    def __init__(self, model: VideoModel, name: str, stride: int = 1) -> None:
        require_finite(model)
        self.model, self.name, self.stride = model, name, stride

    def predictions(self, samples: Samples) -> Iterator[Prediction]:
        """Yields a `Prediction` for each sample; an image is a video of one frame."""
        for own in _shots(samples):
            degrees = own[0].pixels_per_degree or samples.pixels_per_degree
            frames = read_frames(sample.read() for sample in own)
            maps = maps_of(self.model, frames, self.stride, pixels_per_degree=degrees)
            for sample, found in zip(own, maps, strict=True):
                yield map_files.as_prediction(found, sample)


class SavedModelSource:
    """A SavedModel that `keras_saliency.serving.export.export_saved_model` wrote.

    Args:
        directory: Its folder, such as `served/NAME/1`.

    Raises:
        ValueError: If it is none.
    """

    def __init__(self, directory: str | Path) -> None:
        self.serve, self.log_density = load_saved_model(directory)
        self.name = name_of(directory)

    def predictions(self, samples: Samples) -> Iterator[Prediction]:
        """Yields a `Prediction` for each sample."""
        for sample in samples:
            # Those exported before the decoder turned pictures upright are not to see them turned.
            degrees = sample.pixels_per_degree or samples.pixels_per_degree
            predicted = self.serve(image_files.upright(sample.image, sample.read()), degrees)
            yield map_files.as_prediction(predicted[..., 0], sample)


class NetworkSource:
    """A network of another runtime that `keras_saliency.export_network` wrote.

    Args:
        directory: Its folder.

    Raises:
        ImportError: If its runtime is not installed.
        ValueError: If it cannot be opened.
    """

    def __init__(self, directory: str | Path) -> None:
        self.network, self.name = open_network(directory), name_of(directory)

    def predictions(self, samples: Samples) -> Iterator[Prediction]:
        """Yields a `Prediction` for each sample."""
        for sample in samples:
            degrees = sample.pixels_per_degree or samples.pixels_per_degree
            yield map_files.as_prediction(self.network.native(sample.read(), degrees), sample)


class FolderSource:
    """A folder of maps, searched deeply: PNG of 8 or 16 bit, JPEG, NPY, and MAT files of one 2-D array.

    A map is found by the name of its image without suffix: `1001.npy`, `1001.mat`, `1001.png` or `1001.jpg` for
    `1001.jpg`, or what `keras-saliency predict` writes. Exact values come before 8-bit ones. An array of floats whose
    exponential sums to one is a log-density.

    Args:
        directory: The folder.
        resize: Whether maps of another size than their image are resized, antialiased and bicubic.
    """

    def __init__(self, directory: str | Path, resize: bool = False) -> None:
        self.name, self.directory, self.resize = name_of(directory), Path(directory), resize

    def predictions(self, samples: Samples) -> Iterator[Prediction]:
        """Yields a `Prediction` for each sample."""
        files = [path.relative_to(self.directory).as_posix() for path in self.directory.rglob("*") if path.is_file()]
        for sample, file in zip(samples, map_files.find(samples, files, map_files.FILES, self.directory), strict=True):
            path = self.directory / file
            values = map_arrays.read_map(path, f"The map of {sample.name}")
            yield map_files.as_prediction(values, sample, self.resize)


class HDF5Source:
    """Predictions in pysaliency's HDF5 format, log-densities or maps; see `keras_saliency.evaluation.pysaliency`.

    Args:
        file: The file.
        resize: As in `FolderSource`.
    """

    def __init__(self, file: str | Path, resize: bool = False) -> None:
        self.name, self.file, self.resize = name_of(file), Path(file), resize

    def predictions(self, samples: Samples) -> Iterator[Prediction]:
        """Yields a `Prediction` for each sample."""
        with pysaliency.open_predictions(self.file) as maps:
            for sample, key in zip(samples, map_files.find(samples, maps, map_files.KEYS, self.file), strict=True):
                yield map_files.as_prediction(pysaliency.read_map(maps[key]), sample, self.resize)


class BaselineSource:
    """A classical saliency model.

    Args:
        name: One of `keras_saliency.baselines.BASELINES`.
        data: The data set, as in `keras_saliency.baselines.make_baseline`.

    Raises:
        ValueError: If the name is unknown.
    """

    def __init__(self, name: str, data: DataSet) -> None:
        self.name, self.predict = name, baselines.make_baseline(name, data)

    def predictions(self, samples: Samples) -> Iterator[Prediction]:
        """Yields a `Prediction` for each sample."""
        for sample in samples:
            yield Prediction(self.predict(sample.read()), False, False)


class VideoBaselineSource:
    """A classical model of videos, which goes through the frames of each video, or shot, from the first one.

    Args:
        name: One of `keras_saliency.baselines.VIDEO_BASELINES`.
        data: The data set, as in `keras_saliency.baselines.make_video_baseline`.

    Raises:
        ValueError: If the name is unknown.
    """

    follows_frames = True

    def __init__(self, name: str, data: DataSet) -> None:
        self.name, self.predict = name, baselines.make_video_baseline(name, data)

    def predictions(self, samples: Samples) -> Iterator[Prediction]:
        """Yields a `Prediction` for each sample; an image is a video of one frame."""
        for own in _shots(samples):
            for found in self.predict(sample.read() for sample in own):
                yield Prediction(found, False, False)


# What lies at a path -> the source for it; the first row that fits.
SOURCES: tuple[tuple[Callable[[Path], bool], Callable[[Path, bool], Source]], ...] = (
    (lambda path: (path / "saved_model.pb").is_file(), lambda path, resize: SavedModelSource(path)),
    (lambda path: (path / ABOUT).is_file(), lambda path, resize: NetworkSource(path)),
    (lambda path: path.is_dir(), FolderSource),
    (lambda path: path.suffix.lower() in HDF5, HDF5Source),
)


def open_source(
    path: str | Path | keras.Model | Run | Source, resize: bool = False, data: DataSet | None = None
) -> Source:
    """The source for what lies at a path, for the name of a baseline, or for a model.

    Args:
        path: The folder of a run with `model.keras`, a `.keras` file, a SavedModel, a network of another runtime, a
            folder of maps, an HDF5 file, the name of a baseline, a Keras model, or a `Run`. A source is returned as it
            is.
        resize: Whether maps of another size than their image are resized.
        data: The data set, for baselines; without it, there are paths only.

    Raises:
        FileNotFoundError: If there is nothing.
        ValueError: If it is nothing of these, or the model does not give saliency maps.
        ImportError: If the runtime of a network is not installed.
    """
    if hasattr(path, "predictions"):
        return cast(Source, path)
    predicted = data.name if data is not None else None
    if isinstance(path, Run | keras.Model):
        model = path.model if isinstance(path, Run) else path
        if isinstance(model, VideoModel):
            return VideoSource(model, path.name)
        return ModelSource(model, path.name, data=predicted)
    if data is not None and str(path) in baselines.BASELINES:
        return BaselineSource(str(path), data)
    if data is not None and str(path) in baselines.VIDEO_BASELINES:
        return VideoBaselineSource(str(path), data)
    path = Path(path)
    if is_shipped(path):
        return open_source(load(path), resize, data)
    if not path.exists():
        known = ", ".join([*baselines.BASELINES, *baselines.VIDEO_BASELINES])
        others = f", one of the baselines {known}" if data is not None else ""
        raise FileNotFoundError(
            f"{path} does not exist. Expected a model, a folder of maps, an HDF5 file{others}, or a model that comes "
            f"with the package: {', '.join(SHIPPED)}."
        )
    if path.suffix == ".keras" or (path / MODEL).is_file():
        return open_source(load(path, videos=True), resize, data)
    for fits, source in SOURCES:
        if fits(path):
            return source(path, resize)
    raise ValueError(
        f"{path} holds no predictions. Expected a .keras file or the folder of a run, a SavedModel, a folder of "
        f"PNG, JPEG, NPY or MAT files, or an HDF5 file ({', '.join(HDF5)})."
    )


def _shots(samples):
    """The frames of each video, or of each shot, in order; an image alone."""
    return (samples[shot.start : shot.stop] for shot in shots_in(samples).values())


def _unletterbox(prediction, sample, log_density):
    """The prediction from a model's output `(height, width, 1)` for the letterboxed image."""
    native = geometry.unletterbox(prediction, sample.size, log_density)
    return map_files.as_prediction(native.numpy()[..., 0], sample)
