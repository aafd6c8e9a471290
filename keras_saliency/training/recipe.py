"""What a recipe is: data only, so that it can be listed, changed from the command line, and compared."""

import ast
import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any

SCHEDULES = ("cosine", "constant", "inverse", "steps")


@dataclasses.dataclass(frozen=True)
class Model:
    """The arguments of `create_model` that a recipe chooses.

    Attributes:
        name: The architecture.
        backbone: Of the table of backbones; None for the published one.
        weights: Of the backbone.
        head: `"log-density"`, `"density"` or `"published"`.
        stride: Of the backbone, 8 or 16; None as published.
        dilated: Whether convolutions are dilated where strides are removed; None as published.
        width: Multiplies the channels of the decoder.
        scale: The size of the map in sizes of the image; targets follow.
    """

    name: str = "multilevel"
    backbone: str | None = "efficientnet-lite0"
    weights: str | None = "imagenet"
    head: str = "log-density"
    stride: int | None = None
    dilated: bool | None = None
    width: float = 1.0
    scale: float = 1.0


@dataclasses.dataclass(frozen=True)
class Recipe:
    """One training run, or a mixture of several.

    Attributes:
        name: Its name in `zoo.RECIPES`.
        data: The name of the data set.
        model: The model.
        loss: The weight of each loss by name.
        size: `(height, width)` of the images that the network sees.
        batch: Images in a step.
        epochs: The most passes over the training split.
        optimizer: `"adamw"`, `"adam"`, `"sgd"`, `"rmsprop"` or `"adagrad"`.
        learning_rate: At the start.
        schedule: What becomes of it. `"cosine"`: it falls to zero over all epochs; `"constant"`; `"inverse"`: it is
            divided by 1 + decay * steps; `"steps"`: it is multiplied by `decay` every `decay_epochs`.
        decay: See `schedule`.
        decay_epochs: See `schedule`.
        momentum: Of SGD, with Nesterov's form for `nesterov`.
        nesterov: See `momentum`.
        weight_decay: On kernels only, decoupled from the gradient; zero for none.
        clip_norm: The largest norm of the gradient of all weights; None for any.
        patience: Epochs without a better validation loss before training stops.
        freeze_backbone: Trains the decoder alone, on features that are computed once.
        freeze: Patterns of the names of layers of the backbone that are not trained, such as `("block1_*", "*_bn")`.
        supervise_sides: Trains the maps of single depths beside their fusion, where the architecture has them (DVA).
        flip: Whether images are mirrored at random.
        seed: Of initial weights, order and flips.
        start: A recipe that is trained before; this one goes on from its weights.
        members: Recipes whose models are averaged as log-densities; the mixture itself is not trained, and of all
            else only name, data and size count.

    Raises:
        ValueError: If a number or name makes no sense.
    """

    name: str
    data: str
    model: Model = Model()
    loss: dict[str, float] = dataclasses.field(default_factory=dict)
    size: tuple[int, int] = (240, 320)
    batch: int = 20
    epochs: int = 10
    optimizer: str = "adamw"
    learning_rate: float = 1e-3
    schedule: str = "cosine"
    decay: float = 0.0
    decay_epochs: int = 1
    momentum: float = 0.0
    nesterov: bool = False
    weight_decay: float = 1e-4
    clip_norm: float | None = None
    patience: int = 3
    freeze_backbone: bool = True
    freeze: tuple[str, ...] = ()
    supervise_sides: bool = False
    flip: bool = True
    seed: int = 0
    start: "Recipe | None" = None
    members: tuple["Recipe", ...] = ()

    def __post_init__(self) -> None:
        for key in ("batch", "epochs", "patience", "decay_epochs"):
            if getattr(self, key) < 1:
                raise ValueError(f"{key} must be at least 1. Received: {key}={getattr(self, key)}.")
        if len(self.size) != 2 or not all(isinstance(side, int) for side in self.size):
            raise ValueError(f"size must be (height, width) in whole pixels. Received: size={self.size}.")
        if self.schedule not in SCHEDULES:
            raise ValueError(f"Unknown schedule {self.schedule!r}. Known schedules: {', '.join(SCHEDULES)}.")
        if not self.loss and not self.members:
            raise ValueError(f"The recipe {self.name!r} needs a loss, such as loss={{'kld': 1.0}}, or members.")

    def models(self) -> list[Model]:
        """The model, or those of the members."""
        return [member.model for member in self.members] or [self.model]


def data_sets(recipe: Recipe) -> list[str]:
    """The names of the data sets that a recipe and its stages read, its own first."""
    stages = [*recipe.members, *([recipe.start] if recipe.start else [])]
    return list(dict.fromkeys([recipe.data, *(name for stage in stages for name in data_sets(stage))]))


def change(recipe: Recipe, changes: Mapping[str, Any]) -> Recipe:
    """Changes fields of a recipe.

    Args:
        recipe: The recipe; it stays as it is.
        changes: From field to value, such as `{"epochs": 3, "loss": {"kld": 1}, "model": {"backbone": "vgg16"}}`: the
            loss is replaced, of the model what is named. A dot reaches into both: `{"loss.cc": 2}`.

    Returns:
        A new recipe.

    Raises:
        ValueError: If a field is unknown, or a value has the wrong type.
    """
    for key, value in changes.items():
        inner = value if key == "model" and isinstance(value, dict) else None
        steps = {f"{key}.{name}": item for name, item in inner.items()} if inner else {key: value}
        for path, item in steps.items():
            recipe = _replace(recipe, path.split("."), item, f"{path}={item}")
    return recipe


def override(recipe: Recipe, settings: Iterable[str]) -> Recipe:
    """Changes a recipe by texts `KEY=VALUE`, such as `epochs=3`, `model.backbone=vgg16` or `loss.cc=2`; see `change`.

    Raises:
        ValueError: If a setting is not of this form, its key is unknown, or its value has the wrong type.
    """
    for setting in settings:
        key, equals, text = setting.partition("=")
        if not equals:
            raise ValueError(f"A setting has the form KEY=VALUE, such as epochs=3. Received: {setting!r}.")
        try:
            value = ast.literal_eval(text)
        except (ValueError, SyntaxError):
            value = text
        recipe = change(recipe, {key: value})
    return recipe


def _replace(node, keys, value, setting):
    key, *rest = keys
    if isinstance(node, dict) and not rest:
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise ValueError(f"{setting!r}: the weight of a loss is a number; 0 leaves the loss out.")
        changed = {name: weight for name, weight in {**node, key: value}.items() if weight != 0}
        return changed
    known = [field.name for field in dataclasses.fields(node)] if dataclasses.is_dataclass(node) else []
    if key not in known:
        raise ValueError(f"{setting!r}: unknown key {key!r}. Known keys: {', '.join(known) or 'none'}.")
    old = getattr(node, key)
    if rest:
        return dataclasses.replace(node, **{key: _replace(old, rest, value, setting)})
    if isinstance(old, tuple) and isinstance(value, list | tuple):
        value = tuple(value)
    if isinstance(old, float) and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if old is not None and value is not None and type(value) is not type(old):
        raise ValueError(
            f"{setting!r}: {key} is of type {type(old).__name__}, such as {old!r}. Received: {type(value).__name__}."
        )
    return dataclasses.replace(node, **{key: value})
