"""Losses made from the metrics by which saliency models are judged."""

from collections.abc import Mapping
from typing import Any, ClassVar

import keras

from keras_saliency.formulas import measures
from keras_saliency.formulas.maps import Map, Target, as_baseline, stretch_baseline
from keras_saliency.formulas.types import Plane, Values
from keras_saliency.losses.base import SaliencyLoss


@keras.saving.register_keras_serializable(package="keras_saliency.losses")
class CC(SaliencyLoss):
    """One minus Pearson's correlation between prediction and density.

    Lower is better; in [0, 2]; a constant map gives 1. Source: Le Meur et al. (2007). With `convention="sam"` it is
    minus the correlation, as the authors minimise it, and 0 for a constant map; `"eml-net"` has one minus it, too.
    """

    name_in_table = "cc"
    conventions: ClassVar[Mapping[Any, float]] = {"sam": 0.0, "eml-net": 1.0}

    def measure(self, target: Target, prediction: Map) -> Values:
        return self.conventions.get(self.convention, 1.0) - measures.cc(target.density, prediction)

    @property
    def non_negative(self) -> bool:  # type: ignore[override]
        return self.convention != "sam"


@keras.saving.register_keras_serializable(package="keras_saliency.losses")
class SIM(SaliencyLoss):
    """One minus the similarity, the intersection of prediction and density as distributions.

    Lower is better; in [0, 1]; zero for equal maps. Source: Judd et al. (2012).
    """

    name_in_table = "sim"

    def measure(self, target: Target, prediction: Map) -> Values:
        return 1.0 - measures.sim(target.density, prediction)


@keras.saving.register_keras_serializable(package="keras_saliency.losses")
class NSS(SaliencyLoss):
    """Minus the normalised scanpath saliency: the standardised prediction at the fixations.

    Lower is better, and negative for every model above chance; a constant map gives 0. Needs fixation counts.
    Source: Peters et al. (2005).

    Args:
        relative: Adds the NSS of the fixation map itself, the highest that any map reaches: the loss of EML-NET (Jia &
            Bruce 2020), never negative.
        **kwargs: As in `SaliencyLoss`. `convention="sam"` adds Keras's epsilon to the standard deviation of the
            prediction divided by its peak; `"eml-net"` is relative and divides the variance by the number of pixels
            minus one.
    """

    name_in_table = "nss"
    needs_fixations = True
    conventions: ClassVar[Mapping[Any, dict[str, Any]]] = {"sam": {"epsilon": 1e-7}, "eml-net": {"unbiased": True}}
    options = ("relative",)

    def __init__(self, relative: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.relative = relative

    def measure(self, target: Target, prediction: Map) -> Values:
        constants = self.conventions.get(self.convention, {})
        value = measures.nss_published(target.fixations, prediction, **constants)
        if not self.non_negative:
            return -value
        return measures.nss_published(target.fixations, target.fixations, target.valid, **constants) - value

    @property
    def non_negative(self) -> bool:  # type: ignore[override]
        return self.relative or self.convention == "eml-net"


@keras.saving.register_keras_serializable(package="keras_saliency.losses")
class ExpNSS(SaliencyLoss):
    """exp(-NSS): the slope falls as NSS rises, so that images that are predicted badly count most.

    Lower is better; above 0, and 1 for a constant map. An NSS below -60 counts as that much, without a gradient. Needs
    fixation counts. Source: Tavakoli's networks for web pages, which sum it over the batch; here it is averaged.
    """

    name_in_table = "exp_nss"
    needs_fixations = True

    def measure(self, target: Target, prediction: Map) -> Values:
        return measures.exp_nss(target.fixations, prediction)


@keras.saving.register_keras_serializable(package="keras_saliency.losses")
class SigmoidNSS(SaliencyLoss):
    """One minus the logistic function of NSS: images count most whose NSS is near zero.

    Lower is better; in (0, 1), and 1/2 for a constant map. Needs fixation counts. Source: SalNAS (Termritthikun et al.
    2024).
    """

    name_in_table = "sigmoid_nss"
    needs_fixations = True

    def measure(self, target: Target, prediction: Map) -> Values:
        return measures.sigmoid_nss(target.fixations, prediction)


@keras.saving.register_keras_serializable(package="keras_saliency.losses")
class SFNE(SaliencyLoss):
    """Selective fixation and non-fixation error: squared difference of both standardised maps at chosen pixels.

    Lower is better; zero for maps that are equal up to scale and offset. The mean over the fixations, repeats included,
    plus the mean over pixels without a fixation whose density is not above its mean. Needs fixation counts. Source:
    SalFBNet (Ding et al. 2022), which draws as many of the latter as there are fixations; this is what such draws are
    on average. Variances are divided by the number of pixels, as everywhere here.
    """

    name_in_table = "sfne"
    needs_fixations = True

    def measure(self, target: Target, prediction: Map) -> Values:
        return measures.sfne(target.density, target.fixations, prediction)


@keras.saving.register_keras_serializable(package="keras_saliency.losses")
class IG(SaliencyLoss):
    """Minus the information gain over a baseline density, in bits per fixation.

    Lower is better, and negative for every model better than the baseline. Its gradient is that of NLL, in bits: the
    baseline moves the value alone. Needs fixation counts. Source: Kümmerer et al. (2015).

    Args:
        baseline: The baseline density `(height, width)` of any scale, by custom the centre bias of the training
            fixations; it is stretched over the prediction. None is the uniform density.
        **kwargs: As in `SaliencyLoss`.

    Raises:
        ValueError: If the baseline has another number of axes, or negative or non-finite values.
    """

    name_in_table = "ig"
    needs_fixations = True
    non_negative = False

    def __init__(self, baseline: Plane | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.baseline = as_baseline(baseline)

    def measure(self, target: Target, prediction: Map) -> Values:
        baseline = stretch_baseline(self.baseline, prediction)
        return -measures.ig(target.fixations, prediction.log_density, baseline.log_density, target.valid)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "baseline": None if self.baseline is None else self.baseline.tolist()}
