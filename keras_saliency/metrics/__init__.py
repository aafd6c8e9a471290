"""Saliency metrics as `keras.metrics`: streaming means over images."""

import keras
from keras import ops

from keras_saliency import measures
from keras_saliency.maps import as_baseline, log_baseline, present, unpack_pair


class SaliencyMetric(keras.metrics.Mean):
    """Base of the saliency metrics: the mean of a measure over the images that have ground truth.

    Update it with `y_true` from `pack_targets` and `y_pred` of shape `(batch, height, width, 1)`. Two uneven batches
    give what one joined batch gives. Images without ground truth are skipped; zero if nothing was counted.

    Args:
        from_logits: Whether `y_pred` is an unnormalised log-density; by default it is a non-negative map.
        name: The name of the instance; by default that of the metric.
        dtype: The dtype of the mean; the measure itself is computed in float32.
    """

    name_in_table = None
    needs_fixations = False
    higher_is_better = True

    def __init__(self, from_logits=False, name=None, dtype=None):
        super().__init__(name=name or self.name_in_table, dtype=dtype)
        self.from_logits = from_logits
        # What "auto" means to callbacks that watch this metric.
        self._direction = "up" if self.higher_is_better else "down"

    def measure(self, target, prediction):
        """The value of each image, `(batch,)`, from a `Target` and a `Map`."""
        raise NotImplementedError

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Adds the images of a batch, weighted by `sample_weight` `(batch,)` if it is given."""
        target, prediction = unpack_pair(y_true, y_pred, self.from_logits, self.needs_fixations and self.name)
        weights = present(target, self.needs_fixations)
        if sample_weight is not None:
            weights = weights * ops.reshape(ops.cast(sample_weight, weights.dtype), (-1,))
        super().update_state(self.measure(target, prediction), weights)

    def get_config(self):
        return {"name": self.name, "dtype": self.dtype, "from_logits": self.from_logits}


@keras.saving.register_keras_serializable(package="keras_saliency.metrics")
class NSS(SaliencyMetric):
    """Normalised scanpath saliency: the standardised prediction at the fixations. Higher is better; chance is 0."""

    name_in_table = "nss"
    needs_fixations = True

    def measure(self, target, prediction):
        return measures.nss(target.fixations, prediction)


@keras.saving.register_keras_serializable(package="keras_saliency.metrics")
class CC(SaliencyMetric):
    """Pearson's correlation between prediction and density, in [-1, 1]. Higher is better; 0 for a constant map."""

    name_in_table = "cc"

    def measure(self, target, prediction):
        return measures.cc(target.density, prediction)


@keras.saving.register_keras_serializable(package="keras_saliency.metrics")
class SIM(SaliencyMetric):
    """Similarity: the intersection of the two densities, in [0, 1]. Higher is better."""

    name_in_table = "sim"

    def measure(self, target, prediction):
        return measures.sim(target.density, prediction)


@keras.saving.register_keras_serializable(package="keras_saliency.metrics")
class KLD(SaliencyMetric):
    """Kullback-Leibler divergence of the prediction from the density, in nats. Lower is better; 0 is perfect."""

    name_in_table = "kld"
    higher_is_better = False

    def measure(self, target, prediction):
        return measures.kld(target.density, prediction, epsilon=measures.KLD_METRIC_EPSILON)


@keras.saving.register_keras_serializable(package="keras_saliency.metrics")
class AUC(SaliencyMetric):
    """Area under the ROC curve of fixated against all pixels, exact, ties counting one half. Higher is better.

    Chance is 0.5. The Tübingen convention: every fixation is a positive and every pixel a negative.
    """

    name_in_table = "auc"
    needs_fixations = True

    def measure(self, target, prediction):
        # The raw map: it ranks the pixels as the density does, without its rounding.
        return measures.auc(target.fixations, prediction.raw, target.valid)


@keras.saving.register_keras_serializable(package="keras_saliency.metrics")
class IG(SaliencyMetric):
    """Information gain over a baseline density, in bits per fixation. Higher is better; 0 is the baseline.

    Args:
        baseline: The baseline density `(height, width)` of any scale, by custom the centre bias of the training
            fixations; it is stretched over the prediction, so give images without padding. None is the uniform density.
        from_logits: As in `SaliencyMetric`.
        name: As in `SaliencyMetric`.
        dtype: As in `SaliencyMetric`.

    Raises:
        ValueError: If the baseline has another number of axes, or negative or non-finite values.
    """

    name_in_table = "ig"
    needs_fixations = True

    def __init__(self, baseline=None, from_logits=False, name=None, dtype=None):
        super().__init__(from_logits=from_logits, name=name, dtype=dtype)
        self.baseline = as_baseline(baseline)

    def measure(self, target, prediction):
        baseline = log_baseline(self.baseline, prediction)
        return measures.ig(target.fixations, prediction.log_density, baseline, target.valid)

    def get_config(self):
        baseline = None if self.baseline is None else self.baseline.tolist()
        return {**super().get_config(), "baseline": baseline}


METRICS = {metric.name_in_table: metric for metric in (NSS, AUC, CC, SIM, KLD, IG)}

__all__ = ["AUC", "CC", "IG", "KLD", "METRICS", "NSS", "SIM", "SaliencyMetric"]
