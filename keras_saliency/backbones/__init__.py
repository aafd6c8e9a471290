"""The networks that saliency models and perceptual losses stand on."""

import keras  # noqa: F401 - first, see keras_saliency/__init__.py

from keras_saliency.backbones.any_size import AnySize
from keras_saliency.backbones.table import BACKBONES, Backbone, create_backbone

__all__ = ["BACKBONES", "AnySize", "Backbone", "create_backbone"]
