"""Saliency losses as Keras classes, and their linear combinations."""

import keras  # noqa: F401 - first, see keras_saliency/__init__.py

from keras_saliency.losses.base import Combination, SaliencyLoss
from keras_saliency.losses.distribution import (
    BCE,
    KLD,
    NLL,
    WBCE,
    Bhattacharyya,
    Chi2,
    Cosine,
    Focal,
    ReverseKLD,
    SoftmaxL1,
    SoftmaxL2,
    TotalVariation,
)
from keras_saliency.losses.perceptual import DeepFeatures, Gram
from keras_saliency.losses.pixel import AE, EAD, MSE, WMSE
from keras_saliency.losses.saliency import CC, IG, NSS, SFNE, SIM, ExpNSS, SigmoidNSS
from keras_saliency.losses.table import LOSSES, PRESETS, combo, get
from keras_saliency.losses.transport import Sinkhorn

__all__ = [
    "AE",
    "BCE",
    "CC",
    "EAD",
    "IG",
    "KLD",
    "LOSSES",
    "MSE",
    "NLL",
    "NSS",
    "PRESETS",
    "SFNE",
    "SIM",
    "WBCE",
    "WMSE",
    "Bhattacharyya",
    "Chi2",
    "Combination",
    "Cosine",
    "DeepFeatures",
    "ExpNSS",
    "Focal",
    "Gram",
    "ReverseKLD",
    "SaliencyLoss",
    "SigmoidNSS",
    "Sinkhorn",
    "SoftmaxL1",
    "SoftmaxL2",
    "TotalVariation",
    "combo",
    "get",
]
