"""The kinds of inputs: how they are made, how each is read, and what its reader promises."""

import contextlib
import importlib
import json
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from fuzzing import files, settings

PIXELS = 2**26


def _reader(module, name):
    return getattr(importlib.import_module(f"keras_saliency.{module}"), name)


def _numbers(values, ranks, kinds="biuf"):
    """What is wrong with an array, or None."""
    values = np.asarray(values)
    if values.ndim not in ranks or values.dtype.kind not in kinds or values.size > PIXELS:
        return f"{values.dtype} of shape {values.shape}"
    return None


def _first(problems):
    return next((problem for problem in problems if problem), None)


def _photograph(path):
    image = _reader("data.image_files", "read")(path, path)
    return _numbers(image, (3,), "u") or (None if image.shape[-1] == 3 else f"{image.shape[-1]} channels")


def _map(path):
    """As `evaluate` reads it, which resizes; its values are those of the image, and finite."""
    data, sources = (importlib.import_module(f"keras_saliency.{m}") for m in ("data", "evaluation.sources"))
    points = data.Fixations.from_rows([(1.0, 1.0, 0, 0.0)])
    sample = data.Sample(f"{path.stem}.jpg", path.with_name("none"), files.SIZE, points, 1.0)
    (prediction,) = sources.FolderSource(path.parent, resize=True).predictions(data.Samples([sample], 1.0))
    finite = np.isfinite(prediction.values).all()
    return None if prediction.values.shape == files.SIZE and finite else f"a map {prediction.values.shape}, {finite}"


def _mat(path):
    if path.stem == "map":
        return _map(path)
    _reader("data.matlab", "load_matlab")(path, "fixations")
    return None


def _named(path, read, *arguments):
    """A dataset knows its own name; that of the file is added by who opened it."""
    try:
        return read(*arguments)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def _hdf5(path):
    pysaliency, load = _reader("evaluation", "pysaliency"), _reader("legacy.keras1_file", "load_keras1_weights")
    with pysaliency.open_predictions(path) as maps:
        wrong = _first(_numbers(_named(path, pysaliency.read_map, dataset), range(9)) for dataset in maps.values())
    layers = load(path)
    return wrong or _first(_numbers(array, range(9)) for arrays in layers.values() for array in arrays.values())


def _weights(name):
    def read(path):
        tensors = _reader("legacy.torch_file", name)(path)
        return _first(_numbers(array, range(65), "biufc") for array in tensors.values())

    return read


def _sensible(recipe):
    """Numbers that can train: what a recipe promises of itself."""
    model, sides = recipe.model, recipe.size or (recipe.area,)
    positive = (recipe.learning_rate, model.width, model.scale, recipe.batch, recipe.epochs, *sides)
    others = (recipe.weight_decay, recipe.decay, recipe.momentum, *recipe.loss.values())
    if not all(np.isfinite(float(number)) and number > 0 for number in positive):
        return f"{positive}, which are positive"
    if not all(np.isfinite(float(number)) for number in others) or recipe.weight_decay < 0 or recipe.momentum >= 1:
        return f"{others}, which are finite, and momentum below one"
    if recipe.clip_norm is not None and not recipe.clip_norm > 0:
        return f"clip_norm={recipe.clip_norm}"
    if recipe.schedule == "steps" and not recipe.decay > 0:
        return f"decay={recipe.decay} for steps"
    return f"name={recipe.name!r}" if "/" in recipe.name or not 0 < len(recipe.name) < 256 else None


def _judged(recipe):
    """As `_sensible`; values of another type than the recipe's are none."""
    try:
        return _sensible(recipe)
    except (TypeError, AttributeError) as error:
        return f"a value of another type ({error})"


def _base():
    return _reader("training.recipe", "Recipe")("fuzzed", "synthetic", loss={"kld": 1.0})


def _recipe(path):
    return _judged(_reader("training.changes", "change")(_base(), json.loads(path.read_text())))


def _settings(path):
    return _judged(_reader("training.changes", "override")(_base(), path.read_text().split("\n")))


class Kind(NamedTuple):
    """A kind: `inputs` gives valid and hostile `(name, bytes)`, `read` None or what is wrong with what it accepts."""

    inputs: Callable[[], tuple[list, list]]
    read: Callable[[Any], str | None]
    modules: tuple[str, ...]
    errors: tuple[type[Exception], ...] = (ValueError,)
    named: bool = True
    mutate: Callable | None = None

    def prepare(self):
        """Imports what is read with, so that no input pays for it."""
        for module in self.modules:
            with contextlib.suppress(ImportError):
                importlib.import_module(f"keras_saliency.{module}")


# Where recipes and their changes are refused.
CHANGES = ("training.changes", "training.recipe")
KINDS = {
    "photographs": Kind(files.photographs, _photograph, ("data.image_files",), (OSError,)),
    "maps": Kind(files.maps, _map, ("evaluation.sources",)),
    "mat": Kind(files.mat, _mat, ("data.matlab", "evaluation.sources")),
    "hdf5": Kind(files.hdf5, _hdf5, ("evaluation.pysaliency", "legacy.keras1_file")),
    "torch": Kind(files.torch, _weights("load_torch_weights"), ("legacy.torch_file",)),
    "safetensors": Kind(files.safetensors, _weights("load_safetensors"), ("legacy.torch_file",)),
    "recipes": Kind(settings.recipes, _recipe, CHANGES, named=False, mutate=settings.other_recipe),
    "settings": Kind(
        settings.settings,
        _settings,
        ("training.changes", "training.recipe"),
        named=False,
        mutate=settings.other_settings,
    ),
}
