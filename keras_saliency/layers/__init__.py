"""Layers with weights of their own, one a file."""

from keras_saliency.layers.centre_bias import CentreBias
from keras_saliency.layers.learned_blur import LearnedBlur
from keras_saliency.layers.learned_prior import LearnedPrior
from keras_saliency.layers.log_softmax import LogSoftmax

__all__ = ["CentreBias", "LearnedBlur", "LearnedPrior", "LogSoftmax"]
