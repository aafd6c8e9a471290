"""The shell around a measure that makes it a Keras loss."""

import numbers

import keras
from keras import ops

from keras_saliency.maps import present, unpack_pair


class SaliencyLoss(keras.losses.Loss):
    """Base of the saliency losses: a subclass says which measure of target and prediction is minimised.

    Call it with `y_true` from `pack_targets` and `y_pred` of shape `(batch, height, width, 1)`. Everything is
    computed in float32, whatever the dtype policy. An image without ground truth (no fixations, or a density that
    is zero everywhere) contributes zero and is not averaged; padding never counts. Losses add up to a combination:
    `10 * KLD() + 2 * CC()`.

    Args:
        from_logits: Whether `y_pred` is an unnormalised log-density, as models with `head="log-density"` give it;
            by default it is a non-negative map of any scale.
        convention: The name of a published model whose constants and normalisations are reproduced, where its authors'
            value is defined; by default the guarded form. The attribute `conventions` has those of a loss.
        reduction: As in `keras.losses.Loss`; `"sum_over_batch_size"` averages over the images with ground truth.
        name: The name of the instance; by default that of the loss.
        dtype: The dtype of the result.

    Raises:
        ValueError: If the loss has no such convention; lists those it has.
    """

    name_in_table = None
    needs_fixations = False
    # Whether no value is below zero, so that its logarithm may weigh it.
    non_negative = True
    # What each convention passes to the measure, by name.
    conventions = {}  # noqa: RUF012
    # The further arguments of the constructor, kept under their names.
    options = ()

    def __init__(self, from_logits=False, convention=None, reduction="sum_over_batch_size", name=None, dtype=None):
        super().__init__(name=name or self.name_in_table, reduction=reduction, dtype=dtype)
        if convention is not None and convention not in self.conventions:
            raise ValueError(
                f"{self.name_in_table} has no convention {convention!r}. "
                f"Known conventions: {', '.join(self.conventions) or 'none'}."
            )
        self.from_logits = from_logits
        self.convention = convention

    def measure(self, target, prediction):
        """The loss of each image, `(batch,)`, from a `Target` and a `Map`."""
        raise NotImplementedError

    def __call__(self, y_true, y_pred, sample_weight=None):
        # Not Keras's own: it would cast the maps to the dtype of the result first, and average all images.
        with keras.name_scope(self.name):
            return ops.cast(self.reduce(*self.call(y_true, y_pred), sample_weight), self.dtype)

    def call(self, y_true, y_pred):
        """The loss of each image, and one for each image that has ground truth, zero for the others."""
        target, prediction = unpack_pair(y_true, y_pred, self.from_logits, self.needs_fixations and self.name)
        return self.measure(target, prediction), present(target, self.needs_fixations)

    def reduce(self, values, counted, sample_weight=None):
        """Reduces values `(batch,)` over the images that are counted."""
        weights = counted
        if sample_weight is not None:
            weights = counted * ops.reshape(ops.cast(sample_weight, counted.dtype), (-1,))
        values = values * weights
        if self.reduction in (None, "none"):
            return values
        if self.reduction == "sum":
            return ops.sum(values)
        count = ops.sum(weights if self.reduction == "mean_with_sample_weight" else counted)
        return ops.sum(values) / ops.where(count > 0, count, 1.0)

    def get_config(self):
        # Keras's own config leaves the dtype out.
        own = ("dtype", "from_logits", "convention", *self.options)
        return {**super().get_config(), **{name: getattr(self, name) for name in own}}

    def __mul__(self, weight):
        return self._combine([self], [weight]) if isinstance(weight, numbers.Real) else NotImplemented

    def __add__(self, other):
        if other == 0:  # where sum() starts
            return self
        return self._combine([self, other], [1.0, 1.0]) if isinstance(other, SaliencyLoss) else NotImplemented

    __rmul__ = __mul__
    __radd__ = __add__

    def _combine(self, losses, weights):
        from keras_saliency.losses.combination import Combination

        return Combination(losses, weights, reduction=self.reduction)
