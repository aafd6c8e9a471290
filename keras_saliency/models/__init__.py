"""Saliency networks from one factory."""

from keras_saliency.models.factory import SaliencyModel, create_model, list_models, require_log_density

__all__ = ["SaliencyModel", "create_model", "list_models", "require_log_density"]
