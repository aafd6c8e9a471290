"""One cell of a study: trained on cached features, and scored."""

import importlib.metadata
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, cast

import keras
import numpy as np
import rich.console

from keras_saliency.data import DataSet, Samples, mixtures
from keras_saliency.data.pipeline import images
from keras_saliency.formulas.types import Plane
from keras_saliency.formulas.view import View
from keras_saliency.models import SaliencyModel
from keras_saliency.models.sizes import require_shown
from keras_saliency.quest.judging import Judge
from keras_saliency.quest.shared_features import SPLITS, SharedFeatures
from keras_saliency.quest.study import Cell
from keras_saliency.training.build import build
from keras_saliency.training.features import FeatureCache
from keras_saliency.training.loop import train_epochs
from keras_saliency.training.recipe import Recipe
from keras_saliency.training.workdir import claim_workdir

PACKAGES = ("keras", "tensorflow", "numpy", "keras_saliency")


def run_cell(
    cell: Cell,
    data: DataSet,
    judge: Callable[[str, View], Judge],
    scratch: Path,
    features: SharedFeatures,
    console: rich.console.Console,
) -> dict[str, Any]:
    """Trains and scores a cell; a cell that was interrupted goes on where it was.

    Args:
        cell: The cell.
        data: Its data set, whole.
        judge: From the name of a split and a view to what scores it.
        scratch: A folder of its own, which may be deleted once the result is written.
        features: Those of frozen backbones, which other cells share.
        console: Where to write.

    Returns:
        What its file holds besides its specification: history, seconds, the weights of its loss, scores and versions.

    Raises:
        ValueError: If the loss diverges, or the recipe cannot be trained; see `train`.
        OSError: If a disk is full.
    """
    recipe, began = cell.recipe, time.perf_counter()
    seen = mixtures.with_few(data, recipe.images, recipe.seed) if recipe.images else data
    model, trained, caches, history, seconds = train_stages(recipe, seen, scratch, features, console)
    shown = cast(View, require_shown(model))
    started = time.perf_counter()
    scores = {
        split: judge(split, shown).scores(_maps(model, trained, getattr(seen, split), shown, caches.get(split)))
        for split in SPLITS
    }
    seconds["scores"] = time.perf_counter() - started
    # Models are made; of what was interrupted not all is known.
    seconds["other"] = max(0.0, time.perf_counter() - began - sum(seconds.values()))
    return {
        "history": history,
        "weights": dict(trained.loss.weights),
        "scores": scores,
        "seconds": {name: round(value, 1) for name, value in seconds.items()},
        "versions": {name: importlib.metadata.version(name) for name in PACKAGES},
    }


class Trained(NamedTuple):
    """What becomes of a recipe: the model, the part of it that was trained, caches of features by part of the data,
    the history of the last stage, and the seconds of all.
    """

    model: SaliencyModel
    part: keras.Model
    caches: dict[str, FeatureCache]
    history: list[dict[str, float]]
    seconds: dict[str, float]


def train_stages(
    recipe: Recipe, data: DataSet, scratch: Path, features: SharedFeatures, console: rich.console.Console
) -> Trained:
    """Trains a recipe and, before it, what it starts from; arguments are those of `run_cell`."""
    claim_workdir(scratch, recipe)
    start = scratch / recipe.start.name if recipe.start else scratch
    before = train_stages(recipe.start, data, start, features, console) if recipe.start else None
    built = build(recipe, data, before and before.model)
    started = time.perf_counter()
    caches = features.of(recipe, data, built)
    spent = time.perf_counter() - started
    history, seconds = train_epochs(recipe, data, built, scratch, console, caches)
    seconds["features"] += spent
    if before:
        seconds = {name: value + before.seconds[name] for name, value in seconds.items()}
    return Trained(built.model, built.trained, caches, history, seconds)


def require_runnable(recipe: Recipe) -> None:
    """Finds out what a study cannot do before hours of work.

    Raises:
        ValueError: If the recipe mixes members, has a frame, maps of another size than what is seen, or no log-density.
    """
    unfit = {
        "members": recipe.members,
        "a frame: give area": recipe.size,
        f"scale={recipe.model.scale}": recipe.model.scale != 1,
        f"the head {recipe.model.head!r}": recipe.model.head != "log-density",
    }
    for name, found in unfit.items():
        if found:
            raise ValueError(
                f"The cells of a study are trainings of one model each, seen by area, of log-densities; not {name}."
            )


def _maps(
    model: SaliencyModel, trained: keras.Model, samples: Samples, shown: View, cache: FeatureCache | None
) -> list[Plane]:
    """The log-densities of a split, in its order, at the sizes at which the network sees the images."""
    if cache is not None:
        each = (cache.gather(np.array([i]), np.array([False])) for i in range(len(samples)))
        return [np.asarray(trained.predict_on_batch(features))[0, ..., 0] for features in each]
    maps: list[Any] = [None] * len(samples)
    for numbers, pictures in images(samples, shown):
        for number, map_ in zip(numbers.numpy(), np.asarray(model.predict_on_batch(pictures)), strict=True):
            maps[number] = map_[..., 0]
    return maps
