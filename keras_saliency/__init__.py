"""Predicting where people look: losses, metrics, models, data and recipes for Keras 3."""

import importlib

# Imported here so that a saved model that uses them loads with nothing but `import keras_saliency`.
from keras_saliency import backbones, layers, losses, maps, measures, metrics, models
from keras_saliency.losses import combo
from keras_saliency.maps import pack_targets, unpack_targets
from keras_saliency.models import create_model, list_models

__version__ = "0.1.0"

# Imported at first use: they need TensorFlow on every backend.
_LAZY = {
    "baselines": "keras_saliency.baselines",
    "data": "keras_saliency.data",
    "evaluation": "keras_saliency.evaluation",
    "export_saved_model": "keras_saliency.export",
}

__all__ = [
    "__version__",
    "backbones",
    "baselines",
    "combo",
    "create_model",
    "data",
    "evaluation",
    "export_saved_model",
    "layers",
    "list_models",
    "losses",
    "maps",
    "measures",
    "metrics",
    "models",
    "pack_targets",
    "unpack_targets",
]


def __getattr__(name):
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = importlib.import_module(_LAZY[name])
    return module if module.__name__.endswith(name) else getattr(module, name)
