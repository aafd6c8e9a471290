"""The class of the models that the factory makes."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
from keras import ops

from keras_saliency.backbones.any_size import AnySize
from keras_saliency.formulas.types import Images, Maps, Targets, Tensor, Values
from keras_saliency.layers.match_size import MatchSize
from keras_saliency.losses.balance import first_batches
from keras_saliency.losses.base import Combination
from keras_saliency.losses.table import combo

# What a model gives -> whether its losses and metrics take from_logits=True.
LAST_LAYERS = {"log_density": True, "density": False, "saliency": False}


@keras.saving.register_keras_serializable(package="keras_saliency")
class SaliencyModel(AnySize):
    """A functional model that knows its head, takes images of any size, and reports each term of a combined loss.

    A loss that balances itself is balanced in `fit`.
    """

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        """The metrics of the model, a combined loss among them."""
        loss = getattr(self, "loss", None)
        return super().metrics + ([loss] if isinstance(loss, keras.metrics.Metric) else [])

    # A loss that learns its weights learns them with the model.
    @property
    def trainable_variables(self) -> list[keras.Variable]:
        """The variables that training changes, those of a combined loss that learns its weights among them."""
        return super().trainable_variables + self._variables_of_loss()

    @property
    def trainable_weights(self) -> list[keras.Variable]:
        """The same as `trainable_variables`."""
        return super().trainable_weights + self._variables_of_loss()

    def _variables_of_loss(self):
        loss = getattr(self, "loss", None)
        return loss.trainable_variables if isinstance(loss, Combination) else []

    def fit(
        self, x: Any = None, y: Targets | None = None, batch_size: int | None = None, **kwargs: Any
    ) -> keras.callbacks.History:
        """Trains as `keras.Model.fit` does, after balancing a loss with `balance="gradient"` on the first batches."""
        if isinstance(self.loss, Combination) and self.loss.balance == "gradient":
            batches, x = first_batches(x, y, batch_size)
            self.loss.equalise(self, batches)
        return super().fit(x, y, batch_size=batch_size, **kwargs)

    def compile(
        self,
        optimizer: str | keras.optimizers.Optimizer = "rmsprop",
        loss: str | Callable | Sequence | Mapping | None = None,
        metrics: Sequence | Mapping | None = None,
        **kwargs: Any,
    ) -> None:
        """Compiles the model as `keras.Model.compile` does.

        Args:
            optimizer: As in Keras.
            loss: A loss, or what `combo` takes as text: `"10 kld + 2 cc + nss"`, `"sam"`.
            metrics: As in Keras.
            **kwargs: As in Keras.

        Raises:
            ValueError: If a loss or metric expects a log-density and the head gives a density, or the reverse.
        """
        from_logits = _gives_log_density(self)
        if isinstance(loss, str):
            loss = combo(loss, from_logits=bool(from_logits))
        for item in keras.tree.flatten([loss, metrics]):
            if from_logits is not None and getattr(item, "from_logits", from_logits) != from_logits:
                head = "log-density" if from_logits else "density"
                raise ValueError(
                    f"{item.name} has from_logits={item.from_logits}, and the head of {self.name} gives a {head}: "
                    f"make it with from_logits={from_logits}."
                )
        if isinstance(loss, Combination):
            loss.adopted = True
        super().compile(optimizer=optimizer, loss=loss, metrics=metrics, **kwargs)

    # A model that is supervised at several depths has a list of maps for one target.
    def compute_loss(
        self,
        x: Images | None = None,
        y: Targets | None = None,
        y_pred: Maps | Sequence[Maps] | None = None,
        sample_weight: Values | None = None,
        training: bool = True,
    ) -> Tensor:
        """The loss of a map, or the sum of those of a list of maps for one target."""
        maps = y_pred if isinstance(y_pred, list | tuple) else [y_pred]
        return sum(super(SaliencyModel, self).compute_loss(x, y, one, sample_weight, training) for one in maps)

    def compute_metrics(
        self, x: Images, y: Targets, y_pred: Maps | Sequence[Maps], sample_weight: Values | None = None
    ) -> dict[str, Any]:
        """The metrics, of the first of a list of maps."""
        return super().compute_metrics(x, y, y_pred[0] if isinstance(y_pred, list | tuple) else y_pred, sample_weight)

    def compile_from_config(self, config: dict[str, Any]) -> None:
        """Compiles a loaded model as it was compiled when it was saved."""
        self.compile(**keras.saving.deserialize_keras_object(config))
        self.optimizer.build(self.trainable_variables)


def _gives_log_density(model):
    """True or False for a model with one of the heads of the factory, None for another."""
    last = model.layers[-1]
    while isinstance(last, keras.Model):
        last = last.layers[-1]
    if isinstance(last, MatchSize):
        return last.gives == "log-density"
    return LAST_LAYERS.get(last.name)


def gives_log_density(model: keras.Model) -> bool:
    """Finds out what a model gives; one that the factory did not make is asked with a grey image.

    Returns:
        True for a log-density, whose exponential sums to one; False for any other map without negative values.

    Raises:
        ValueError: If its output is no map of one channel, or one with negative or non-finite values that is no
            log-density.
    """
    shape = model.output_shape
    if not isinstance(shape, tuple) or len(shape) != 4 or shape[-1] != 1:
        raise ValueError(f"{model.name} does not give saliency maps. Received: a model with output {shape}.")
    known = _gives_log_density(model)
    if known is not None:
        return known
    grey = model(ops.full((1, *model.input_shape[1:]), 126.0), training=False)
    mass = float(ops.sum(ops.exp(grey)))
    if abs(mass - 1.0) < 1e-2:
        return True
    if float(ops.min(grey)) >= 0 and float(ops.max(grey)) < float("inf"):
        return False
    raise ValueError(
        f"{model.name} gives neither a log-density (its exponential sums to {mass:g}, not 1) nor a map without "
        "negative values. Expected a model made by create_model."
    )


def require_log_density(model: keras.Model) -> None:
    """Checks that a model gives a log-density.

    Raises:
        ValueError: If it gives anything else.
    """
    if not gives_log_density(model):
        raise ValueError(
            f'{model.name} does not give a log-density. Expected a model made by create_model(..., head="log-density").'
        )
