"""Predicting where people look: losses, metrics, models, data and recipes for Keras 3."""

import importlib
from typing import TYPE_CHECKING, Any

import wrapt

if TYPE_CHECKING:
    from keras_saliency import (
        backbones,
        baselines,
        data,
        evaluation,
        formulas,
        layers,
        legacy,
        losses,
        metrics,
        models,
        reporting,
        scanpaths,
        serving,
        training,
        zoo,
    )
    from keras_saliency.evaluation import pysaliency as interop
    from keras_saliency.evaluation import scoring, sources
    from keras_saliency.evaluation.pysaliency import as_pysaliency
    from keras_saliency.evaluation.run import evaluate
    from keras_saliency.evaluation.splits import Evaluation
    from keras_saliency.evaluation.submission import submit
    from keras_saliency.formulas import conventions, maps, measures, roc
    from keras_saliency.formulas.maps import pack_targets, unpack_targets
    from keras_saliency.losses.table import combo
    from keras_saliency.models.factory import create_model, list_models
    from keras_saliency.models.video_factory import create_video_model, list_video_models
    from keras_saliency.runtimes.export import export_network
    from keras_saliency.runtimes.network import open_network
    from keras_saliency.serving.export import export_saved_model, export_video
    from keras_saliency.serving.load import Run, load
    from keras_saliency.serving.prediction import predict
    from keras_saliency.serving.videos import predict_video
    from keras_saliency.training.adapting import adapt
    from keras_saliency.training.recipe import Recipe
    from keras_saliency.training.run import train

__version__ = "0.1.0"

# The public names and the modules that hold them; each is imported at its first use, for TensorFlow takes seconds.
_ROOMS = (
    *("backbones", "baselines", "data", "evaluation", "formulas", "layers", "legacy", "losses", "metrics", "models"),
    *("reporting", "scanpaths", "serving", "training", "zoo"),
)
_MODULES = {
    "conventions": "formulas.conventions",
    "interop": "evaluation.pysaliency",
    "maps": "formulas.maps",
    "measures": "formulas.measures",
    "roc": "formulas.roc",
    "scoring": "evaluation.scoring",
    "sources": "evaluation.sources",
}
_NAMES = {
    "Evaluation": "evaluation.splits",
    "Recipe": "training.recipe",
    "Run": "serving.load",
    "adapt": "training.adapting",
    "as_pysaliency": "evaluation.pysaliency",
    "combo": "losses.table",
    "create_model": "models.factory",
    "create_video_model": "models.video_factory",
    "evaluate": "evaluation.run",
    "export_network": "runtimes.export",
    "export_saved_model": "serving.export",
    "export_video": "serving.export",
    "list_models": "models.factory",
    "list_video_models": "models.video_factory",
    "load": "serving.load",
    "open_network": "runtimes.network",
    "pack_targets": "formulas.maps",
    "predict": "serving.prediction",
    "predict_video": "serving.videos",
    "submit": "evaluation.submission",
    "train": "training.run",
    "unpack_targets": "formulas.maps",
}

__all__ = [
    "Evaluation",
    "Recipe",
    "Run",
    "__version__",
    "adapt",
    "as_pysaliency",
    "backbones",
    "baselines",
    "combo",
    "conventions",
    "create_model",
    "create_video_model",
    "data",
    "evaluate",
    "evaluation",
    "export_network",
    "export_saved_model",
    "export_video",
    "formulas",
    "interop",
    "layers",
    "legacy",
    "list_models",
    "list_video_models",
    "load",
    "losses",
    "maps",
    "measures",
    "metrics",
    "models",
    "open_network",
    "pack_targets",
    "predict",
    "predict_video",
    "reporting",
    "roc",
    "scanpaths",
    "scoring",
    "serving",
    "sources",
    "submit",
    "train",
    "training",
    "unpack_targets",
    "zoo",
]


@wrapt.when_imported("keras")
def _register(keras: Any) -> None:
    """Makes every class known to Keras where there is Keras, so that a saved model loads with `import keras_saliency`.

    The rooms that are imported here begin with `import keras`, so that they are all complete when that is done,
    whichever of them a program imports first; and they import modules of each other, not names of rooms.
    """
    for room in ("layers", "losses", "metrics", "models"):
        importlib.import_module(f"{__name__}.{room}")


def __getattr__(name: str) -> Any:
    if name in _NAMES:
        return getattr(importlib.import_module(f"{__name__}.{_NAMES[name]}"), name)
    if name in _ROOMS or name in _MODULES:
        return importlib.import_module(f"{__name__}.{_MODULES.get(name, name)}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
