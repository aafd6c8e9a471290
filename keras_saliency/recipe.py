"""What a recipe is: data only, so that it can be listed, changed from the command line, and compared."""

import ast
import dataclasses


@dataclasses.dataclass(frozen=True)
class Model:
    """The arguments of `create_model` that a recipe chooses."""

    name: str = "multilevel"
    backbone: str = "efficientnet-lite0"
    weights: str | None = "imagenet"


@dataclasses.dataclass(frozen=True)
class Recipe:
    """One training run.

    Attributes:
        name: Its name in `zoo.RECIPES`.
        data: The name of the data set.
        model: The model.
        loss: The weight of each loss by name.
        size: `(height, width)` of the images that the network sees.
        batch: Images in a step.
        epochs: The most passes over the training split; the learning rate decays over them by a cosine.
        learning_rate: Of AdamW, at the start.
        weight_decay: Of AdamW, on kernels only.
        patience: Epochs without a better validation loss before training stops.
        freeze_backbone: Trains the decoder alone, on features that are computed once.
        flip: Whether images are mirrored at random.
        seed: Of initial weights, order and flips.

    Raises:
        ValueError: If a number makes no sense.
    """

    name: str
    data: str
    model: Model
    loss: dict
    size: tuple = (240, 320)
    batch: int = 20
    epochs: int = 10
    learning_rate: float = 1e-3
    weight_decay: float = 1e-4
    patience: int = 3
    freeze_backbone: bool = True
    flip: bool = True
    seed: int = 0

    def __post_init__(self):
        for key in ("batch", "epochs", "patience"):
            if getattr(self, key) < 1:
                raise ValueError(f"{key} must be at least 1. Received: {key}={getattr(self, key)}.")
        if len(self.size) != 2 or not all(isinstance(side, int) for side in self.size):
            raise ValueError(f"size must be (height, width) in whole pixels. Received: size={self.size}.")


def override(recipe, settings):
    """Changes a recipe by settings such as `epochs=3`, `model.backbone=vgg16` or `loss.cc=2`.

    Args:
        recipe: A `Recipe`.
        settings: Strings `key=value`; a dot reaches into the model or the loss.

    Returns:
        A new recipe.

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
        recipe = _replace(recipe, key.split("."), value, setting)
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
