"""Networks of other runtimes, opened."""

import dataclasses
import json
from pathlib import Path

import numpy as np

from keras_saliency.data import showing
from keras_saliency.formulas.types import Photograph, Plane, Size
from keras_saliency.formulas.view import View
from keras_saliency.runtimes.calling import Call
from keras_saliency.runtimes.table import require_runtime

ABOUT = "network.json"  # by which the folder of a network is known


@dataclasses.dataclass(frozen=True)
class Network:
    """A network that another runtime computes.

    Attributes:
        name: That of the model that it was.
        call: From images `(batch, height, width, 3)`, float32 in [0, 255], to maps `(batch, height, width, 1)`.
        shown: The frame in which it sees pictures, or its view.
        log_density: Whether maps are log-densities, or without negative values.
    """

    name: str
    call: Call
    shown: Size | View
    log_density: bool

    def native(self, image: Photograph, pixels_per_degree: float | None = None) -> Plane:
        """What it gives for a picture, as `keras_saliency.predict` does: `(height, width)` at its own size.

        Args:
            image: `(height, width, 3)`, uint8 RGB.
            pixels_per_degree: Of the picture, as far as known.

        Raises:
            ValueError: If the picture has not the size that the view needs.
        """
        if isinstance(self.shown, View):
            self.shown.of(image.shape[:2], pixels_per_degree)
        seen = showing.show(image, self.shown, pixels_per_degree).numpy()
        maps = np.concatenate([self.call(window[None]) for window in seen])
        return showing.put_back(maps, image.shape[:2], self.shown, self.log_density, pixels_per_degree).numpy()[..., 0]


def open_network(directory: str | Path) -> Network:
    """Opens what `export_network` wrote.

    Args:
        directory: Its folder.

    Raises:
        FileNotFoundError: If there is none.
        ImportError: If its runtime is not installed.
        ValueError: If it cannot be read.
    """
    file = Path(directory) / ABOUT
    if not file.is_file():
        raise FileNotFoundError(f"{file} does not exist. Expected the folder that `export --to` wrote.")
    try:
        about = json.loads(file.read_text())
        shown = View(**about["view"]) if about["view"] else (int(about["frame"][0]), int(about["frame"][1]))
        name, log_density, called = str(about["name"]), bool(about["log_density"]), about["runtime"]
    except (TypeError, ValueError, LookupError) as error:
        raise ValueError(f"{file} does not describe a network ({error}). Export it again.") from error
    runtime = require_runtime(called)
    try:
        return Network(name, runtime.load(file.with_name(runtime.file)), shown, log_density)
    except Exception as error:  # Each runtime has errors of its own.
        said = " ".join(str(error).split())[:200]
        raise ValueError(f"{file.with_name(runtime.file)} cannot be opened ({said}). Export it again.") from error
