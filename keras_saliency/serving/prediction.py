"""From photographs to maps and overlays."""

import collections
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias, overload

import keras
import numpy as np
from PIL import Image

from keras_saliency.data import geometry, image_files
from keras_saliency.formulas.types import Photograph, Plane
from keras_saliency.models import gives_log_density, require_finite, require_log_density
from keras_saliency.reporting import plotting
from keras_saliency.reporting.progress import Progress, make_console
from keras_saliency.serving.load import Run, load

SUFFIXES = (*image_files.READ, *image_files.REFUSED)
ENDINGS = ("_saliency.png", "_overlay.jpg", "_log_density.npy")


class Predicted(NamedTuple):
    """What `predict_files` did.

    Attributes:
        written: The map of each photograph; its overlay lies beside it.
        skipped: A line for each photograph that could not be read.
    """

    written: list[Path]
    skipped: list[str]


def find_images(paths: Iterable[str | Path]) -> list[tuple[Path, Path]]:
    """The images among files and folders, in order, and their paths within these; folders are searched deeply.

    Raises:
        FileNotFoundError: If a path does not exist, or there is no image at all.
    """
    found, paths = [], list(paths)
    for path in map(Path, paths):
        if not path.exists():
            raise FileNotFoundError(f"{path} does not exist.")
        inside = sorted(p for p in path.rglob("*") if p.suffix.lower() in SUFFIXES) if path.is_dir() else [path]
        found += [(p, p.relative_to(path) if path.is_dir() else Path(p.name)) for p in inside]
    if not found:
        where = ", ".join(map(str, paths)) or "an empty list"
        raise FileNotFoundError(f"No {', '.join(image_files.READ)} files in {where}.")
    return found


AnyModel: TypeAlias = keras.Model | Run | str | Path
AnyImage: TypeAlias = Photograph | str | Path


@overload
def predict(model: AnyModel, images: AnyImage | Iterable[AnyImage]) -> Plane | list[Plane]: ...
@overload
def predict(
    model: AnyModel,
    images: str | Path | Iterable[str | Path],
    out: str | Path,
    log_density: bool = False,
    verbose: bool = True,
) -> Predicted: ...
def predict(
    model: AnyModel,
    images: AnyImage | Iterable[AnyImage],
    out: str | Path | None = None,
    log_density: bool = False,
    verbose: bool = True,
) -> Plane | list[Plane] | Predicted:
    """Predicts where people look in photographs.

    Args:
        model: A Keras model that gives saliency maps, a `Run`, the folder of a run, or a `.keras` file.
        images: An image `(height, width, 3)`, uint8 RGB; the path of a photograph (JPEG, PNG, GIF, BMP, WebP) or
            of a folder of them, searched deeply; or a list of these.
        out: The folder for maps and overlays, as `predict_files` writes them; None writes nothing.
        log_density: Whether to write the exact log-densities beside the maps, too.
        verbose: Whether to print what is done, with `out`.

    Returns:
        Without `out` the map of an image at its own size, `(height, width)`, float32: the log-density, whose
        exponential sums to one, or, from a model that gives none, a map without negative values. A list of maps for a
        list or a folder. With `out`, what `predict_files` returns.

    Raises:
        FileNotFoundError: If the model or an image does not exist.
        FileExistsError: If a file to be written exists; nothing has been written then.
        ValueError: If an array is no image, there is one to be written, or the model gives no saliency maps or has
            weights that are not finite.
        OSError: If a photograph cannot be read whole, without `out`.
    """
    console = make_console(verbose and out is not None)
    if not isinstance(model, keras.Model | Run):
        console.print("loading the model")
        model = load(model)
    network = model.model if isinstance(model, Run) else model
    require_finite(network)
    listed: list[Any] = [images] if isinstance(images, str | Path | np.ndarray) else list(images)
    if out is not None:
        if any(not isinstance(item, str | Path) for item in listed):
            raise ValueError("Only photographs in files have names to be written by. Leave `out` away for arrays.")
        with Progress(console) as bars:
            task = bars.add_task("images", total=None)
            return predict_files(
                network, listed, out, log_density, lambda done, total: bars.update(task, completed=done, total=total)
            )
    is_log_density = gives_log_density(network)
    maps = [predict_image(network, image, is_log_density) for image in _read(listed)]
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


def predict_image(model: keras.Model, image: Photograph, log_density: bool | None = None) -> Plane:
    """What a model gives for one image `(height, width, 3)`, uint8, at its own size: `(height, width)`.

    A log-density, or another map without negative values. Which of both, if not told, is found out by
    `keras_saliency.models.gives_log_density`.

    Raises:
        ValueError: If it has NaN or infinite values.
    """
    log_density = gives_log_density(model) if log_density is None else log_density
    letterboxed = geometry.letterbox(image, model.input_shape[1:3])
    prediction = model(letterboxed[None], training=False)[0]
    native = geometry.unletterbox(prediction, image.shape[:2], log_density).numpy()[..., 0]
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
) -> Predicted:
    """Writes the saliency map and an overlay for each photograph.

    For `NAME.jpg` the folder receives `NAME_saliency.png` (8 bit, the peak is white) and `NAME_overlay.jpg`, at the
    size of the photograph.

    Args:
        model: A model that gives saliency maps.
        paths: Files and folders.
        directory: The folder to write to; the folders below a given folder are kept.
        log_density: Whether to write the exact log-density, too: `NAME_log_density.npy`, float32. The model must give
            one.
        progress: Called with the numbers of images done and in all.

    Returns:
        A `Predicted`.

    Raises:
        FileExistsError: If a file to be written exists; nothing has been written then.
        ValueError: If two images would write the same file, or the model does not give the log-density asked for.
        OSError: If a file cannot be written.
    """
    if log_density:
        require_log_density(model)
    is_log_density = gives_log_density(model)
    images = find_images(paths)
    targets = [Path(directory) / relative.with_suffix("") for _, relative in images]
    written_by = zip(images, targets, strict=True)
    readable = [target for (path, _), target in written_by if path.suffix.lower() not in image_files.REFUSED]
    for target, count in collections.Counter(readable).items():
        if count > 1:
            raise ValueError(f"{count} images would write {target}{ENDINGS[0]}. Rename them, or predict them apart.")
    outputs = [[target.with_name(target.name + end) for end in ENDINGS[: 2 + log_density]] for target in targets]
    for path in (path for group in outputs for path in group):
        if path.exists():
            raise FileExistsError(f"{path} exists already. Choose another --out folder.")
    written, skipped = [], []
    for done, ((path, _), group) in enumerate(zip(images, outputs, strict=True), 1):
        try:
            image = image_files.read(path, path)
        except OSError as error:
            skipped.append(str(error))
            progress(done, len(images))
            continue
        predicted = predict_image(model, image, is_log_density)
        saliency = geometry.to_saliency(predicted[..., None], is_log_density).numpy()[..., 0]
        group[0].parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.round(255 * saliency).astype("uint8")).save(group[0])
        Image.fromarray(plotting.overlay(image, saliency)).save(group[1], quality=92)
        if log_density:
            np.save(group[2], predicted)
        written.append(group[0])
        progress(done, len(images))
    return Predicted(written, skipped)
