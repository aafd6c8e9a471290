"""Opening what a training left: the folder of a run, or a model file."""

import dataclasses
from pathlib import Path
from typing import Any

import keras

from keras_saliency.models import SHIPPED, VideoModel, gives_log_density, is_shipped, load_shipped, require_finite
from keras_saliency.reporting.results import read_result

MODEL, RESULT = "model.keras", "result.json"
# What the folder of a run holds for people and programs, from its name in `Run.paths` to its place.
PARTS = {
    "report": "report.md",
    "scores": RESULT,
    "per_image": "per_image.csv",
    "history": "history.csv",
    "figures": "figures",
    "model": MODEL,
    "next_fixation": "next_fixation.keras",
    "saved_model": "saved_model/1",
}


@dataclasses.dataclass(frozen=True, eq=False)
class Run:
    """A finished training: what `keras_saliency.train` returns and `keras_saliency.load` opens.

    Attributes:
        path: The folder of the run, or the `.keras` file.
        model: The model with the weights of the best epoch.
        result: What `result.json` holds: the scores of the test split with their provenance, the baselines, the name of
            the recipe, the seconds. None for a model file, and for a training that has not been scored yet.
    """

    path: Path
    model: keras.Model
    result: dict[str, Any] | None = None

    @property
    def name(self) -> str:
        """What reports call it: the name of its folder."""
        return name_of(self.path)

    @property
    def scores(self) -> dict[str, dict[str, float | None]] | None:
        """From metric to `{"mean", "low", "high"}` on the test split; None if it has not been scored."""
        return self.result and self.result["scores"]

    @property
    def paths(self) -> dict[str, Path]:
        """Where report, scores, figures, model and SavedModel lie, as far as they are there."""
        if self.path.is_file():
            return {"model": self.path}
        return {name: self.path / part for name, part in PARTS.items() if (self.path / part).exists()}


def load(path: str | Path, videos: bool = False) -> Run:
    """Opens a run, a model file, or a model that comes with the package.

    Args:
        path: The folder of a run, or a `.keras` file; or a name of `keras_saliency.models.SHIPPED`, such as
            `"general"` or `"fast"`, where nothing of that name lies.
        videos: Whether it may be a model of videos.

    Raises:
        FileNotFoundError: If there is none; says where it was looked for.
        ValueError: If the file is no Keras model that gives saliency maps, its weights are not finite, or the scores of
            the run cannot be read.
        ImportError: If the model stands on a package that is not installed, as KerasHub may be.
    """
    if is_shipped(path):
        return Run(Path(path), load_shipped(str(path)))
    path = Path(path)
    file = path / MODEL if path.is_dir() else path
    if not file.is_file():
        raise FileNotFoundError(
            f"{file} does not exist. Expected a .keras file, the --workdir of a finished run, or a model that comes "
            f"with the package: {', '.join(SHIPPED)}."
        )
    try:
        model = keras.models.load_model(file, compile=False)
    except ImportError:  # of what the model stands on; it says what to install
        raise
    except Exception as error:
        raise ValueError(f"{file} cannot be loaded as a Keras model: {error}") from error
    if isinstance(model, VideoModel) and not videos:
        raise ValueError(
            f"{file} is a model of videos, not of images. Give it to predict_video or evaluate, or open it by "
            "keras.models.load_model."
        )
    require_finite(model)
    if not isinstance(model, VideoModel):
        gives_log_density(model)
    return Run(path, model, read_result(path / RESULT))


def name_of(path: str | Path) -> str:
    """The last part of a path that says something: not `model.keras`, nor the version of a SavedModel."""
    path = Path(path).absolute()
    last = path.with_suffix("") if path.suffix in (".keras", ".h5", ".hdf5") else path
    return next((part for part in reversed(last.parts) if part != "model" and not part.isdigit()), last.name)
