"""Saliency networks from one factory."""

from keras_saliency.models.backbones import BACKBONES, create_backbone
from keras_saliency.models.factory import SaliencyModel, create_model, list_models, require_log_density

__all__ = ["BACKBONES", "SaliencyModel", "create_backbone", "create_model", "list_models", "require_log_density"]
