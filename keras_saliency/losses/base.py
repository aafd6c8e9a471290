"""The shell around a measure that makes it a Keras loss, and the linear combinations of such losses."""

import contextlib
import inspect
import math
import numbers
import warnings
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar, Literal

import keras
import numpy as np
from keras import ops

from keras_saliency.formulas.maps import Map, Target, image_weights, present, unpack_pair
from keras_saliency.formulas.types import Images, Maps, Targets, Tensor, Values
from keras_saliency.losses import balance as balancing
from keras_saliency.losses.replicas import share_loss, total_of_replicas

BALANCES = (None, "gradient", "uncertainty")


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

    name_in_table: str = None  # type: ignore[assignment]  # of this base alone
    needs_fixations = False
    # Whether no value is below zero, so that its logarithm may weigh it.
    non_negative = True
    # What each convention passes to the measure, by name.
    conventions: ClassVar[Mapping[str, Any]] = {}
    # The further arguments of the constructor, kept under their names.
    options: tuple[str, ...] = ()

    def __init__(
        self,
        from_logits: bool = False,
        convention: str | None = None,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
        dtype: str | keras.DTypePolicy | None = None,
    ) -> None:
        super().__init__(name=name or self.name_in_table, reduction=reduction, dtype=dtype)
        if convention is not None and convention not in self.conventions:
            raise ValueError(
                f"{self.name_in_table} has no convention {convention!r}. "
                f"Known conventions: {', '.join(self.conventions) or 'none'}."
            )
        self.from_logits = from_logits
        self.convention = convention

    def measure(self, target: Target, prediction: Map) -> Values:
        """The loss of each image, `(batch,)`, from a `Target` and a `Map`."""
        raise NotImplementedError

    def __call__(self, y_true: Targets, y_pred: Maps, sample_weight: Values | None = None) -> Tensor:
        # Not Keras's own: it would cast the maps to the dtype of the result first, and average all images.
        with keras.name_scope(self.name):
            return ops.cast(self.reduce(*self.call(y_true, y_pred), sample_weight), self.dtype)

    def call(self, y_true: Targets, y_pred: Maps) -> tuple[Values, Values]:
        """The loss of each image, and one for each image that has ground truth, zero for the others."""
        target, prediction = unpack_pair(y_true, y_pred, self.from_logits, self.needs_fixations and self.name)
        return self.measure(target, prediction), present(target, self.needs_fixations)

    def reduce(self, values: Values, counted: Values, sample_weight: Values | None = None) -> Tensor:
        """Reduces values `(batch,)` over the images that are counted."""
        weights = counted if sample_weight is None else counted * image_weights(sample_weight, counted)
        values = values * weights
        if self.reduction in (None, "none"):
            return values
        if self.reduction == "sum":
            return share_loss(ops.sum(values), ops.shape(values)[0])
        count = total_of_replicas(ops.sum(weights if self.reduction == "mean_with_sample_weight" else counted))
        return share_loss(ops.sum(values) / ops.where(count > 0, count, 1.0), ops.shape(values)[0])

    def get_config(self) -> dict[str, Any]:
        # Keras's own config leaves the dtype out.
        own = ("dtype", "from_logits", "convention", *self.options)
        return {**super().get_config(), **{name: getattr(self, name) for name in own}}

    def __repr__(self) -> str:
        """What one would write to make it: its class, and the arguments that are not those by default."""
        known = {"name": self.name_in_table, "dtype": self.dtype}
        for kind in reversed(type(self).__mro__):
            parameters = inspect.signature(vars(kind).get("__init__", object.__init__)).parameters
            known |= {name: one.default for name, one in parameters.items() if name not in ("name", "dtype")}
        given = {name: value for name, value in self.get_config().items() if value != known.get(name)}
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in given.items())})"

    def __mul__(self, weight: float) -> "Combination":
        return _combine([self], [weight]) if isinstance(weight, numbers.Real) else NotImplemented

    def __add__(self, other: "SaliencyLoss | Literal[0]") -> "SaliencyLoss":
        if other == 0:  # where sum() starts
            return self
        return _combine([self, other], [1.0, 1.0]) if isinstance(other, SaliencyLoss) else NotImplemented

    __rmul__ = __mul__
    __radd__ = __add__


