"""What the model of a recipe costs."""

from collections.abc import Iterable
from typing import NamedTuple

import rich.console

from keras_saliency.models import cost
from keras_saliency.models.architectures import find_architecture
from keras_saliency.training.build import untrained
from keras_saliency.training.recipe import Recipe
from keras_saliency.writing.progress import Progress


class Cost(NamedTuple):
    """What a model costs.

    Attributes:
        parameters: The weights that training changes.
        flops: The floating-point operations for one image.
        backbones: The names of its backbones, the published one where the recipe names none.
    """

    parameters: int
    flops: int
    backbones: list[str]


def costs_of(recipes: Iterable[Recipe], console: rich.console.Console) -> dict[str, Cost]:
    """What each recipe costs, by name; models are built with random weights, so that nothing is downloaded.

    Those on presets of KerasHub are left out: what they are made of comes with their download.
    """
    costs = {}
    known = [
        recipe for recipe in recipes if not any((part.backbone or "").startswith("hub:") for part in recipe.models())
    ]
    with Progress(console) as bars:
        for recipe in bars.track(known, description="models"):
            model = untrained(recipe)
            backbones = [part.backbone or find_architecture(part.name).backbone for part in recipe.models()]
            costs[recipe.name] = Cost(cost.parameters(model), cost.flops(model), backbones)
    return costs
