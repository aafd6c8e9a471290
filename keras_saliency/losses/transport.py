"""The loss that knows distances: optimal transport."""

from typing import Any

import keras

from keras_saliency.formulas.maps import Map, Target
from keras_saliency.formulas.transport import LEAST_BLUR, sinkhorn
from keras_saliency.formulas.types import Values
from keras_saliency.losses.base import SaliencyLoss


@keras.saving.register_keras_serializable(package="keras_saliency.losses")
class Sinkhorn(SaliencyLoss):
    """Sinkhorn divergence of the two densities: the least work that moves one into the other, blurred.

    Lower is better; zero for equal maps, at most 0.5. Unlike all other losses it knows how far off a prediction is: to
    move mass by d takes d^2 / 2, with lengths in shares of the diagonal, and a map that is only shifted is worth that
    whatever the blur. Computed on a grid of at most 32 cells along the longer side; the gradient is that of the
    converged value. Source: Feydy et al. (2019); no network of the field was found that is trained with it.

    Args:
        blur: The length below which transport is blurred, in shares of the diagonal, from 0.08 to 1.
        steps: Of the iteration. More are more exact: 16 leave about a hundredth of the value open, and more of it where
            the maps are nearly equal.
        **kwargs: As in `SaliencyLoss`.

    Raises:
        ValueError: If blur is not in this range, or there is no step.
    """

    name_in_table = "sinkhorn"
    options = ("blur", "steps")

    def __init__(self, blur: float = 0.1, steps: int = 16, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not (LEAST_BLUR <= blur <= 1 and steps >= 1):
            raise ValueError(
                f"blur of sinkhorn must be from {LEAST_BLUR} to 1, and steps at least 1. Received: {blur=}, {steps=}."
            )
        self.blur, self.steps = blur, steps

    def measure(self, target: Target, prediction: Map) -> Values:
        return sinkhorn(target.density, prediction, blur=self.blur, steps=self.steps)