@keras.saving.register_keras_serializable(package="keras_saliency.losses")
class Combination(SaliencyLoss, keras.metrics.Metric):
    """A weighted sum of saliency losses; `combo` and `10 * KLD() + 2 * CC()` are the short ways to make one.

    It is a metric, too, so that a model that is compiled with it reports the unweighted mean of each term as
    `kld_loss`, `val_kld_loss`, ... in its log and history. What several terms need of a map is computed once. A
    combination among the losses is taken apart into its terms.

    Args:
        losses: The `SaliencyLoss` instances to add, all with the same `from_logits`.
        weights: Their positive weights.
        balance: How the weights are balanced; None leaves them as they are. `"gradient"`: before the first step of
            `SaliencyModel.fit`, or by `equalise`, each weight is divided by the norm of its term's gradient at the
            output of the model on the first batches, so that the given weights become shares of the pull; the table
            is printed. `"uncertainty"`: the weights are learned with a `SaliencyModel` by homoscedastic uncertainty
            (Kendall et al. 2018), starting at the given ones, and are reported as `kld_weight`, ... .
        log_variances: Of `"uncertainty"`, where they go on from; by default from the weights.
        reduction: As in `SaliencyLoss`; that of the terms is not used.
        name: The name of the instance.
        dtype: The dtype of the result.

    Raises:
        ValueError: If a weight is not positive, there is no loss, two losses share a name, they disagree on
            `from_logits`, or a term cannot be balanced in the way asked for.
    """

    def __init__(
        self,
        losses: Sequence[SaliencyLoss | dict[str, Any]],
        weights: Sequence[float],
        balance: str | None = None,
        log_variances: Sequence[float] | None = None,
        reduction: str | None = "sum_over_batch_size",
        name: str = "combination",
        dtype: str | keras.DTypePolicy | None = None,
    ) -> None:
        losses = [keras.losses.deserialize(loss) if isinstance(loss, dict) else loss for loss in losses]
        losses, weights = _flatten(losses, weights)
        names = [loss.name for loss in losses]
        if not losses or len(set(names)) < len(names):
            raise ValueError(
                "A combination needs losses of different names, one weight each; name one of two alike, as in "
                f"KLD(name='other'). Received: {names}, {weights}."
            )
        for term, weight in zip(names, weights, strict=True):
            if not 0 < weight < math.inf:
                raise ValueError(
                    f"The weight of {term} must be positive: every loss is minimised as it is, NSS and CC too. "
                    f"Received: {term}={weight}."
                )
        if len({loss.from_logits for loss in losses}) > 1:
            raise ValueError("The losses of a combination must agree on from_logits.")
        if balance not in BALANCES:
            raise ValueError(f"Unknown balance {balance!r}. Known: {', '.join(map(repr, BALANCES))}.")
        below = [loss.name for loss in losses if not loss.non_negative]
        if balance == "uncertainty" and below:
            raise ValueError(
                "balance='uncertainty' needs losses that are never negative, or a weight grows without end, and "
                f"{below[0]} can be: balance by 'gradient', or use NSS(relative=True) for NSS, NLL for IG, and KLD "
                "and CC without a convention."
            )
        keras.metrics.Metric.__init__(self, name=name, dtype="float32")
        SaliencyLoss.__init__(self, losses[0].from_logits, reduction=reduction, name=name, dtype=dtype)
        self.losses = losses
        self.weights = dict(zip(names, map(float, weights), strict=True))
        self.needs_fixations = any(loss.needs_fixations for loss in losses)
        self.balance = balance
        self.log_variances = log_variances
        # Of a model that sees to the balance.
        self.uncertainty: balancing.Uncertainty | None = None
        self.adopted = False
        # What a model with several outputs puts before the names of the terms; whether they are counted at all.
        self.prefix, self.logged = "", True
        self.sums = self.add_variable((len(losses),), initializer="zeros", dtype="float32", name="sums")
        self.counts = self.add_variable((len(losses),), initializer="zeros", dtype="float32", name="counts")
        # Of the last batch: what is learned cannot be read from a metric on every backend. The same on every replica.
        self.learned = self.add_variable(
            (len(losses),), initializer="zeros", dtype="float32", aggregation="only_first_replica", name="learned"
        )

    def __repr__(self) -> str:
        """What one would write: the sum of its terms, and how they are balanced."""
        factors = ["" if weight == 1 else f"{weight!r} * ".replace(".0 ", " ") for weight in self.weights.values()]
        terms = " + ".join(factor + repr(loss) for factor, loss in zip(factors, self.losses, strict=True))
        if self.balance:
            return f"combo({terms}, balance={self.balance!r})"
        return f"combo({terms})" if factors == [""] else terms

    def call(self, y_true: Targets, y_pred: Maps) -> tuple[Tensor, Tensor]:
        """The values of the terms and where each has ground truth, both `(terms, batch)`."""
        if self.balance and not self.adopted:
            warnings.warn(
                f"balance={self.balance!r} takes effect in a SaliencyModel only; make one of a functional model by "
                "keras_saliency.models.SaliencyModel(model.inputs, model.outputs). The given weights are used.",
                stacklevel=2,
            )
        target, prediction = unpack_pair(y_true, y_pred, self.from_logits, self.needs_fixations and self.name)
        counted = ops.stack([present(target, loss.needs_fixations) for loss in self.losses])
        values = ops.stack([loss.measure(target, prediction) for loss in self.losses]) * counted
        if not self.logged:
            return values, counted
        self.sums.assign_add(ops.cast(ops.sum(ops.stop_gradient(values), axis=1), "float32"))
        self.counts.assign_add(ops.cast(ops.sum(counted, axis=1), "float32"))
        if self.uncertainty:
            self.learned.assign(self.uncertainty.factors())
        return values, counted

    def reduce(self, values: Tensor, counted: Tensor, sample_weight: Values | None = None) -> Tensor:
        """The weighted sum of the terms, each averaged over its own images."""
        weights: Collection[float] = self.weights.values()
        if self.uncertainty:
            values, weights = self.uncertainty(values), [1.0] * len(self.losses)
        return sum(
            weight * SaliencyLoss.reduce(self, values[i], counted[i], sample_weight) for i, weight in enumerate(weights)
        )

    def result(self) -> dict[str, Tensor]:
        """The mean of each term over the images seen since the last reset, NaN if none; the weights last learned."""
        means = self.sums / self.counts
        terms = {f"{self.prefix}{name}_loss": means[i] for i, name in enumerate(self.weights)}
        if self.uncertainty:
            terms |= {f"{self.prefix}{name}_weight": self.learned[i] for i, name in enumerate(self.weights)}
        return terms

    @contextlib.contextmanager
    def unlogged(self) -> Iterator[None]:
        """A context in which values are not counted among those that the log shows."""
        self.logged = False
        try:
            yield
        finally:
            self.logged = True

    def adopt(self, prefix: str = "") -> None:
        """Tells the combination that a `SaliencyModel` is compiled with it, which calls this, and balances it.

        Args:
            prefix: What the model puts before the names of the terms in its log.
        """
        self.adopted, self.prefix = True, prefix
        if self.balance == "uncertainty" and self.uncertainty is None:
            # Here and not before: under a strategy of `tf.distribute`, variables must be made where those of the model
            # are.
            start = self.log_variances or [-math.log(2 * weight) for weight in self.weights.values()]
            self.uncertainty = balancing.Uncertainty(start)

    @property
    def trainable_variables(self) -> list[keras.Variable]:
        """What a model that is compiled with this loss trains besides its own weights."""
        return self.uncertainty.trainable_variables if self.uncertainty else []

    def equalise(
        self, model: keras.Model, batches: Iterable[tuple[Images, Targets]], verbose: bool = True
    ) -> list[dict[str, Any]]:
        """Sets the weights so that the pull of each term at the output of a model is its share of the given weights.

        The sum of the pulls, weight times norm, stays.

        Args:
            model: The model, with the weights it starts from.
            batches: A list of `(x, y_true)`.
            verbose: Whether to print the table of what it did.

        Returns:
            A list of dictionaries, one for each term, with `term`, `norm` (the mean over the batches), and the weights
            `given` and `set`. The weight of a term without any gradient is kept.
        """
        norms: Any = []
        for x, y_true in batches:
            # Under a strategy of `tf.distribute`, every replica answers with the whole batch, one after the other.
            y_pred = ops.convert_to_numpy(model.predict_on_batch(x))[: len(y_true)]
            norms.append([balancing.gradient_norm(loss, y_true, y_pred) for loss in self.losses])
        norms, given = np.mean(norms, axis=0), np.array(list(self.weights.values()))
        pulls = norms > 0
        total = (given * norms)[pulls].sum() / given[pulls].sum() if pulls.any() else 0.0
        new = np.where(pulls, given * total / np.where(pulls, norms, 1.0), given)
        rows = [
            {"term": term, "norm": float(norm), "given": float(old), "set": float(weight)}
            for term, norm, old, weight in zip(self.weights, norms, given, new, strict=True)
        ]
        if verbose:
            balancing.print_table(rows)
        self.weights = {row["term"]: row["set"] for row in rows}
        self.balance = None
        if getattr(model, "compiled", False):
            # Steps that were compiled before keep the weights that they were made with.
            model.make_train_function(force=True)
            model.make_test_function(force=True)
        return rows

    def get_config(self) -> dict[str, Any]:
        log_variances = self.log_variances
        if self.uncertainty:
            log_variances = ops.convert_to_numpy(self.uncertainty.log_variances).tolist()
        return {
            "losses": [keras.saving.serialize_keras_object(loss) for loss in self.losses],
            "weights": list(self.weights.values()),
            "balance": self.balance,
            "log_variances": log_variances,
            "reduction": self.reduction,
            "name": self.name,
            "dtype": self.dtype,
        }


def _flatten(losses: Sequence[Any], weights: Sequence[float]) -> tuple[list[SaliencyLoss], list[float]]:
    """The terms of losses among which there may be combinations, and their weights multiplied through."""
    terms, factors = [], []
    for loss, weight in zip(losses, weights, strict=True):
        if isinstance(loss, Combination):
            if loss.balance:
                raise ValueError("Balance the outer combination: one that is balanced cannot be a term of another.")
            terms += loss.losses
            factors += [weight * factor for factor in loss.weights.values()]
        else:
            terms.append(loss)
            factors.append(weight)
    return terms, factors


def _combine(losses, weights):
    return Combination(losses, weights, reduction=losses[0].reduction)
