"""From photographs to maps and overlays."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeAlias, overload

import keras
import numpy as np
from keras import ops

from keras_saliency.data import image_files, showing
from keras_saliency.formulas.types import Photograph, Plane, Size
from keras_saliency.models import gives_log_density, require_finite, require_log_density
from keras_saliency.models.calling import FEW, outputs
from keras_saliency.models.sizes import shown_for, size_of
from keras_saliency.serving import writing
from keras_saliency.serving.load import Run, load
from keras_saliency.serving.photographs import MAPS, find_images, is_complete, plan
from keras_saliency.writing import files
from keras_saliency.writing.progress import Progress, make_console

BATCH = 8  # windows of a long picture that go through a model at once
WRITERS = 3
ROOM = 1 << 25  # pixels of the photographs that are being written at once


class Predicted(NamedTuple):
    """What `predict_files` did.

    Attributes:
        written: The map of each photograph; its overlay lies beside it. Those that were there before are among them.
        skipped: A line for each photograph of which there is no map, which says why.
    """

    written: list[Path]
    skipped: list[str]


AnyModel: TypeAlias = keras.Model | Run | str | Path
AnyImage: TypeAlias = Photograph | str | Path
Existing: TypeAlias = Literal["error", "resume", "overwrite"]


@overload
def predict(
    model: AnyModel,
    images: AnyImage | Iterable[AnyImage],
    *,
    size: Size | None = None,
    pixels_per_degree: float | None = None,
) -> Plane | list[Plane]: ...
@overload
def predict(
    model: AnyModel,
    images: str | Path | Iterable[str | Path],
    out: str | Path,
    log_density: bool = False,
    verbose: bool = True,
    existing: Existing = "error",
    size: Size | None = None,
    pixels_per_degree: float | None = None,
) -> Predicted: ...
def predict(
    model: AnyModel,
    images: AnyImage | Iterable[AnyImage],
    out: str | Path | None = None,
    log_density: bool = False,
    verbose: bool = True,
    existing: Existing = "error",
    size: Size | None = None,
    pixels_per_degree: float | None = None,
) -> Plane | list[Plane] | Predicted:
    """Predicts where people look in photographs.

    Args:
        model: A Keras model that gives saliency maps, a `Run`, the folder of a run, or a `.keras` file.
        images: An image `(height, width, 3)`, uint8 RGB; the path of a photograph (JPEG, PNG, GIF, BMP, WebP) or
            of a folder of them, searched deeply; or a list of these.
        out: The folder for maps and overlays, as `predict_files` writes them; None writes nothing.
        log_density: Whether to write the exact log-densities beside the maps, too.
        verbose: Whether to print what is done, with `out`.
        existing: What is done about files that are there, with `out`: `"error"` raises before anything is written,
            `"resume"` leaves photographs alone of which all files are there, and `"overwrite"` replaces them.
        size: `(height, width)` of a frame in which the model sees the images; by default it sees them by its view, or
            in the frame that it was made for. One of any size sees each as large as it is, up to 1024 pixels on the
            longer side.
        pixels_per_degree: The pixels of a degree of visual angle in the images, as far as known, for a model whose view
            is in degrees; see `View`.

    Returns:
        Without `out` the map of an image at its own size, `(height, width)`, float32: the log-density, whose
        exponential sums to one, or, from a model that gives none, a map without negative values. A list of maps for a
        list or a folder. With `out`, what `predict_files` returns.

    Raises:
        FileNotFoundError: If the model or an image does not exist.
        FileExistsError: If a file to be written exists, unless told otherwise; nothing has been written then.
        ValueError: If an array is no image, there is one to be written, the model gives no saliency maps, has weights
            that are not finite, or does not take images of the size.
        OSError: If a photograph cannot be read whole, without `out`; if `out` cannot be written to.
    """
    console = make_console(verbose and out is not None)
    if isinstance(model, keras.Model | Run):
        network = model.model if isinstance(model, Run) else model
        require_finite(network)
    else:
        console.print("loading the model")
        network = load(model).model  # which has looked at its weights
    listed: list[Any] = [images] if isinstance(images, str | Path | np.ndarray) else list(images)
    if out is not None:
        if any(not isinstance(item, str | Path) for item in listed):
            raise ValueError("Only photographs in files have names to be written by. Leave `out` away for arrays.")
        with Progress(console) as bars:
            task = bars.add_task("images", total=None)

            def progress(done, total):
                bars.update(task, completed=done, total=total)

            return _predict_files(network, listed, out, log_density, progress, existing, size, pixels_per_degree)
    is_log_density = gives_log_density(network)
    maps = [predict_image(network, image, is_log_density, size, pixels_per_degree) for image in _read(listed)]
    one = isinstance(images, np.ndarray) or (isinstance(images, str | Path) and not Path(images).is_dir())
    return maps[0] if one else maps


def _read(images):
    """Yields the images, one at a time: there may be more than memory holds."""
    for item in images:
        if isinstance(item, str | Path):
            yield from (image_files.read(path, path) for path, _ in find_images([item]))
        else:
            yield _as_image(item)


def _as_image(array):
    array = np.asarray(array)
    if array.ndim != 3 or array.shape[-1] != 3 or array.dtype != "uint8":
        raise ValueError(f"An image is (height, width, 3), uint8. Received: {array.dtype} of shape {array.shape}.")
    return array


def predict_image(
    model: keras.Model,
    image: Photograph,
    log_density: bool | None = None,
    size: Size | None = None,
    pixels_per_degree: float | None = None,
) -> Plane:
    """What a model gives for one image `(height, width, 3)`, uint8, at its own size: `(height, width)`.

    A log-density, or another map without negative values. Which of both, if not told, is found out by
    `keras_saliency.models.gives_log_density`.

    Args:
        model: A model that gives saliency maps.
        image: The image.
        log_density: Whether it gives a log-density.
        size: As in `predict`.
        pixels_per_degree: As in `predict`.

    Raises:
        ValueError: If it has NaN or infinite values, or the model does not take images of the size.
    """
    log_density = gives_log_density(model) if log_density is None else log_density
    shown = shown_for(model, image.shape[:2], size, pixels_per_degree)
    predictions = _forward(model, showing.show(image, shown, pixels_per_degree).numpy())
    return _native(model, predictions, image, log_density, shown, pixels_per_degree)


def _forward(model, seen, graph=False):
    """The outputs for the windows of an image."""
    try:
        # Under a strategy of `tf.distribute`, every replica answers with the whole batch, one after the other.
        parts = [seen[start : start + BATCH] for start in range(0, len(seen), BATCH)]
        return np.concatenate([ops.convert_to_numpy(outputs(model, part, graph))[: len(part)] for part in parts])
    except Exception as error:
        if seen.shape[1:3] == model.input_shape[1:3]:
            raise
        height, width = seen.shape[1:3]
        raise ValueError(
            f"{model.name} cannot take an image of {height}x{width}: choose a size that it takes, such as "
            f"size=(480, 640) or --size 480 640. {error}"
        ) from error


def _native(model, predictions, image, log_density, shown, pixels_per_degree):
    native = showing.put_back(predictions, image.shape[:2], shown, log_density, pixels_per_degree)
    native = np.asarray(native)[..., 0]  # no copy
    if not np.isfinite(native).all():
        require_finite(model)
        raise ValueError(f"{model.name} predicts NaN or infinite values. Compute it in float32.")
    return native


def predict_files(
    model: keras.Model,
    paths: Iterable[str | Path],
    directory: str | Path,
    log_density: bool = False,
    progress: Callable[[int, int], None] = lambda done, total: None,
    existing: Existing = "error",
    size: Size | None = None,
    pixels_per_degree: float | None = None,
) -> Predicted:
    """Writes the saliency map and an overlay for each photograph.

    For `NAME.jpg` the folder receives `NAME_saliency.png` (8 bit, the peak is white) and `NAME_overlay.jpg`, at the
    size of the photograph. Each file appears when it is complete, and the map last. A photograph that cannot be
    predicted is left out and named.

    Args:
        model: A model that gives saliency maps.
        paths: Files and folders.
        directory: The folder to write to; the folders below a given folder are kept.
        log_density: Whether to write the exact log-density, too: `NAME_log_density.npy`, float32. The model must give
            one.
        progress: Called with the numbers of images done and in all.
        existing: As in `predict`.
        size: As in `predict`.
        pixels_per_degree: As in `predict`.

    Returns:
        A `Predicted`.

    Raises:
        FileNotFoundError: If a path does not exist, or there is no image at all.
        FileExistsError: If a file to be written exists, unless told otherwise; nothing has been written then.
        ValueError: If two images would write the same file, the model does not give the log-density asked for, has
            weights that are not finite, or does not take images of the size.
        OSError: If a file cannot be written.
    """
    require_finite(model)
    return _predict_files(model, paths, directory, log_density, progress, existing, size, pixels_per_degree)


def _predict_files(model, paths, directory, log_density, progress, existing, size, pixels_per_degree):
    """As `predict_files`, of a model whose weights are finite."""
    planned = plan(find_images(paths), Path(directory), MAPS[: 2 + log_density], existing)
    files.require_writable(directory)
    kept = {path for path, group in planned if existing == "resume" and is_complete(path, group)}
    missing = [row for row in planned if row[0] not in kept]
    errors = {}
    jobs = predict_planned(model, missing, log_density, size, pixels_per_degree, graph=len(planned) > FEW)
    for done, job in enumerate(jobs, len(kept) + 1):
        if job.error:
            errors[job.path] = job.error
        progress(done, len(planned))
    return Predicted([group[0] for path, group in planned if path not in errors], list(errors.values()))


def predict_planned(
    model: keras.Model,
    planned: Iterable[tuple[Path, Sequence[Path]]],
    log_density: bool = False,
    size: Size | None = None,
    pixels_per_degree: float | None = None,
    graph: bool = True,
    write: Callable[[writing.Job], writing.Job] = writing.write,
) -> Iterator[writing.Job]:
    """Predicts photographs, of which one is read and others are written while one is predicted.

    Args:
        model: As in `predict_files`.
        planned: Photographs, each with its files.
        log_density: As in `predict_files`.
        size: As in `predict`.
        pixels_per_degree: As in `predict`.
        graph: Whether the function that Keras makes of the model predicts all, so that none depends, in its last
            bits, on how many came before; for few photographs there is no time to make it.
        write: What is done with a job whose `contents` are there; by default its files are written.

    Yields:
        What `write` returns, in order; of a photograph that cannot be predicted it has an `error`.

    Raises:
        ValueError, OSError: As `predict_files`.
    """
    size_of(model, size)
    if log_density:
        require_log_density(model)
    is_log_density = gives_log_density(model)

    def see(job):
        job.image = image_files.read(job.path, job.path)
        job.shown = shown_for(model, job.image.shape[:2], size, pixels_per_degree)
        job.seen = showing.show(job.image, job.shown, pixels_per_degree).numpy()

    def forward(job):
        job.prediction = _forward(model, job.seen, graph)

    def draw(job):
        native = _native(model, job.prediction, job.image, is_log_density, job.shown, pixels_per_degree)
        job.contents = writing.draw(job.image, native, is_log_density, log_density)

    with ThreadPoolExecutor(1) as reader, ThreadPoolExecutor(WRITERS) as writers:
        jobs = (writing.Job(*row) for row in planned)
        seen = writing.in_order(reader, writing.attempt(see), jobs, 2, lambda job: 1)
        predicted = map(writing.attempt(forward), seen)
        yield from writing.in_order(writers, lambda job: write(writing.attempt(draw)(job)), predicted, ROOM, _pixels)


def _pixels(job):
    return 0 if job.image is None else job.image.shape[0] * job.image.shape[1]
