"""Saliency networks from one factory."""

import keras  # noqa: F401 - first, see keras_saliency/__init__.py

from keras_saliency.formulas.view import View
from keras_saliency.models.adversarial import AdversarialTraining
from keras_saliency.models.architectures import ARCHITECTURES
from keras_saliency.models.boxed import load_shipped
from keras_saliency.models.factory import create_model, list_models
from keras_saliency.models.heads import gives_log_density, require_finite, require_log_density
from keras_saliency.models.histories import with_history
from keras_saliency.models.mixture import mix
from keras_saliency.models.recording import for_recording
from keras_saliency.models.salgan import create_discriminator
from keras_saliency.models.saliency_model import SaliencyModel
from keras_saliency.models.shipped import SHIPPED, is_shipped
from keras_saliency.models.sides import with_sides
from keras_saliency.models.video import VideoModel, as_video, smoothed
from keras_saliency.models.video_factory import VIDEO_ARCHITECTURES, create_video_model, list_video_models
from keras_saliency.models.video_unisal import with_recurrence

__all__ = [
    "ARCHITECTURES",
    "SHIPPED",
    "VIDEO_ARCHITECTURES",
    "AdversarialTraining",
    "SaliencyModel",
    "VideoModel",
    "View",
    "as_video",
    "create_discriminator",
    "create_model",
    "create_video_model",
    "for_recording",
    "gives_log_density",
    "is_shipped",
    "list_models",
    "list_video_models",
    "load_shipped",
    "mix",
    "require_finite",
    "require_log_density",
    "smoothed",
    "with_history",
    "with_recurrence",
    "with_sides",
]
