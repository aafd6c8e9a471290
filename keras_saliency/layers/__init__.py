"""Layers with weights of their own, and the few that resize and normalise maps; one a file."""

import keras  # noqa: F401 - first, see keras_saliency/__init__.py

from keras_saliency.layers.attentive_conv_lstm import AttentiveConvLSTM
from keras_saliency.layers.centre_bias import CentreBias
from keras_saliency.layers.conv_gru import ConvGRU
from keras_saliency.layers.conv_lstm import ConvLSTM
from keras_saliency.layers.crop_like import CropLike
from keras_saliency.layers.dsclstm import DSCLSTM
from keras_saliency.layers.gaussian_priors import GaussianPriors
from keras_saliency.layers.grey_values import GreyValues
from keras_saliency.layers.grouped_conv import GroupedConv2D
from keras_saliency.layers.l2_normalization import L2Normalization
from keras_saliency.layers.learned_blur import LearnedBlur
from keras_saliency.layers.learned_prior import LearnedPrior
from keras_saliency.layers.local_response_normalization import LocalResponseNormalization
from keras_saliency.layers.log_softmax import LogSoftmax
from keras_saliency.layers.match_size import MatchSize
from keras_saliency.layers.min_max import MinMax
from keras_saliency.layers.mirror import Mirror
from keras_saliency.layers.moving_average import MovingAverage
from keras_saliency.layers.recording_head import RecordingHead
from keras_saliency.layers.repeated_conv_lstm import RepeatedConvLSTM
from keras_saliency.layers.seen_from import SeenFrom
from keras_saliency.layers.theano_pooling import TheanoMaxPooling2D
from keras_saliency.layers.unit_conv import UnitConv2D
from keras_saliency.layers.zoom import Zoom

__all__ = [
    "DSCLSTM",
    "AttentiveConvLSTM",
    "CentreBias",
    "ConvGRU",
    "ConvLSTM",
    "CropLike",
    "GaussianPriors",
    "GreyValues",
    "GroupedConv2D",
    "L2Normalization",
    "LearnedBlur",
    "LearnedPrior",
    "LocalResponseNormalization",
    "LogSoftmax",
    "MatchSize",
    "MinMax",
    "Mirror",
    "MovingAverage",
    "RecordingHead",
    "RepeatedConvLSTM",
    "SeenFrom",
    "TheanoMaxPooling2D",
    "UnitConv2D",
    "Zoom",
]
