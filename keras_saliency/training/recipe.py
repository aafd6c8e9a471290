"""What a recipe is: data only, so that it can be listed, changed from the command line, and compared."""

import dataclasses
import math
from collections.abc import Callable
from typing import Any

SCHEDULES = ("cosine", "constant", "inverse", "steps")
LARGEST = math.nextafter(math.inf, 0.0)
LETTERS = 200  # of what was given, in a message


@dataclasses.dataclass(frozen=True)
class Model:
    """The arguments of `create_model` that a recipe chooses.

    Attributes:
        name: The architecture.
        backbone: Of the table of backbones; None for the published one.
        weights: Of the backbone.
        taps: The layers of the backbone that the decoder reads, fine to coarse; None for its own.
        head: `"log-density"`, `"density"` or `"published"`.
        stride: Of the backbone, 8 or 16; None as published.
        dilated: Whether convolutions are dilated where strides are removed; None as published.
        width: Multiplies the channels of the decoder.
        scale: The size of the map in sizes of the image; targets follow.

    Raises:
        ValueError: If a value makes no sense.
    """

    name: str = "multilevel"
    backbone: str | None = "efficientnet-lite0"
    weights: str | None = "imagenet"
    taps: tuple[str, ...] | None = None
    head: str = "log-density"
    stride: int | None = None
    dilated: bool | None = None
    width: float = 1.0
    scale: float = 1.0

    def __post_init__(self) -> None:
        _require(self, "model.")


