"""What the models of the package are trained on, and their trainings."""

import json
import re
from pathlib import Path
from typing import Any

import keras
import numpy as np
import rich.console

from keras_saliency.data import DataSet, mixtures
from keras_saliency.data.doctor.images import alike
from keras_saliency.data.samples import Samples
from keras_saliency.data.splits import PARTS
from keras_saliency.models import SaliencyModel
from keras_saliency.models.sizes import require_shown
from keras_saliency.quest.cell import train_stages
from keras_saliency.serving.load import MODEL, load
from keras_saliency.training.features import FeatureCache
from keras_saliency.training.loop import IMAGES
from keras_saliency.training.recipe import Recipe, names_of
from keras_saliency.training.workdir import claim_workdir
from keras_saliency.writing.progress import Progress
from keras_saliency.zoo.general import SETS

PART = re.compile(r"\[\d+:\d+, \d+:\d+\]$")  # what the name of a part of an image ends with


class Features:
    """Caches of all data sets, of which each training reads the rows of its own."""

    def __init__(self, folder: Path, data: dict[str, DataSet], console: rich.console.Console) -> None:
        self.folder, self.names, self.whole, self.console = folder, tuple(data), mixtures.mix(data), console
        self.opened: dict[tuple[str, str], tuple[FeatureCache, Samples]] = {}

    def of(self, recipe: Recipe, data: DataSet, built: Any) -> dict[str, FeatureCache]:
        """The caches `train` and `validation` of a recipe, none if nothing of it is computed once."""
        if built.computed is None:
            return {}
        found = {}
        for part, flip in (("train", recipe.flip), ("validation", False)):
            model = recipe.model
            key = (f"{model.backbone}-{recipe.frozen_to or len(model.taps or ()) or 'all'}-{recipe.area}", part)
            if key not in self.opened:
                self.opened[key] = self._open(*key, built, flip)
            cache, samples = self.opened[key]
            own = [self.names[sample.data_set] in names_of(recipe.data) for sample in samples]
            found[part] = cache.only(np.array(own))
        return found

    def _open(self, name, part, built, flip):
        shown = require_shown(built.model)
        samples = getattr(self.whole, part).in_windows(shown)
        with Progress(self.console) as bars:
            task = bars.add_task(f"features {part}"[:14], total=len(samples))
            advance = lambda done: bars.update(task, completed=done)  # noqa: E731
            return FeatureCache(self.folder / name / part, built.computed, samples, shown, flip, 16, advance), samples


def train(
    recipe: Recipe, sets: dict[str, DataSet], folder: Path, features: Features, console: rich.console.Console
) -> SaliencyModel:
    """A trained model, that which lies in the folder if it is finished."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    claim_workdir(folder, recipe)  # What lies there is of this recipe.
    own = {name: sets[name] for name in names_of(recipe.data)}
    if not (folder / MODEL).is_file():
        keras.backend.clear_session()
        console.print(f"{folder}: trained on {', '.join(own)}")
        train_stages(recipe, mixtures.mix(own, recipe.data_weights), folder, features, console)
    return load(folder).model


def images_of(folders: list[Path], sets: dict[str, DataSet]) -> dict[str, list[str]]:
    """The names of the images that stages in folders were trained on, `train`, or chosen by, `validation`.

    Raises:
        ValueError: If one that is in the validation or test split of its data set, or of another one of the same
            photographs, was trained on.
    """
    stages = {file: _seen(file) for folder in folders for file in sorted(folder.rglob(IMAGES))}
    for names in SETS.values():
        held = {f"{name}/{sample.name}" for one in names for sample in _held_out(sets[one]) for name in names}
        for file, stage in stages.items():
            if both := held & stage["train"]:
                raise ValueError(
                    f"{file.parent}: {min(both)} was trained on, and is held out. Delete the folder and train again."
                )
    parts = ("train", "validation")
    return {part: sorted({name for stage in stages.values() for name in stage[part]}) for part in parts}


def _seen(file):
    """What a stage has seen, by part; who has seen a part of an image has seen the image."""
    return {part: {PART.sub("", name) for name in names} for part, names in json.loads(file.read_text()).items()}


def require_unlike(sets: dict[str, DataSet]) -> None:
    """Finds out whether a photograph of one data set is held out and one of another, or nearly the same, is trained on.

    Raises:
        ValueError: If so; names both.
    """
    whole = mixtures.mix({outer: sets[outer] for outer in SETS})
    placed = [(part == "train", sample) for part in PARTS for sample in getattr(whole, part)]
    for pair in alike([sample for _, sample in placed]):
        (trained, one), (others, other) = (placed[i] for i in pair)
        if one.data_set != other.data_set and trained != others:
            raise ValueError(f"{one.name} and {other.name} are one photograph, held out and trained on.")


def _held_out(data):
    return [*data.validation, *data.test]
