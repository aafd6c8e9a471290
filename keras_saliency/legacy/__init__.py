"""Importers of the weights that authors released for PyTorch, as safetensors, and for Keras 1."""

import keras  # noqa: F401 - first, see keras_saliency/__init__.py

from keras_saliency.legacy.importer import import_weights
from keras_saliency.legacy.report import ImportReport
from keras_saliency.legacy.torch_file import load_torch_weights

__all__ = ["ImportReport", "import_weights", "load_torch_weights"]