@dataclasses.dataclass(frozen=True)
class Recipe:
    """One training run, or a mixture of several.

    Attributes:
        name: Its name in `zoo.RECIPES`.
        data: The name of the data set, or of several that are mixed.
        data_weights: How often an epoch shows each image of a data set of a mixture, by name; by default once.
        images: How many images of the training split are used, drawn at random by the seed; None for all.
        degrees: The blur of the ground truth in training, in degrees of visual angle; None for that of each data set.
        model: The model.
        loss: The weight of each loss by name.
        loss_options: What losses are made with, by name: `{"deep_features": {"backbone": "efficientnet-lite0"}}`.
        balance: None, or how they are found, `"gradient"` or `"uncertainty"`; see `Combination`.
        size: `(height, width)` of a frame in which the network sees every image, padded where its shape is another;
            None where it sees each at a size that its shape asks for.
        area: The pixels of an image as the network sees it; does not count where there is a frame.
        pixels_per_degree: The pixels of a degree of visual angle in what the network sees, in place of the area, for
            images of data that say how many theirs has.
        batch: Images in a step.
        epochs: The most passes over the training split.
        optimizer: `"adamw"`, `"adam"`, `"sgd"`, `"rmsprop"` or `"adagrad"`.
        learning_rate: At the start.
        schedule: What becomes of it. `"cosine"`: it falls to zero over all epochs; `"constant"`; `"inverse"`: it is
            divided by 1 + decay * steps; `"steps"`: it is multiplied by `decay`, above 0, every `decay_epochs`.
        decay: See `schedule`.
        decay_epochs: See `schedule`.
        momentum: Of SGD, with Nesterov's form for `nesterov`.
        nesterov: See `momentum`.
        weight_decay: On kernels only, decoupled from the gradient; zero for none.
        clip_norm: The largest norm of the gradient of all weights; None for any.
        patience: Epochs without a better validation loss before training stops.
        freeze_backbone: Trains the decoder alone, on features that are computed once.
        frozen_to: The name of a layer of the backbone, with `freeze_backbone=False`: what comes before it and itself
            stay as they are and are computed once, so that the rest is trained several times as fast; None for all.
        heads: Whether each data set has a head of its own, `RecordingHead`, and all others the average one; for models
            that see images at a size that their shape asks for.
        dropout: The share of the channels of features that the decoder does not see in training, drawn at random for
            each image.
        freeze: Patterns of the names of layers of the backbone that are not trained, such as `("block1_*", "*_bn")`.
        supervise_sides: Trains the maps of single depths beside their fusion, where the architecture has them (DVA).
        flip: Whether images are mirrored at random.
        augment: How else they change at random, from names of `keras_saliency.data.augmentation.KINDS` to how much;
            only where the backbone is trained, too.
        histories: How many fixations of an image a step predicts, one of them without history, the others from those
            before, by the decoder and the networks of `keras_saliency.models.with_history`; None for a model of where
            people look at any time.
        seed: Of initial weights, order and flips.
        start: A recipe that is trained before; this one goes on from its weights.
        members: Recipes whose models are averaged as log-densities; the mixture itself is not trained, and of all
            else only name, data, size and sizes count.
        sizes: How large each of the members sees a picture, in sizes of what it was trained on: `(1.5, 0.75)`.

    Raises:
        ValueError: If a value makes no sense, or is of another type.
    """

    name: str
    data: str | tuple[str, ...]
    model: Model = dataclasses.field(default_factory=Model)
    loss: dict[str, float] = dataclasses.field(default_factory=dict)
    size: tuple[int, int] | None = None
    area: int = 240 * 320
    pixels_per_degree: float | None = None
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
    frozen_to: str | None = None
    dropout: float = 0.0
    freeze: tuple[str, ...] = ()
    supervise_sides: bool = False
    flip: bool = True
    heads: bool = False
    augment: dict[str, float] = dataclasses.field(default_factory=dict)
    data_weights: dict[str, float] = dataclasses.field(default_factory=dict)
    degrees: float | None = None
    balance: str | None = None
    images: int | None = None
    loss_options: dict[str, dict[str, Any]] = dataclasses.field(default_factory=dict)
    histories: int | None = None
    seed: int = 0
    start: "Recipe | None" = None
    members: tuple["Recipe", ...] = ()
    sizes: tuple[float, ...] = (1.0,)

    def __post_init__(self) -> None:
        _require(self)
        if self.schedule not in SCHEDULES:
            raise ValueError(f"Unknown schedule {shown(self.schedule)}. Known schedules: {', '.join(SCHEDULES)}.")
        if self.schedule == "steps" and not self.decay:
            raise ValueError(
                "schedule='steps' multiplies the learning rate by decay, which has to be above 0, such as 0.1."
            )
        if self.size and self.pixels_per_degree:
            raise ValueError("size is a frame for all images: with pixels_per_degree it has to be None.")
        if self.frozen_to and self.freeze_backbone:
            raise ValueError("frozen_to says where training begins in the backbone: freeze_backbone=False.")
        if self.heads and (self.size or self.model.head != "log-density" or self.supervise_sides):
            raise ValueError('heads are those of model.head="log-density", with size=None and supervise_sides=False.')
        if self.histories:
            _require_history(self)
        if self.supervise_sides and (self.frozen_to or self.dropout):
            raise ValueError("supervise_sides trains all maps on whole features: leave frozen_to and dropout out.")
        if self.augment and (self.freeze_backbone or self.frozen_to):
            raise ValueError(
                "augment changes images, and the features of a frozen backbone are computed once. Train the backbone, "
                "too: freeze_backbone=False."
            )
        if unknown := {*self.data_weights} - {*names_of(self.data)}:
            raise ValueError(f"data_weights has {shown(min(unknown))}, and data is {', '.join(names_of(self.data))}.")
        if not self.loss and not self.members:
            raise ValueError(f"The recipe {shown(self.name)} needs a loss, such as loss={{'kld': 1.0}}, or members.")

    def shown(self) -> dict[str, Any]:
        """How images are shown, as arguments of `create_model`."""
        if self.size:
            return {"input_size": self.size}
        return {"area": self.area, "pixels_per_degree": self.pixels_per_degree}

    def models(self) -> list[Model]:
        """The model, or those of the members."""
        return [member.model for member in self.members] or [self.model]


def _require_history(recipe):
    """What the next fixation is learned from is a map by likelihood, on features that are computed once."""
    if {*recipe.loss} != {"nll"} or recipe.balance or recipe.loss_options:
        raise ValueError(f"The next fixation is learned by likelihood: loss={{'nll': 1.0}}. Received: {recipe.loss}.")
    plain = recipe.freeze_backbone and not (recipe.size or recipe.heads or recipe.dropout or recipe.supervise_sides)
    if not plain or recipe.model.head != "log-density" or recipe.model.scale != 1:
        raise ValueError(
            'histories need model.head="log-density", model.scale=1, size=None, freeze_backbone=True, and neither '
            "heads, dropout nor supervise_sides."
        )


def is_number(value: Any, kind: Any = (int, float)) -> bool:
    """Whether it is a finite number, and no truth value."""
    return isinstance(value, kind) and not isinstance(value, bool) and abs(value) <= LARGEST


def _positive(value):
    return is_number(value) and value > 0


def _count(value):
    return is_number(value, int) and 1 <= value < 2**31


def _histories(value):
    return value is None or (_count(value) and 2 <= value <= 1000)


def _text(value):
    return isinstance(value, str) and value != ""


