"""Losses that compare two maps pixel by pixel, as they are: prediction and density should share the scale [0, 1].

A log-density is compared as its density with the mass of the truth, so that it has the same scale. Divided by its peak
it could lower its error everywhere by raising one pixel.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

import keras

from keras_saliency.formulas import measures
from keras_saliency.formulas.maps import Map, Target
from keras_saliency.formulas.types import Values
from keras_saliency.losses.base import SaliencyLoss


@keras.saving.register_keras_serializable(package="keras_saliency.losses")
class MSE(SaliencyLoss):
    """Mean squared error of the maps as they are, without normalisation.

    Lower is better; zero for equal maps. A mean beyond 1e32 counts as that much and has no gradient.
    """

    name_in_table = "mse"

    def measure(self, target: Target, prediction: Map) -> Values:
        return measures.mse(target.density, prediction)


@keras.saving.register_keras_serializable(package="keras_saliency.losses")
class AE(SaliencyLoss):
    """Mean absolute error of the maps as they are, without normalisation. Lower is better; zero for equal maps."""

    name_in_table = "ae"

    def measure(self, target: Target, prediction: Map) -> Values:
        return measures.ae(target.density, prediction)


@keras.saving.register_keras_serializable(package="keras_saliency.losses")
class EAD(SaliencyLoss):
    """Mean exponential absolute difference, exp(|P - S|) - 1, of the maps as they are.

    Lower is better; zero for equal maps, e - 1 for a difference of one. A difference beyond 60 counts as that much and
    has no gradient; of a log-density, whose differences have no bound, it goes on as the tangent beyond one. Source:
    Bruckert et al. (2021).
    """

    name_in_table = "ead"

    def measure(self, target: Target, prediction: Map) -> Values:
        return measures.ead(target.density, prediction)


@keras.saving.register_keras_serializable(package="keras_saliency.losses")
class WMSE(SaliencyLoss):
    """Squared error of the prediction divided by its peak, weighted by 1 / (alpha - S): ML-Net's loss.

    Lower is better; zero for equal maps. Errors on salient pixels weigh up to eleven times those on empty ones. The
    density S is read in [0, 1]; one with a higher peak is divided by it. A prediction of zeros stays zero.
    Source: Cornia et al. (2016); `convention="mlnet"` fixes its alpha = 1.1.

    Args:
        alpha: Above one; the nearer, the more salient pixels weigh.
        **kwargs: As in `SaliencyLoss`.

    Raises:
        ValueError: If alpha is not above one.
    """

    name_in_table = "wmse"
    conventions: ClassVar[Mapping[Any, dict[str, float]]] = {"mlnet": {"alpha": 1.1}}
    options = ("alpha",)

    def __init__(self, alpha: float = 1.1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not alpha > 1:
            raise ValueError(f"alpha of wmse must be above one, the peak of the density. Received: alpha={alpha}.")
        self.alpha = alpha

    def measure(self, target: Target, prediction: Map) -> Values:
        return measures.wmse(target.density, prediction, **self.conventions.get(self.convention, {"alpha": self.alpha}))
