"""Saliency losses as Keras classes, and their linear combinations."""

from keras_saliency.losses.base import SaliencyLoss
from keras_saliency.losses.combination import LOSSES, Combination, combo
from keras_saliency.losses.distribution import KLD, NLL
from keras_saliency.losses.pixel import MSE
from keras_saliency.losses.saliency import CC, NSS

__all__ = ["CC", "KLD", "LOSSES", "MSE", "NLL", "NSS", "Combination", "SaliencyLoss", "combo"]