def _folder(value):
    fits = _text(value) and value.isprintable() and len(value.encode()) < 256
    return fits and value.strip(" .") != "" and not set(value) & set("/\\")


def _weights(value):
    return isinstance(value, dict) and all(map(_text, value)) and all(map(_positive, value.values()))


def _options(value):
    whole = isinstance(value, dict) and all(map(_text, value))
    return whole and all(isinstance(own, dict) and all(map(_text, own)) for own in value.values())


def _pair(value):
    return _several(value, _count) and len(value) == 2


def _names(value):
    several = isinstance(value, tuple | list) and value and all(map(_text, value)) and len({*value}) == len(value)
    return _text(value) or bool(several)


def _sizes(value):
    return _several(value, _positive) and len(value) > 0


def _layers(value):
    return value is None or (_several(value, _text) and len(value) > 0)


def _several(value, holds):
    return isinstance(value, tuple | list) and all(map(holds, value))


# What values must be, as words and as a test, and the fields of which that holds.
RANGES: tuple[tuple[str, Callable[[Any], bool], str], ...] = (
    ("the name of a folder, without slashes", _folder, "name"),
    ("a text", _text, "optimizer schedule model.name model.head"),
    ("the name of a data set, or several different ones", _names, "data"),
    ("a text or None", lambda value: value is None or _text(value), "balance frozen_to model.backbone model.weights"),
    ("True or False", lambda value: isinstance(value, bool), "nesterov freeze_backbone supervise_sides flip heads"),
    ("True, False or None", lambda value: value is None or isinstance(value, bool), "model.dilated"),
    ("a whole number from 1 to 2**31 - 1", _count, "area batch epochs patience decay_epochs"),
    (
        "a whole number from 1 to 2**31 - 1, or None",
        lambda value: value is None or _count(value),
        "images model.stride",
    ),
    ("a whole number from 2 to 1000, or None", _histories, "histories"),
    ("a whole number from 0 to 2**32 - 1", lambda value: is_number(value, int) and 0 <= value < 2**32, "seed"),
    ("a number above 0", _positive, "learning_rate model.width model.scale"),
    (
        "a number above 0, or None",
        lambda value: value is None or _positive(value),
        "clip_norm degrees pixels_per_degree",
    ),
    ("a number, at least 0", lambda value: is_number(value) and value >= 0, "decay weight_decay"),
    ("a number, at least 0 and below 1", lambda value: is_number(value) and 0 <= value < 1, "momentum dropout"),
    ("(height, width) in whole pixels, or None", lambda value: value is None or _pair(value), "size"),
    ("positive weights by the names of losses, such as {'kld': 1.0}", _weights, "loss"),
    ("options by the names of losses, such as {'nss': {'relative': True}}", _options, "loss_options"),
    ("positive numbers by names, such as {'crop': 0.2}", _weights, "augment data_weights"),
    ("patterns of the names of layers, such as ('block1_*',)", lambda value: _several(value, _text), "freeze"),
    ("names of layers, such as ('stage3_out', 'stage5_out'), or None", _layers, "model.taps"),
    ("numbers above 0, one at least, in brackets", _sizes, "sizes"),
    ("a Model", lambda value: isinstance(value, Model), "model"),
    ("a Recipe or None", lambda value: value is None or isinstance(value, Recipe), "start"),
    ("Recipes, in brackets", lambda value: _several(value, lambda one: isinstance(one, Recipe)), "members"),
)


def _require(node, prefix=""):
    for expected, holds, paths in RANGES:
        for path in paths.split():
            name = path.removeprefix(prefix)
            if path == prefix + name and "." not in name and not holds(getattr(node, name)):
                raise ValueError(f"{path} must be {expected}. Received: {path}={shown(getattr(node, name))}.")


def shown(value: Any) -> str:
    """A value as a message shows it: in one line, and cut where it is long."""
    try:
        text = repr(value)
    except ValueError:  # A whole number of more digits than Python writes.
        return "a number of thousands of digits"
    return text if len(text) <= LETTERS else f"{text[:LETTERS]}..."


def names_of(data: str | tuple[str, ...]) -> tuple[str, ...]:
    """The names in the field `data` of a recipe."""
    return (data,) if isinstance(data, str) else tuple(data)


def data_sets(recipe: Recipe) -> list[str]:
    """The names of the data sets that a recipe and its stages read, its own first."""
    stages = [*recipe.members, *([recipe.start] if recipe.start else [])]
    return list(dict.fromkeys([*names_of(recipe.data), *(name for stage in stages for name in data_sets(stage))]))
