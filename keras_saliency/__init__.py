"""Predicting where people look: losses, metrics, models, data and recipes for Keras 3."""

import importlib

# Imported here so that a saved model that uses them loads with nothing but `import keras_saliency`.
from keras_saliency import backbones, conventions, layers, losses, maps, measures, metrics, models, roc
from keras_saliency.losses import combo
from keras_saliency.maps import pack_targets, unpack_targets
from keras_saliency.models import create_model, list_models

__version__ = "0.1.0"

# Imported at first use: they need TensorFlow on every backend.
_LAZY = {
    "as_pysaliency": "keras_saliency.interop",
    "baselines": "keras_saliency.baselines",
    "data": "keras_saliency.data",
    "evaluation": "keras_saliency.evaluation",
    "export_saved_model": "keras_saliency.export",
    "scoring": "keras_saliency.scoring",
    "sources": "keras_saliency.sources",
}

__all__ = [
    "__version__",
    "as_pysaliency",
    "backbones",
    "baselines",
    "combo",
    "conventions",
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
    "roc",
    "scoring",
    "sources",
    "unpack_targets",
]


def __getattr__(name):
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = importlib.import_module(_LAZY[name])
    return module if module.__name__.endswith(name) else getattr(module, name)
