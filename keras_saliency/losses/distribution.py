"""Losses that compare two probability distributions: over the image, or one for each pixel."""

from collections.abc import Mapping
from typing import Any, ClassVar

import keras
from keras import ops

from keras_saliency.formulas import measures
from keras_saliency.formulas.maps import Map, Target
from keras_saliency.formulas.types import Maps, Targets, Values
from keras_saliency.losses.base import SaliencyLoss


@keras.saving.register_keras_serializable(package="keras_saliency.losses")
class KLD(SaliencyLoss):
    """Kullback-Leibler divergence of the prediction from the density, in nats.

    Lower is better; zero for equal maps. Its value punishes misses more than false alarms: probability zero where
    there is density costs up to log(1e7), as eps = 1e-7 is added to each pixel of both densities, which are then
    divided by their sums again. Source: SAM and MSI-Net, whose eps it has.

    Args:
        **kwargs: As in `SaliencyLoss`. The conventions put eps inside and outside the quotient,
            s log(eps + s / (p + eps)), which is below zero on equal maps, down to minus eps times the number of
            pixels: `"sam"` (Cornia et al. 2018) divides the prediction by its peak first and adds 1e-7 to the sums,
            `"msi-net"` (Kroner et al. 2020) adds 1e-7 to the sums, `"eml-net"` (Jia & Bruce 2020) has eps = 1e-6.
    """

    name_in_table = "kld"
    conventions: ClassVar[Mapping[str, dict[str, Any]]] = {
        "sam": {"by_peak": True, "sum_epsilon": 1e-7},
        "msi-net": {"sum_epsilon": 1e-7},
        "eml-net": {"epsilon": 1e-6},
    }

    def measure(self, target: Target, prediction: Map) -> Values:
        if self.convention is None:
            return measures.kld(target.density, prediction)
        return measures.kld_published(target.density, prediction, **self.conventions[self.convention])

    @property
    def non_negative(self) -> bool:  # type: ignore[override]
        return self.convention is None


@keras.saving.register_keras_serializable(package="keras_saliency.losses")
class ReverseKLD(SaliencyLoss):
    """Kullback-Leibler divergence of the density from the prediction, in nats: `KLD` with the two exchanged.

    Lower is better; zero for equal maps. It punishes false alarms more than misses: probability where there is no
    density costs up to log(1e7), and a part of the density that is left out costs only what it takes elsewhere, so
    that a prediction may settle on one of several peaks. Eps as in `KLD`.
    """

    name_in_table = "reverse_kld"

    def measure(self, target: Target, prediction: Map) -> Values:
        return measures.kld(prediction, target.density)


@keras.saving.register_keras_serializable(package="keras_saliency.losses")
class Bhattacharyya(SaliencyLoss):
    """Bhattacharyya distance of the two densities, -ln sum sqrt(s p).

    Lower is better; zero for equal maps, below 19 for maps without a common pixel (1e-16 is added to each probability).
    Source: Jetley et al. (2016).
    """

    name_in_table = "bhattacharyya"

    def measure(self, target: Target, prediction: Map) -> Values:
        return measures.bhattacharyya(target.density, prediction)


