"""The class of the models that the factory makes."""

import dataclasses
import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

import keras

from keras_saliency.backbones.any_size import AnySize
from keras_saliency.formulas.types import Targets
from keras_saliency.formulas.view import View
from keras_saliency.losses.balance import first_batches
from keras_saliency.losses.base import Combination
from keras_saliency.losses.table import combo
from keras_saliency.models.heads import declared_log_density


@keras.saving.register_keras_serializable(package="keras_saliency")
class SaliencyModel(AnySize):
    """A functional model that knows its head, takes images of any size, and reports each term of a combined loss.

    A loss that balances itself is balanced in `fit`. In all else it is compiled and fitted as `keras.Model` is, models
    with several outputs included; the terms of a combination then bear the name of its output.

    Attributes:
        view: How pictures are shown to it, a `View`; None for one that sees them in a frame of its `input_shape`.
    """

    view: View | None = None

    def get_config(self) -> dict[str, Any]:
        """What `keras.Model.get_config` gives, and the view, if there is one."""
        return {**super().get_config(), **({"view": dataclasses.asdict(self.view)} if self.view else {})}

    @classmethod
    def from_config(cls, config: dict[str, Any], *args: Any, **kwargs: Any) -> Self:
        """The model of a config."""
        view = config.get("view")
        model = super().from_config({key: config[key] for key in config if key != "view"}, *args, **kwargs)
        model.view = view and View(**view)
        return model

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

    def _tell_direction(self, callbacks):
        # Keras looks for the direction of what callbacks watch among compiled metrics alone.
        terms = {f"{loss.prefix}{name}_loss" for loss in self._combinations() for name in loss.weights}
        for callback in keras.tree.flatten(getattr(callbacks, "callbacks", callbacks)):
            watched = str(getattr(callback, "monitor", "")).removeprefix("val_")
            if watched in terms and getattr(callback, "mode", None) == "auto":
                callback.mode = "min"

    def fit(
        self, x: Any = None, y: Targets | None = None, batch_size: int | None = None, *args: Any, **kwargs: Any
    ) -> keras.callbacks.History:
        """Trains as `keras.Model.fit` does, after balancing a loss with `balance="gradient"` on the first batches,
        of which it prints a table unless `verbose=0`.

        Callbacks that watch a term of a combined loss, as `EarlyStopping("val_kld_loss")`, need not be told that less
        is better.
        """
        given = inspect.signature(super().fit).bind_partial(x, y, batch_size, *args, **kwargs).arguments
        self._tell_direction(given.get("callbacks"))
        if isinstance(self.loss, Combination) and self.loss.balance == "gradient":
            batches, x = first_batches(x, y, batch_size)
            self.loss.equalise(self, batches, verbose=given.get("verbose", "auto") != 0)
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
        named = [named_loss(item, self._output(path)[1]) for path, item in keras.tree.flatten_with_path(loss)]
        loss = keras.tree.pack_sequence_as(loss, named)
        for items in (loss, metrics, weighted_metrics):
            for path, item in keras.tree.flatten_with_path(items):
                require_form(item, declared_log_density(self._output(path)[1]), self.name)
        for path, item in keras.tree.flatten_with_path(loss):
            if isinstance(item, Combination):
                item.adopt(f"{self._output(path)[0]}_" if len(self.outputs) > 1 and path else "")
                if path and item.balance == "gradient":
                    raise ValueError("Only the single loss of a model is balanced by gradients.")
        super().compile(optimizer, loss, loss_weights, metrics, weighted_metrics, *args, **kwargs)

    def _output(self, path):
        """The output, with its name, that a loss or metric at a path in the structure of all is for."""
        key = path[0] if path else 0
        name = self.output_names[min(key, len(self.outputs) - 1)] if isinstance(key, int) else key
        return name, dict(zip(self.output_names, self.outputs, strict=True)).get(name, self.outputs[0])

    def compile_from_config(self, config: dict[str, Any]) -> None:
        """Compiles a loaded model as it was compiled when it was saved."""
        self.compile(**keras.saving.deserialize_keras_object(config))
        self.optimizer.build(self.trainable_variables)


def require_form(item: Any, from_logits: bool | None, name: str) -> None:
    """Checks that a loss or metric of this package takes what a model gives.

    Args:
        item: A loss or a metric; what is not of this package takes anything.
        from_logits: Whether the model gives a log-density; None where that is not known.
        name: Of the model.

    Raises:
        ValueError: If it does not.
    """
    # What has a name in a table is of this package. Keras takes classes, too, and makes them with their defaults.
    asked = getattr(item, "from_logits", False) if hasattr(item, "name_in_table") else from_logits
    if from_logits is not None and asked != from_logits:
        head = "log-density" if from_logits else "density"
        of_item = item.__name__ if isinstance(item, type) else item.name
        raise ValueError(
            f"{of_item} has from_logits={asked}, and the head of {name} gives a {head}: "
            f"make it with from_logits={from_logits}."
        )


def named_loss(loss: Any, output: keras.KerasTensor) -> Any:
    """The loss of a text for an output, for a map of this package before those of Keras; any other stays as it is.

    Raises:
        ValueError: If there is no such loss.
    """
    if not isinstance(loss, str) or len(output.shape) != 4 or output.shape[-1] != 1:
        return loss
    try:
        return combo(loss, from_logits=bool(declared_log_density(output)))
    except ValueError as error:
        try:
            return keras.losses.get(loss)
        except ValueError:
            raise error from None
