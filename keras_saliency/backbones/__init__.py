"""The networks that saliency models and perceptual losses stand on."""

import keras  # noqa: F401 - first, see keras_saliency/__init__.py

from keras_saliency.backbones.any_size import AnySize
from keras_saliency.backbones.factory import create_backbone, list_backbones
from keras_saliency.backbones.hub_network import HubNetwork
from keras_saliency.backbones.table import BACKBONES, Backbone

__all__ = ["BACKBONES", "AnySize", "Backbone", "HubNetwork", "create_backbone", "list_backbones"]
