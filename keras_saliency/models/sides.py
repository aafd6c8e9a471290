"""Deep supervision: training the maps of single depths beside their fusion."""

import contextlib
from collections.abc import Sequence
from typing import Any

import keras

from keras_saliency.formulas.types import Images, Maps, Targets, Tensor, Values
from keras_saliency.losses.base import Combination
from keras_saliency.models.saliency_model import SaliencyModel

HEAD = ("finish", "saliency", "quarter", "learned_blur", "centre_bias", "upsample", "log_density", "density")


@keras.saving.register_keras_serializable(package="keras_saliency")
class SupervisedSides(SaliencyModel):
    """A model that gives a list of maps, the fused one first, and has one target for all.

    It is compiled with one loss and trained by the sum of that over all maps. Validation, metrics and the reported
    terms of a combination are those of the fused map, which is what the model is used for.
    """

    def compile(self, optimizer: Any = "rmsprop", loss: Any = None, *args: Any, **kwargs: Any) -> None:
        """Compiles the model as `SaliencyModel` is, with one loss.

        Raises:
            ValueError: As `SaliencyModel`, and if there is not one loss.
        """
        super().compile(optimizer, loss, *args, **kwargs)
        if not isinstance(self.loss, keras.losses.Loss):
            raise ValueError(
                f"A model with maps of several depths takes one keras.losses.Loss for all. Received: {self.loss!r}."
            )

    def compute_loss(
        self,
        x: Images | None = None,
        y: Targets | None = None,
        y_pred: Sequence[Maps] = (),
        sample_weight: Values | None = None,
        training: bool = True,
    ) -> Tensor:
        """The loss of the fused map, regularisation included; in training that of the other maps is added to it."""
        fused, *sides = y_pred
        total = super().compute_loss(x, y, fused, sample_weight, training)
        if not training:
            return total
        unlogged = self.loss.unlogged() if isinstance(self.loss, Combination) else contextlib.nullcontext()
        with unlogged:
            return total + sum(self.loss(y, side, sample_weight) for side in sides)

    def compute_metrics(
        self, x: Images, y: Targets, y_pred: Sequence[Maps], sample_weight: Values | None = None
    ) -> dict[str, Any]:
        """The metrics of the fused map."""
        return super().compute_metrics(x, y, y_pred[0], sample_weight)


def with_sides(model: keras.Model) -> SupervisedSides:
    """Adds the maps of the single depths of a model to its outputs, under the same head.

    Args:
        model: A model of the factory whose architecture predicts from several depths (`"dva"`), or its decoder.

    Returns:
        A `SaliencyModel` with a list of maps, the fused one first, that shares all weights. Compiled with one loss, it
        is trained by the sum of that loss over all its maps, and validated by that of the fused one.

    Raises:
        ValueError: If the architecture has no such maps.
    """
    decoder = model if model.name == "decoder" else model.get_layer("decoder")
    names = [layer.name for layer in decoder.layers]
    sides = [name for name in names if name.startswith("side") and name[4:].isdigit()]
    if not sides:
        raise ValueError(f"{model.name} does not predict from single depths: leave supervise_sides out.")
    outputs = [decoder.output]
    for side in sides:
        x = decoder.get_layer(side).output
        for name in HEAD:
            x = decoder.get_layer(name)(x) if name in names else x
        outputs.append(x)
    supervised = SupervisedSides(decoder.inputs, outputs, name="decoder")
    if decoder is model:
        return supervised
    return SupervisedSides(model.inputs, supervised(model.get_layer("backbone")(model.inputs[0])), name=model.name)
