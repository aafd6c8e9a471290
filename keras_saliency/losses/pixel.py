"""Losses that compare two maps pixel by pixel."""

import keras

from keras_saliency import measures
from keras_saliency.losses.base import SaliencyLoss


@keras.saving.register_keras_serializable(package="keras_saliency.losses")
class MSE(SaliencyLoss):
    """Mean squared error of the maps as they are, without normalisation.

    Lower is better; zero for equal maps. Prediction and density should share a scale, by custom [0, 1]; a
    log-density is compared as its density divided by its peak.
    """

    name_in_table = "mse"

    def measure(self, target, prediction):
        return measures.mse(target.density, prediction.map, target.valid)
