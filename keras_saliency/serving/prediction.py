"""From photographs to maps and overlays."""

import collections
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple, TypeAlias, overload

import keras
import numpy as np
from PIL import Image, ImageOps

from keras_saliency.data import geometry
from keras_saliency.formulas.types import Photograph, Plane
from keras_saliency.models import gives_log_density, require_log_density
from keras_saliency.reporting import plotting
from keras_saliency.reporting.progress import Progress, make_console
from keras_saliency.serving.load import Run, load

FORMATS, ORIENTATION = ("JPEG", "PNG"), 0x0112  # the number of the EXIF tag
SUFFIXES = (".jpg", ".jpeg", ".png")
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
        raise FileNotFoundError(f"No {', '.join(SUFFIXES)} files in {', '.join(map(str, paths))}.")
    return found


AnyModel: TypeAlias = keras.Model | Run | str | Path
AnyImage: TypeAlias = Photograph | str | Path


@overload
def predict(model: AnyModel, images: AnyImage | Sequence[AnyImage]) -> Plane | list[Plane]: ...
@overload
def predict(
    model: AnyModel,
    images: str | Path | Sequence[str | Path],
    out: str | Path,
    log_density: bool = False,
    verbose: bool = True,
) -> Predicted: ...
def predict(model, images, out=None, log_density=False, verbose=True):
    """Predicts where people look in photographs.

    Args:
        model: A Keras model that gives saliency maps, a `Run`, the folder of a run, or a `.keras` file.
        images: An image `(height, width, 3)`, uint8 RGB; the path of a photograph (JPEG, PNG) or of a folder of them,
            searched deeply; or a list of these.
        out: The folder for maps and overlays, as `predict_files` writes them; None writes nothing.
        log_density: Whether to write the exact log-densities, too.
        verbose: Whether to print what is written.

    Returns:
        Without `out` the map of an image at its own size, `(height, width)`, float32: the log-density, whose
        exponential sums to one, or, from a model that gives none, a map without negative values. A list of maps for a
        list or a folder. With `out`, what `predict_files` returns.

    Raises:
        FileNotFoundError: If the model or an image does not exist.
        FileExistsError: If a file to be written exists; nothing has been written then.
        ValueError: If an array is no image, there is one to be written, or the model gives no saliency maps.
        OSError: If a photograph cannot be read whole, without `out`.
    """
    model = model if isinstance(model, keras.Model) else (model if isinstance(model, Run) else load(model)).model
    several = isinstance(images, list | tuple) or (isinstance(images, str | Path) and Path(images).is_dir())
    listed = list(images) if isinstance(images, list | tuple) else [images]
    if out is not None:
        if any(not isinstance(item, str | Path) for item in listed):
            raise ValueError("Only photographs in files have names to be written by: leave out away for arrays.")
        with Progress(make_console(verbose)) as bars:
            task = bars.add_task("images", total=None)
            return predict_files(
                model, listed, out, log_density, lambda done, total: bars.update(task, completed=done, total=total)
            )
    arrays = []
    for item in listed:
        found = [path for path, _ in find_images([item])] if isinstance(item, str | Path) else [item]
        arrays += [read_photograph(one) if isinstance(one, Path) else _as_image(one) for one in found]
    is_log_density = gives_log_density(model)
    maps = [predict_image(model, array, is_log_density) for array in arrays]
    return maps if several else maps[0]


def _as_image(array):
    array = np.asarray(array)
    if array.ndim != 3 or array.shape[-1] != 3 or array.dtype != "uint8":
        raise ValueError(f"An image is (height, width, 3), uint8. Received: {array.dtype} of shape {array.shape}.")
    return array


def predict_image(model: keras.Model, image: Photograph, log_density: bool | None = None) -> Plane:
    """What a model gives for one image `(height, width, 3)`, uint8, at its own size: `(height, width)`.

    A log-density, or another map without negative values. Which of both, if not told, is found out by
    `keras_saliency.models.gives_log_density`.
    """
    log_density = gives_log_density(model) if log_density is None else log_density
    letterboxed = geometry.letterbox(image, model.input_shape[1:3])
    prediction = model(letterboxed[None], training=False)[0]
    return geometry.unletterbox(prediction, image.shape[:2], log_density).numpy()[..., 0]


def read_photograph(path: str | Path) -> Photograph:
    """Reads an RGB image `(height, width, 3)`, uint8, turned upright if its EXIF data say so.

    The pixels of an upright JPEG or PNG file are those that training and evaluation see: decoders differ by a few grey
    levels, and predictions with them.

    Raises:
        OSError: If it cannot be read whole.
    """
    with Image.open(path) as image:
        whole = ImageOps.exif_transpose(image).convert("RGB")
        if image.format in FORMATS and image.mode in ("L", "RGB") and image.getexif().get(ORIENTATION, 1) == 1:
            return geometry.decode(Path(path).read_bytes()).numpy()
    return np.asarray(whole)


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
    for target, count in collections.Counter(targets).items():
        if count > 1:
            raise ValueError(f"{count} images would write {target}{ENDINGS[0]}. Rename them, or predict them apart.")
    outputs = [[target.with_name(target.name + end) for end in ENDINGS[: 2 + log_density]] for target in targets]
    for path in (path for group in outputs for path in group):
        if path.exists():
            raise FileExistsError(f"{path} exists already. Choose another --out folder.")
    written, skipped = [], []
    for done, ((path, _), group) in enumerate(zip(images, outputs, strict=True), 1):
        try:
            image = read_photograph(path)
        except OSError as error:
            skipped.append(f"{path} cannot be read ({error})")
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
