"""Networks for other runtimes."""

import dataclasses
import json
import tempfile
from collections.abc import Iterable
from pathlib import Path

import keras
import numpy as np

from keras_saliency.data import image_files, showing
from keras_saliency.formulas.types import Size
from keras_saliency.formulas.view import View
from keras_saliency.models import gives_log_density, require_finite
from keras_saliency.models.sizes import require_shown
from keras_saliency.runtimes.calling import quiet
from keras_saliency.runtimes.frozen import freeze
from keras_saliency.runtimes.network import ABOUT
from keras_saliency.runtimes.table import require_runtime
from keras_saliency.serving.on_tensorflow import call_on_tensorflow
from keras_saliency.serving.photographs import find_images
from keras_saliency.writing.files import require_new, whole

CLOSE = 1e-3  # what log-densities may differ by from those of TensorFlow; other maps by half a grey level of their peak
CALIBRATED = 32  # photographs at most


def export_network(
    model: keras.Model,
    directory: str | Path,
    to: str,
    size: Size | None = None,
    quantize: str | None = None,
    photographs: str | Path | Iterable[str | Path] = (),
) -> float | None:
    """Writes a network for another runtime, whole or not at all, and lets that compute an image before it is there.

    In the folder are the network and `network.json`, which says how it sees pictures. It takes `images`, float32 RGB
    `(batch, height, width, 3)` in [0, 255], and gives `maps`, `(batch, height, width, 1)`. `open_network` opens it, and
    `keras_saliency.evaluate` scores it.

    Args:
        model: A model that gives saliency maps.
        directory: A new folder.
        to: One of `RUNTIMES`.
        size: `(height, width)` of a frame in which it sees all images; by default it sees them by its view, at any
            size, or in the frame that it was made for.
        quantize: `"int8"` for convolutions with 8-bit weights and inputs.
        photographs: Files and folders by which the ranges of these are found, as many as 32 of them: such as the
            network will see.

    Returns:
        What an 8-bit network loses: bits of information about a fixation, the mean over the photographs or the windows
        in which they are seen, if people looked where the model says that they do. None without `quantize`.

    Raises:
        FileExistsError: If the folder exists and is not empty.
        FileNotFoundError: If a photograph does not exist, or there is none.
        ImportError: If the runtime is not installed; says what to install.
        ValueError: If the runtime is unknown, the model does not give saliency maps, its weights are not finite, it
            needs a size; if `quantize` is unknown or comes without photographs, or those without it.
        OSError: If a photograph cannot be read, or the disk is full.
        RuntimeError: If the network cannot be converted, or gives other maps than the model; on other backends,
            whatever is wrong.
    """
    runtime = require_runtime(to, converting=True)
    require_finite(model)
    shown, log_density = require_shown(model, size), gives_log_density(model)
    if quantize not in (None, "int8"):
        raise ValueError(f"Unknown quantize={quantize!r}. Known: int8.")
    files = [photographs] if isinstance(photographs, str | Path) else list(photographs)
    if bool(files) != bool(quantize):
        raise ValueError("An int8 network needs photographs, such as it will see, and no other one does.")
    require_new(Path(directory), "Choose another one, or delete it.")
    if keras.backend.backend() != "tensorflow":
        given = {"to": to, "size": size, "quantize": quantize, "photographs": [*map(str, files)]}
        return call_on_tensorflow(model, "export_network", directory=str(directory), **given)
    # Named before the folder is made, as a file that is no photograph is.
    seen = [window[None] for path in _some(files) for window in _windows(path, shown)]
    with whole(directory) as part, tempfile.TemporaryDirectory() as folder:
        part.mkdir(parents=True)
        plain = (Path(folder) if quantize else part) / runtime.file
        try:
            with quiet():
                runtime.convert(freeze(model, shown, Path(folder) / "frozen"), plain)
                _require_close(runtime.load(plain), model, shown, log_density)
                if quantize:
                    runtime.quantize(plain, part / runtime.file, seen)
        except OSError:
            raise
        except Exception as error:  # Converters raise whatever they like.
            said = " ".join(str(error).split())[:300]
            raise RuntimeError(f"{model.name} cannot be converted to {to}: {said or type(error).__name__}") from error
        about = {
            "name": model.name,
            "runtime": to,
            "quantized": quantize,
            "log_density": log_density,
            "view": dataclasses.asdict(shown) if isinstance(shown, View) else None,
            "frame": None if isinstance(shown, View) else [*shown],
        }
        (part / ABOUT).write_text(json.dumps(about, indent=2) + "\n")
        if not quantize:
            return None
        lost = _lost(runtime.load(part / runtime.file), runtime.load(plain), seen, log_density)
        if not np.isfinite(lost):
            raise RuntimeError(f"{model.name} cannot be converted to {to}: with 8 bits its maps are not finite.")
        return lost


def _some(files):
    """Photographs among files and folders, evenly taken."""
    found = [path for path, _ in find_images(files)] if files else []
    return found[:: -(-len(found) // CALIBRATED) or 1]


def _windows(path, shown):
    return showing.show(image_files.read(path, path), shown).numpy()


def _require_close(call, model, shown, log_density):
    """Checks that a network gives what the model gives."""
    sides = (model.input_shape[1:3] if isinstance(shown, View) else shown) or ()
    images = np.random.default_rng(0).uniform(0.0, 255.0, (2, *sides, 3)).astype("float32")
    expected, received = keras.ops.convert_to_numpy(model(images, training=False)), call(images)
    allowed = CLOSE if log_density else expected.max() / 510
    if expected.shape != received.shape or not np.abs(expected - received).max() <= allowed:
        raise ValueError("its maps differ from those of TensorFlow.")


def _lost(call, before, seen, log_density):
    """Bits of information about a fixation that one network lacks if another one is right, the mean over images."""
    lost = []
    for images in seen:
        right, made = (_as_log_density(each(images), log_density) for each in (before, call))
        lost.append(np.sum(np.exp(right) * (right - made)) / np.log(2.0))
    return float(np.mean(lost))


def _as_log_density(maps, log_density):
    maps = maps.astype("float64")
    return maps if log_density else np.log((maps + 1e-12) / (maps + 1e-12).sum())
