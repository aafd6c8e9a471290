"""From photographs to maps and overlays."""

import collections
from pathlib import Path

import keras
import numpy as np
from PIL import Image, ImageOps

from keras_saliency import plotting
from keras_saliency.data import geometry
from keras_saliency.models import gives_log_density, require_log_density

FORMATS, ORIENTATION = ("JPEG", "PNG"), 0x0112  # the number of the EXIF tag
SUFFIXES = (".jpg", ".jpeg", ".png")
ENDINGS = ("_saliency.png", "_overlay.jpg", "_log_density.npy")


def load_model(path):
    """Loads a trained model.

    Args:
        path: A `.keras` file, or the folder of a run that holds `model.keras`.

    Raises:
        FileNotFoundError: If there is none; says where it was looked for.
        ValueError: If the file is no Keras model that gives saliency maps.
    """
    path = Path(path)
    file = path / "model.keras" if path.is_dir() else path
    if not file.is_file():
        raise FileNotFoundError(f"{file} does not exist. Expected a .keras file or the --workdir of a finished run.")
    try:
        model = keras.models.load_model(file, compile=False)
    except Exception as error:
        raise ValueError(f"{file} cannot be loaded as a Keras model: {error}") from error
    gives_log_density(model)
    return model


def find_images(paths):
    """The images among files and folders, in order; folders are searched deeply.

    Raises:
        FileNotFoundError: If a path does not exist, or there is no image at all.
    """
    found = []
    for path in map(Path, paths):
        if not path.exists():
            raise FileNotFoundError(f"{path} does not exist.")
        inside = sorted(p for p in path.rglob("*") if p.suffix.lower() in SUFFIXES) if path.is_dir() else [path]
        found += [(p, p.relative_to(path) if path.is_dir() else Path(p.name)) for p in inside]
    if not found:
        raise FileNotFoundError(f"No {', '.join(SUFFIXES)} files in {', '.join(map(str, paths))}.")
    return found


def predict(model, image, log_density=None):
    """What a model gives for one image `(height, width, 3)`, uint8, at its own size: `(height, width)`.

    A log-density, or another map without negative values. Which of both, if not told, is found out by
    `keras_saliency.models.gives_log_density`.
    """
    log_density = gives_log_density(model) if log_density is None else log_density
    letterboxed = geometry.letterbox(image, model.input_shape[1:3])
    prediction = model(letterboxed[None], training=False)[0]
    return geometry.unletterbox(prediction, image.shape[:2], log_density).numpy()[..., 0]


def read_photograph(path):
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


def predict_files(model, paths, directory, log_density=False, progress=lambda done, total: None):
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
        The number of images written, and a line for each that could not be read.

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
    skipped = []
    for done, ((path, _), group) in enumerate(zip(images, outputs, strict=True), 1):
        try:
            image = read_photograph(path)
        except OSError as error:
            skipped.append(f"{path} cannot be read ({error})")
            continue
        predicted = predict(model, image, is_log_density)
        saliency = geometry.to_saliency(predicted[..., None], is_log_density).numpy()[..., 0]
        group[0].parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.round(255 * saliency).astype("uint8")).save(group[0])
        Image.fromarray(plotting.overlay(image, saliency)).save(group[1], quality=92)
        if log_density:
            np.save(group[2], predicted)
        progress(done, len(images))
    return len(images) - len(skipped), skipped
