"""Losses made from the metrics by which saliency models are judged."""

import keras

from keras_saliency import measures
from keras_saliency.losses.base import SaliencyLoss


@keras.saving.register_keras_serializable(package="keras_saliency.losses")
class CC(SaliencyLoss):
    """One minus Pearson's correlation between prediction and density.

    Lower is better; in [0, 2]; a constant map gives 1. Source: Le Meur et al. (2007).
    """

    name_in_table = "cc"

    def measure(self, target, prediction):
        return 1.0 - measures.cc(target.density, prediction.density, target.valid)


@keras.saving.register_keras_serializable(package="keras_saliency.losses")
class NSS(SaliencyLoss):
    """Minus the normalised scanpath saliency: the standardised prediction at the fixations.

    Lower is better, and negative for every model above chance; a constant map gives 0. Needs fixation counts.
    Source: Peters et al. (2005).
    """

    name_in_table = "nss"
    needs_fixations = True

    def measure(self, target, prediction):
        return -measures.nss(target.fixations, prediction.density, target.valid)
