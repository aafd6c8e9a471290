"""Saliency metrics as `keras.metrics`: streaming means over images."""

import keras  # first, see keras_saliency/__init__.py

# isort: split
from collections.abc import Sequence
from typing import Any

import numpy as np
from keras import ops

from keras_saliency.formulas.conventions import CONVENTIONS
from keras_saliency.formulas.maps import Map, Target, as_baseline, image_weights, present, stretch_baseline, unpack_pair
from keras_saliency.formulas.types import Maps, Plane, Targets, Values


class SaliencyMetric(keras.metrics.Mean):
    """Base of the saliency metrics: the mean of a metric over the images that have ground truth.

    Update it with `y_true` from `pack_targets` and `y_pred` of shape `(batch, height, width, 1)`. Two uneven batches
    give what one joined batch gives. Images without ground truth are skipped; zero if nothing was counted.

    Args:
        from_logits: Whether `y_pred` is an unnormalised log-density; by default it is a non-negative map.
        convention: `"tuebingen"` or `"mit"`, see `keras_saliency.formulas.conventions`.
        name: The name of the instance; by default that of the metric.
        dtype: The dtype of the mean; the metric itself is computed in float32.

    Raises:
        ValueError: If the convention is unknown or does not have this metric.
    """

    name_in_table: str = None  # type: ignore[assignment]  # of this base alone
    needs_fixations = False
    higher_is_better = True

    def __init__(
        self,
        from_logits: bool = False,
        convention: str | None = None,
        name: str | None = None,
        dtype: str | keras.DTypePolicy | None = None,
    ) -> None:
        super().__init__(name=name or self.name_in_table, dtype=dtype)
        known = [convention for convention, rows in CONVENTIONS.items() if self.name_in_table in rows]
        if convention not in (None, *known):
            raise ValueError(
                f"{type(self).__name__} is defined in the convention {' and '.join(map(repr, known))}. "
                f"Received: convention={convention!r}."
            )
        self.from_logits = from_logits
        self.convention = convention or known[0]
        # What "auto" means to callbacks that watch this metric.
        self._direction = "up" if self.higher_is_better else "down"

    def measure(self, target: Target, prediction: Map) -> Values:
        """The value of each image, `(batch,)`, from a `Target` and a `Map`."""
        return CONVENTIONS[self.convention][self.name_in_table](target, prediction)

    def update_state(self, y_true: Targets, y_pred: Maps, sample_weight: Values | None = None) -> None:
        """Adds the images of a batch, weighted by `sample_weight` `(batch,)` if it is given."""
        target, prediction = unpack_pair(y_true, y_pred, self.from_logits, self.needs_fixations and self.name)
        weights = present(target, self.needs_fixations)
        if sample_weight is not None:
            weights = weights * image_weights(sample_weight, weights)
        super().update_state(self.measure(target, prediction), weights)

    def get_config(self) -> dict[str, Any]:
        config = {"name": self.name, "dtype": self.dtype}
        return {**config, "from_logits": self.from_logits, "convention": self.convention}


def _register(metric):
    return keras.saving.register_keras_serializable(package="keras_saliency.metrics")(metric)


@_register
class NSS(SaliencyMetric):
    """Normalised scanpath saliency: the standardised prediction at the fixations. Higher is better; chance is 0.

    `convention="mit"` divides the variance by the number of pixels minus one and counts repeated fixations once.
    Source: Peters et al. (2005).
    """

    name_in_table = "nss"
    needs_fixations = True


@_register
class CC(SaliencyMetric):
    """Pearson's correlation between prediction and density, in [-1, 1]. Higher is better; 0 for a constant map."""

    name_in_table = "cc"


@_register
class SIM(SaliencyMetric):
    """Similarity: the intersection of the two densities, in [0, 1]. Higher is better.

    `convention="mit"` shifts the minimum of each map to zero first. Source: Judd et al. (2012).
    """

    name_in_table = "sim"


@_register
class KLD(SaliencyMetric):
    """Kullback-Leibler divergence of the prediction from the density, in nats. Lower is better; 0 is perfect.

    Sum of s ln(eps + s / (p + eps)), eps 2.2204e-16, in both conventions.
    """

    name_in_table = "kld"
    higher_is_better = False


@_register
class EMD(SaliencyMetric):
    """Earth mover's distance between prediction and density at 1/32 of their size, in pixels of that size.

    Lower is better; 0 is perfect. Of the convention `"mit"` only. About 30 ms for an image of 800x600; the TensorFlow
    graph calls NumPy, so compile the model with `jit_compile=False`. Source: see `keras_saliency.formulas.emd`.
    """

    name_in_table = "emd"
    higher_is_better = False


@_register
class AUC(SaliencyMetric):
    """Area under the ROC curve of fixated against all pixels, exact, ties counting one half. Higher is better.

    Chance is 0.5. Every fixation is a positive and every pixel a negative; `convention="mit"` is Judd's: fixated
    against unfixated pixels, thresholds at the fixated values.
    """

    name_in_table = "auc"
    needs_fixations = True


@_register
class AUCBorji(SaliencyMetric):
    """Borji's AUC of the MIT benchmark: random pixels as negatives, thresholds in steps of 0.1. Higher is better.

    Chance is 0.5. The mean over infinitely many random splits, computed exactly. Of the convention `"mit"` only.
    """

    name_in_table = "auc_borji"
    needs_fixations = True


