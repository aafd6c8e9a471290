"""Losses that compare two probability distributions over the image."""

import keras

from keras_saliency import measures
from keras_saliency.losses.base import SaliencyLoss


@keras.saving.register_keras_serializable(package="keras_saliency.losses")
class KLD(SaliencyLoss):
    """Kullback-Leibler divergence of the prediction from the density, in nats.

    Lower is better; zero for equal maps. It punishes misses more than false alarms: probability zero where there is
    density costs up to log(1e7). Source: SAM (Cornia et al. 2018), whose constant eps = 1e-7 is used.
    """

    name_in_table = "kld"

    def measure(self, target, prediction):
        return measures.kld(target.density, prediction.density, target.valid)


@keras.saving.register_keras_serializable(package="keras_saliency.losses")
class NLL(SaliencyLoss):
    """Negative log-likelihood of the fixations under the predicted density, in nats per fixation.

    Lower is better; the logarithm of the number of pixels for a uniform prediction. Needs fixation counts.
    Source: Kümmerer et al. (2015), DeepGaze.
    """

    name_in_table = "nll"
    needs_fixations = True

    def measure(self, target, prediction):
        return measures.nll(target.fixations, prediction.log_density, target.valid)
