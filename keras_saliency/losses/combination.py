"""Linear combinations of losses."""

import re

import keras
from keras import ops

from keras_saliency.losses.base import SaliencyLoss
from keras_saliency.losses.distribution import KLD, NLL
from keras_saliency.losses.pixel import MSE
from keras_saliency.losses.saliency import CC, NSS
from keras_saliency.maps import present, unpack_pair

LOSSES = {loss.name_in_table: loss for loss in (MSE, KLD, NLL, CC, NSS)}


def combo(formula=None, *, from_logits=False, **weights):
    """Combines losses linearly.

    Args:
        formula: The combination as text, `"10 kld + 2 cc + nss"`, or a dictionary from name to weight;
            None if the weights are given by keyword.
        from_logits: Whether the prediction is an unnormalised log-density.
        **weights: The positive weight of each loss by name, `combo(kld=10, cc=2, nss=1)`. Every loss is minimised:
            NSS and CC, too, get a positive weight.

    Returns:
        A loss for `model.compile` that also reports each term by name in the training log.

    Raises:
        ValueError: If a name is unknown, a weight is not positive, the formula cannot be read, or there is no term.

    >>> combo("10 kld + 2 cc + nss").weights
    {'kld': 10.0, 'cc': 2.0, 'nss': 1.0}
    """
    if formula is not None and weights:
        raise ValueError(f"Give combo a formula or weights by keyword, not both. Received: {formula!r} and {weights}.")
    if isinstance(formula, str):
        weights = _parse(formula)
    elif formula is not None:
        weights = dict(formula)
    for name in weights:
        if name not in LOSSES:
            raise ValueError(f"Unknown loss {name!r}. Known losses: {', '.join(LOSSES)}.")
    return Combination([LOSSES[name](from_logits=from_logits) for name in weights], list(weights.values()))


def _parse(formula):
    weights = {}
    for term in formula.split("+"):
        match = re.fullmatch(r"\s*(?:([\d.]+(?:e-?\d+)?)\s*\*?\s*)?([a-z]\w*)\s*", term)
        if not match:
            raise ValueError(f"Cannot read the term {term.strip()!r} of {formula!r}. Expected: '10 kld + 2 cc + nss'.")
        weights[match[2]] = weights.get(match[2], 0.0) + float(match[1] or 1.0)
    return weights


@keras.saving.register_keras_serializable(package="keras_saliency.losses")
class Combination(SaliencyLoss, keras.metrics.Metric):
    """A weighted sum of saliency losses; `combo` is the short way to make one.

    It is a metric, too, so that a model that is compiled with it reports the unweighted mean of each term as
    `kld_loss`, `val_kld_loss`, ... in its log and history. The prediction is normalised once for all terms.

    Args:
        losses: The `SaliencyLoss` instances to add, all with the same `from_logits`.
        weights: Their positive weights.
        reduction: As in `SaliencyLoss`.
        name: The name of the instance.
        dtype: The dtype of the result.

    Raises:
        ValueError: If a weight is not positive, there is no loss, two losses share a name, or they disagree on
            `from_logits`.
    """

    def __init__(self, losses, weights, reduction="sum_over_batch_size", name="combination", dtype=None):
        losses = [keras.losses.deserialize(loss) if isinstance(loss, dict) else loss for loss in losses]
        names = [loss.name for loss in losses]
        if not losses or len(losses) != len(weights) or len(set(names)) < len(names):
            raise ValueError(
                f"A combination needs losses of different names, one weight each. Received: {names}, {weights}."
            )
        for term, weight in zip(names, weights, strict=True):
            if not weight > 0:
                raise ValueError(
                    f"The weight of {term} must be positive: every loss is minimised as it is, NSS and CC too. "
                    f"Received: {term}={weight}."
                )
        if len({loss.from_logits for loss in losses}) > 1:
            raise ValueError("The losses of a combination must agree on from_logits.")
        keras.metrics.Metric.__init__(self, name=name, dtype="float32")
        SaliencyLoss.__init__(self, losses[0].from_logits, reduction, name, dtype)
        self.losses = losses
        self.weights = dict(zip(names, map(float, weights), strict=True))
        self.needs_fixations = any(loss.needs_fixations for loss in losses)
        self.sums = self.add_variable((len(losses),), initializer="zeros", dtype="float32", name="sums")
        self.counts = self.add_variable((len(losses),), initializer="zeros", dtype="float32", name="counts")

    def call(self, y_true, y_pred):
        """The values of the terms and where each has ground truth, both `(terms, batch)`."""
        target, prediction = unpack_pair(y_true, y_pred, self.from_logits, self.needs_fixations and self.name)
        counted = ops.stack([present(target, loss.needs_fixations) for loss in self.losses])
        values = ops.stack([loss.measure(target, prediction) for loss in self.losses]) * counted
        self.sums.assign_add(ops.cast(ops.sum(ops.stop_gradient(values), axis=1), "float32"))
        self.counts.assign_add(ops.cast(ops.sum(counted, axis=1), "float32"))
        return values, counted

    def reduce(self, values, counted, sample_weight=None):
        """The weighted sum of the terms, each averaged over its own images."""
        weighted = enumerate(self.weights.values())
        return sum(weight * SaliencyLoss.reduce(self, values[i], counted[i], sample_weight) for i, weight in weighted)

    def result(self):
        """The mean of each term over the images seen since the last reset; NaN if there were none."""
        means = self.sums / self.counts
        return {f"{name}_loss": means[i] for i, name in enumerate(self.weights)}

    def get_config(self):
        return {
            "losses": [keras.saving.serialize_keras_object(loss) for loss in self.losses],
            "weights": list(self.weights.values()),
            "reduction": self.reduction,
            "name": self.name,
            "dtype": self.dtype,
        }