@_register
class SAUC(SaliencyMetric):
    """Shuffled AUC: fixated pixels against the fixations of other images. Higher is better; the centre bias has 0.5.

    Args:
        negatives: The fixations of other images, `(fixations, 2)`: y and x as shares of height and width, in [0, 1);
            `Samples.relative_fixations()` gives those of a split. They are laid over the whole prediction, so give
            images without padding, and other images than those that are scored.
        from_logits: As in `SaliencyMetric`.
        convention: As in `SaliencyMetric`; `"mit"` has thresholds in steps of 0.1 and counts repeats once.
        name: As in `SaliencyMetric`.
        dtype: As in `SaliencyMetric`.

    Raises:
        ValueError: If `negatives` has another shape or leaves [0, 1).
    """

    name_in_table = "sauc"
    needs_fixations = True

    def __init__(self, negatives: np.ndarray | Sequence[Sequence[float]], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        places = np.asarray(negatives, "float64")
        if places.ndim != 2 or places.shape[1] != 2 or not (places.size and places.min() >= 0 and places.max() < 1):
            raise ValueError(
                "The negatives of SAUC must be fixations (y, x) as shares of height and width in [0, 1), of shape "
                f"(fixations, 2). Received: shape {places.shape}."
            )
        # What is nearly one stays below it.
        self.negatives = np.minimum(places.astype("float32"), np.nextafter(np.float32(1), np.float32(0)))

    def measure(self, target: Target, prediction: Map) -> Values:
        height, width = (ops.shape(prediction.raw)[axis] for axis in (1, 2))
        # Single precision may have left a whole number a little below itself.
        sides = ops.stack([height, width])
        places = ops.cast(ops.convert_to_tensor(self.negatives) * ops.cast(sides, "float32") + 1e-3, "int32")
        places = ops.minimum(places, ops.cast(sides, "int32") - 1)
        pixels = places[:, 0] * width + places[:, 1]
        counts = ops.segment_sum(ops.ones_like(pixels, dtype="float32"), pixels, height * width)
        counts = ops.cast(ops.reshape(counts, (1, height, width, 1)), prediction.raw.dtype)
        counts = counts * (ops.ones_like(prediction.raw) if target.valid is None else target.valid)
        return super().measure(target._replace(negatives=counts), prediction)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "negatives": self.negatives.tolist()}


@_register
class IG(SaliencyMetric):
    """Information gain over a baseline density, in bits per fixation. Higher is better; 0 is the baseline.

    `convention="mit"` compares maps whose minimum has been shifted to zero. Source: Kümmerer et al. (2015).

    Args:
        baseline: The baseline density `(height, width)` of any scale, by custom the centre bias of the training
            fixations; it is stretched over the prediction, so give images without padding. None is the uniform density.
        ceiling: The information gain of the gold standard in bits; the metric is then the explained information, the
            share of it that is reached. None leaves bits.
        from_logits: As in `SaliencyMetric`.
        convention: As in `SaliencyMetric`.
        name: As in `SaliencyMetric`.
        dtype: As in `SaliencyMetric`.

    Raises:
        ValueError: If the baseline has another number of axes, or negative or non-finite values, or the ceiling is not
            positive.
    """

    name_in_table = "ig"
    needs_fixations = True

    def __init__(self, baseline: Plane | None = None, ceiling: float | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.baseline, self.ceiling = as_baseline(baseline), ceiling
        if ceiling is not None and not ceiling > 0:
            raise ValueError(f"The ceiling of IG must be positive bits per fixation. Received: ceiling={ceiling}.")

    def measure(self, target: Target, prediction: Map) -> Values:
        target = target._replace(baseline=stretch_baseline(self.baseline, prediction))
        return super().measure(target, prediction) / (1.0 if self.ceiling is None else self.ceiling)

    def get_config(self) -> dict[str, Any]:
        baseline = None if self.baseline is None else self.baseline.tolist()
        return {**super().get_config(), "baseline": baseline, "ceiling": self.ceiling}


@_register
class LogLikelihood(SaliencyMetric):
    """Mean log-likelihood of the fixations under the predicted density, in nats per fixation. Higher is better."""

    name_in_table = "log_likelihood"
    needs_fixations = True


METRICS: dict[str, type[SaliencyMetric]] = {
    metric.name_in_table: metric for metric in (NSS, AUC, AUCBorji, SAUC, CC, SIM, KLD, EMD, IG, LogLikelihood)
}


def get(identifier: str | dict[str, Any] | keras.metrics.Metric) -> keras.metrics.Metric:
    """A metric by name, as `keras.metrics.get` has it.

    Args:
        identifier: A name of `METRICS`, a serialized metric, or a class of metrics. A metric and None are returned as
            they are. `sauc` needs the fixations of other images: make `SAUC(negatives=...)`.

    Raises:
        ValueError: If the name is unknown, or that of a metric that cannot be made of its name alone.

    >>> get("nss").name
    'nss'
    """
    if identifier is None or isinstance(identifier, keras.metrics.Metric):
        return identifier
    if isinstance(identifier, type):
        return identifier()
    if isinstance(identifier, dict):
        return keras.metrics.deserialize(identifier)
    if identifier not in METRICS:
        raise ValueError(f"Unknown metric {identifier!r}. Known metrics: {', '.join(METRICS)}.")
    if identifier == "sauc":
        raise ValueError("The metric 'sauc' needs the fixations of other images: make metrics.SAUC(negatives=...).")
    return METRICS[identifier]()


__all__ = [
    "AUC",
    "CC",
    "EMD",
    "IG",
    "KLD",
    "METRICS",
    "NSS",
    "SAUC",
    "SIM",
    "AUCBorji",
    "LogLikelihood",
    "SaliencyMetric",
    "get",
]
