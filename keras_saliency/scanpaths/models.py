"""Models of scanpaths: for an image and the fixations so far, the log-density of the next one."""

import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Protocol, TypeAlias

import cv2
import keras
import numpy as np

from keras_saliency.baselines import CentreBias
from keras_saliency.data import DataSet, image_files
from keras_saliency.data.fixations import Fixations
from keras_saliency.data.samples import Sample, Samples
from keras_saliency.data.scanpaths import scanpaths_of
from keras_saliency.evaluation.map_files import LOG_TOLERANCE
from keras_saliency.evaluation.sources import Source, open_source
from keras_saliency.formulas.array_map import ArrayMap, exponential
from keras_saliency.formulas.types import Photograph, Plane, Size
from keras_saliency.scanpaths.saccades import Saccades, read_saccades, require_inside
from keras_saliency.serving.load import Run

Conditional: TypeAlias = Annotated[
    Callable[[np.ndarray, np.ndarray], Plane],
    "from the columns and rows of the fixations so far, in pixels, the last one last, to the log-density of the next",
]


class ScanpathModel(Protocol):
    """What `score_scanpaths` asks of whatever predicts the next fixation; anything that has both is one.

    Attributes:
        name: What reports call it.
    """

    name: str

    def conditionals(self, samples: Samples) -> Iterator[Conditional]:
        """Yields a `Conditional` for each sample, in order; without fixations it gives the model's spatial density."""
        ...


class OnPhotographs:
    """A `ScanpathModel` whose answers can be asked for by photograph."""

    conditionals: Callable[[Samples], Iterator[Conditional]]

    def on(self, photograph: str | Path | Photograph, pixels_per_degree: float | None = None) -> Conditional:
        """The `Conditional` for a photograph.

        Args:
            photograph: A file, or an array `(height, width, 3)`, uint8, RGB.
            pixels_per_degree: As in `keras_saliency.predict`.

        Raises:
            OSError: If the file cannot be read.
            ValueError: If the array is no image.
        """
        return next(self.conditionals(Samples([_as_sample(photograph)], pixels_per_degree)))

    def log_density(self, photograph: str | Path | Photograph, x: np.ndarray, y: np.ndarray) -> Plane:
        """The log-density of the next fixation in a photograph.

        Args:
            photograph: As in `on`, which is for several histories of one photograph.
            x: The columns of the fixations so far, in pixels, the last one last; none for the first one.
            y: Their rows.

        Returns:
            `(height, width)`, natural logarithm; its exponential sums to one.

        Raises:
            OSError, ValueError: As `on`; ValueError also where a fixation is outside of the photograph.
        """
        return self.on(photograph)(x, y)


class SaccadeModel(OnPhotographs):
    """A spatial density, saccades from the last fixation, and what the fixations before it attract or keep away.

    The density of any model of the package, multiplied by tables that are fitted by likelihood: see
    `keras_saliency.scanpaths.fit_saccades`.

    Args:
        spatial: What predicts where people look whatever the history: a model, a `Run`, a path, the name of a model
            that comes along, or a source of `evaluate`.
        saccades: The tables; by default those that come with the package. `Saccades()` gives the spatial model.
        name: What reports call it; by default the name of the spatial model.
        data: The data set that is predicted, of which a model may have a head.

    Raises:
        FileNotFoundError, ValueError: As `keras_saliency.sources.open_source`.
    """

    def __init__(
        self,
        spatial: keras.Model | Run | Source | str | Path = "general",
        saccades: Saccades | None = None,
        name: str | None = None,
        data: DataSet | None = None,
    ) -> None:
        self.spatial = open_source(spatial, data=data)
        self.saccades = read_saccades() if saccades is None else saccades
        self.name = name or self.spatial.name

    def conditionals(self, samples: Samples) -> Iterator[Conditional]:
        """Yields a `Conditional` for each sample, in order."""
        for values, is_log_density, _ in self.spatial.predictions(samples):
            yield self.saccades.conditional(ArrayMap(values, is_log_density).log_density[0, ..., 0])


class CentreBiasModel:
    """The centre bias, whatever the history: what information is gained over.

    Args:
        data: The data set, on whose training and validation splits it is fitted, to all fixations but the first ones.
    """

    name = "centre_bias"

    def __init__(self, data: DataSet) -> None:
        self.centre_bias = CentreBias(after_the_first(data.train), after_the_first(data.validation))

    def conditionals(self, samples: Samples) -> Iterator[Conditional]:
        """Yields a `Conditional` for each sample, in order."""
        for sample in samples:
            yield self._of_size(sample.size)

    def _of_size(self, size: Size) -> Conditional:
        log_density = self.centre_bias.log_density(size)

        def conditional(x, y):
            require_inside(x, y, size)
            return log_density

        return conditional


def after_the_first(samples: Samples) -> Samples:
    """The same without the first fixation of each scanpath, which nobody chose.

    Raises:
        ValueError: If fixations have no order.
    """
    return Samples([_after_the_first(sample) for sample in samples], samples.pixels_per_degree)


def _after_the_first(sample):
    scanpaths_of(sample.name, sample.fixations)  # They are in order.
    later = np.ones(len(sample.fixations), bool)
    later[np.unique(sample.fixations.observer, return_index=True)[1]] = False
    return dataclasses.replace(sample, fixations=sample.fixations[later])


def require_density(log_density: Plane, sample: Sample, name: str) -> Plane:
    """The density in double precision, if it is one of an image.

    Raises:
        ValueError: If not: names the model and the image.
    """
    if log_density.shape != tuple(sample.size):
        raise ValueError(
            f"{name}: the density of {sample.name} is {log_density.shape}, and the image {sample.size}, both (height, "
            "width). Give one for each pixel."
        )
    density = exponential(np.asarray(log_density, "float64"))
    total = density.sum()
    if not np.exp(-LOG_TOLERANCE) < total < np.exp(LOG_TOLERANCE):
        raise ValueError(
            f"{name}: the density of {sample.name} sums to {total:g}. Give the natural logarithm of one that sums to "
            "one."
        )
    return density


def _as_sample(photograph):
    """A sample without fixations."""
    name = "the photograph"
    if isinstance(photograph, np.ndarray):
        if photograph.ndim != 3 or photograph.shape[-1] != 3 or photograph.dtype != "uint8":
            raise ValueError(
                f"An image is (height, width, 3), uint8. Received: {photograph.dtype} of shape {photograph.shape}."
            )
        size, image = photograph.shape[:2], cv2.imencode(".png", photograph[..., ::-1])[1].tobytes()
    else:
        image, name = Path(photograph), str(photograph)
        size = image_files.read(image, name).shape[:2]
    return Sample(name, image, size, Fixations.from_rows([]), 1.0)