@keras.saving.register_keras_serializable(package="keras_saliency.losses")
class BCE(SaliencyLoss):
    """Mean binary cross-entropy, each pixel a probability in [0, 1], in nats.

    Lower is better; its least value is the entropy of the density, above zero. Values outside [2^-23, 1 - 2^-23] count
    as the nearer of the two and have no gradient; a density with a peak above one is divided by it; a log-density is
    read as its density with the mass of the truth. Source: SalGAN (Pan et al. 2017).

    Args:
        pool: Both maps are averaged over blocks of as many pixels a side before; SalGAN has 4. A block with padding in
            it does not count.
        **kwargs: As in `SaliencyLoss`.

    Raises:
        ValueError: If a log-density is to be pooled, whose mean is no density.
    """

    name_in_table = "bce"
    options = ("pool",)

    def __init__(self, pool: int = 1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if pool > 1 and self.from_logits:
            raise ValueError(f"bce pools maps, not log-densities. Received: pool={pool}, from_logits=True.")
        self.pool = pool

    def call(self, y_true: Targets, y_pred: Maps) -> tuple[Values, Values]:
        if self.pool > 1:
            y_true, y_pred = map(self._pooled, (y_true, y_pred))
            density, *rest = ops.split(y_true, y_true.shape[-1], axis=-1)
            # Counts stay counts, and only whole blocks are valid.
            counts, valid = [self.pool**2 * part for part in rest[:1]], [ops.floor(part) for part in rest[1:]]
            y_true = ops.concatenate([density, *counts, *valid], -1)
        return super().call(y_true, y_pred)

    def _pooled(self, maps):
        # With the strides, which Keras on JAX cannot take from the window.
        return ops.average_pool(maps, self.pool, self.pool, data_format="channels_last")

    def measure(self, target: Target, prediction: Map) -> Values:
        return measures.bce(target.density, prediction)


@keras.saving.register_keras_serializable(package="keras_saliency.losses")
class WBCE(SaliencyLoss):
    """Binary cross-entropy in which salient pixels weigh `weight` and empty ones one minus that.

    Lower is better. Unlike `BCE` it is least beyond the density, not at it: with the weight of 0.9 at P = 0.9 for
    S = 0.5. Pixels and densities are read as in `BCE`.

    Args:
        weight: In (0, 1). One half is half of `BCE`; the default lets the few salient pixels of a map count.
        **kwargs: As in `SaliencyLoss`.

    Raises:
        ValueError: If the weight is not in (0, 1).
    """

    name_in_table = "wbce"
    options = ("weight",)

    def __init__(self, weight: float = 0.9, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not 0 < weight < 1:
            raise ValueError(f"weight of wbce must be between zero and one. Received: weight={weight}.")
        self.weight = weight

    def measure(self, target: Target, prediction: Map) -> Values:
        return measures.wbce(target.density, prediction, weight=self.weight)


@keras.saving.register_keras_serializable(package="keras_saliency.losses")
class Focal(SaliencyLoss):
    """Focal loss: binary cross-entropy in which pixels that are nearly right weigh little.

    Lower is better. Unlike `BCE` it is not least at the density unless that is zero or one. Pixels and densities are
    read as in `BCE`. Source: Lin et al. (2017), whose constants are the default.

    Args:
        alpha: The weight of salient pixels; empty ones weigh one minus it.
        gamma: How fast the weight falls as a pixel gets right; zero is `WBCE`.
        **kwargs: As in `SaliencyLoss`.

    Raises:
        ValueError: If alpha is not in (0, 1) or gamma is negative.
    """

    name_in_table = "focal"
    options = ("alpha", "gamma")

    def __init__(self, alpha: float = 0.25, gamma: float = 2.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not (0 < alpha < 1 and gamma >= 0):
            raise ValueError(
                f"alpha of focal must be between zero and one, gamma not negative. Received: {alpha=}, {gamma=}."
            )
        self.alpha = alpha
        self.gamma = gamma

    def measure(self, target: Target, prediction: Map) -> Values:
        return measures.focal(target.density, prediction, alpha=self.alpha, gamma=self.gamma)


@keras.saving.register_keras_serializable(package="keras_saliency.losses")
class NLL(SaliencyLoss):
    """Negative log-likelihood of the fixations under the predicted density, in nats per fixation.

    Lower is better; the logarithm of the number of pixels for a uniform prediction. Needs fixation counts.
    Source: Kümmerer et al. (2015), DeepGaze.
    """

    name_in_table = "nll"
    needs_fixations = True

    def measure(self, target: Target, prediction: Map) -> Values:
        return measures.nll(target.fixations, prediction.log_density, target.valid)


@keras.saving.register_keras_serializable(package="keras_saliency.losses")
class TotalVariation(SaliencyLoss):
    """Total variation distance of the two densities, half the sum of their absolute differences.

    Lower is better; in [0, 1]; zero for equal maps. Source: Jetley et al. (2016).
    """

    name_in_table = "total_variation"

    def measure(self, target: Target, prediction: Map) -> Values:
        return measures.total_variation(target.density, prediction)


@keras.saving.register_keras_serializable(package="keras_saliency.losses")
class Cosine(SaliencyLoss):
    """One minus the cosine of the angle between the two densities.

    Lower is better; in [0, 1]; zero for equal maps. Source: Jetley et al. (2016).
    """

    name_in_table = "cosine"

    def measure(self, target: Target, prediction: Map) -> Values:
        return measures.cosine(target.density, prediction)


@keras.saving.register_keras_serializable(package="keras_saliency.losses")
class Chi2(SaliencyLoss):
    """Chi-squared divergence of the prediction from the density, sum s^2 / p - 1.

    Lower is better; zero for equal maps. It punishes misses hardest of all: a missed pixel costs s^2 / (p + 1e-7).
    Source: Jetley et al. (2016).
    """

    name_in_table = "chi2"

    def measure(self, target: Target, prediction: Map) -> Values:
        return measures.chi2(target.density, prediction)


@keras.saving.register_keras_serializable(package="keras_saliency.losses")
class SoftmaxL1(SaliencyLoss):
    """Sum of the absolute differences of the two maps after a softmax over the image.

    Lower is better; in [0, 2]; zero for equal maps. With `from_logits=True` the softmax of the prediction is compared
    with the density, otherwise both maps go through it as they are. Source: Jetley et al. (2016).
    """

    name_in_table = "softmax_l1"

    def measure(self, target: Target, prediction: Map) -> Values:
        return measures.softmax_l1(target.density, prediction)


@keras.saving.register_keras_serializable(package="keras_saliency.losses")
class SoftmaxL2(SaliencyLoss):
    """Euclidean distance of the two maps after a softmax over the image, as in `SoftmaxL1`.

    Lower is better; in [0, sqrt(2)]; zero for equal maps. Source: Jetley et al. (2016).
    """

    name_in_table = "softmax_l2"

    def measure(self, target: Target, prediction: Map) -> Values:
        return measures.softmax_l2(target.density, prediction)
