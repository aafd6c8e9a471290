"""The class of the models that the factory makes."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras

from keras_saliency.backbones.any_size import AnySize
from keras_saliency.formulas.types import Targets
from keras_saliency.losses.balance import first_batches
from keras_saliency.losses.base import Combination
from keras_saliency.losses.table import combo
from keras_saliency.models.heads import declared_log_density


@keras.saving.register_keras_serializable(package="keras_saliency")
class SaliencyModel(AnySize):
    """A functional model that knows its head, takes images of any size, and reports each term of a combined loss.

    A loss that balances itself is balanced in `fit`. In all else it is compiled and fitted as `keras.Model` is, models
    with several outputs included; the terms of a combination then bear the name of its output.
    """

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        """The metrics of the model, combined losses among them."""
        return super().metrics + self._combinations()

    # A loss that learns its weights learns them with the model.
    @property
    def trainable_variables(self) -> list[keras.Variable]:
        """The variables that training changes, those of a combined loss that learns its weights among them."""
        return super().trainable_variables + self._variables_of_losses()

    @property
    def trainable_weights(self) -> list[keras.Variable]:
        """The same as `trainable_variables`."""
        return super().trainable_weights + self._variables_of_losses()

    def _combinations(self):
        losses = keras.tree.flatten(getattr(self, "loss", None))
        return list(dict.fromkeys(loss for loss in losses if isinstance(loss, Combination)))

    def _variables_of_losses(self):
        return [variable for loss in self._combinations() for variable in loss.trainable_variables]

    def fit(
        self, x: Any = None, y: Targets | None = None, batch_size: int | None = None, *args: Any, **kwargs: Any
    ) -> keras.callbacks.History:
        """Trains as `keras.Model.fit` does, after balancing a loss with `balance="gradient"` on the first batches."""
        if isinstance(self.loss, Combination) and self.loss.balance == "gradient":
            batches, x = first_batches(x, y, batch_size)
            self.loss.equalise(self, batches)
        return super().fit(x, y, batch_size, *args, **kwargs)

    def compile(
        self,
        optimizer: str | keras.optimizers.Optimizer = "rmsprop",
        loss: str | Callable | Sequence | Mapping | None = None,
        loss_weights: float | Sequence | Mapping | None = None,
        metrics: Sequence | Mapping | None = None,
        weighted_metrics: Sequence | Mapping | None = None,
        *args: Any,
        **kwargs: Any,
    ) -> None:
        """Compiles the model as `keras.Model.compile` does.

        Args:
            optimizer: As in Keras.
            loss: A loss, or what `combo` takes as text: `"10 kld + 2 cc + nss"`, `"sam"`; else as in Keras. A text that
                `combo` does not take is a name that Keras knows.
            loss_weights: As in Keras.
            metrics: As in Keras.
            weighted_metrics: As in Keras.
            *args: As in Keras.
            **kwargs: As in Keras.

        Raises:
            ValueError: If a loss or metric of this package expects a log-density and the head gives a density, or the
                reverse; if one loss of several outputs is to be balanced by gradients.
        """
        from_logits = declared_log_density(self)
        loss = keras.tree.map_structure(lambda item: _named(item, bool(from_logits)), loss)
        for item in keras.tree.flatten([loss, metrics, weighted_metrics]):
            # What has a name in a table is of this package. Keras takes classes, too, and makes them with defaults.
            asked = getattr(item, "from_logits", False) if hasattr(item, "name_in_table") else from_logits
            if from_logits is not None and asked != from_logits:
                head = "log-density" if from_logits else "density"
                name = item.__name__ if isinstance(item, type) else item.name
                raise ValueError(
                    f"{name} has from_logits={asked}, and the head of {self.name} gives a {head}: "
                    f"make it with from_logits={from_logits}."
                )
        several = len(self.outputs) > 1
        for path, item in keras.tree.flatten_with_path(loss):
            if isinstance(item, Combination):
                names = [self.output_names[key] if isinstance(key, int) else key for key in path if several]
                item.adopt("".join(f"{name}_" for name in names))
                if path and item.balance == "gradient":
                    raise ValueError("Only the single loss of a model is balanced by gradients.")
        super().compile(optimizer, loss, loss_weights, metrics, weighted_metrics, *args, **kwargs)

    def compile_from_config(self, config: dict[str, Any]) -> None:
        """Compiles a loaded model as it was compiled when it was saved."""
        self.compile(**keras.saving.deserialize_keras_object(config))
        self.optimizer.build(self.trainable_variables)


def _named(loss, from_logits):
    """The loss of a text, of this package before those of Keras."""
    if not isinstance(loss, str):
        return loss
    try:
        return combo(loss, from_logits=from_logits)
    except ValueError as error:
        try:
            return keras.losses.get(loss)
        except ValueError:
            raise error from None
