"""Features of frozen backbones, which the cells of a study share."""

import contextlib
import hashlib
import json
from pathlib import Path

from keras_saliency.data import DataSet
from keras_saliency.models.sizes import require_shown
from keras_saliency.training.build import Built
from keras_saliency.training.features import FeatureCache, fingerprint_of
from keras_saliency.training.recipe import Recipe
from keras_saliency.writing.locks import lock

SPLITS = ("validation", "test")  # that are scored


class SharedFeatures:
    """The caches that cells read; each is made, or looked over, once in a process.

    Args:
        folder: Where they lie, a folder for each backbone and data set.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._opened: dict[Path, dict[str, FeatureCache]] = {}

    def of(self, recipe: Recipe, data: DataSet, built: Built) -> dict[str, FeatureCache]:
        """The caches of training, validation and test images, by these names; none where the whole network is trained.

        One process makes them, and others wait.
        """
        if built.computed is None:
            return {}
        folder = self.folder / _name(recipe, built)
        if folder not in self._opened:
            folder.mkdir(parents=True, exist_ok=True)
            with contextlib.ExitStack() as held:
                lock(folder, held, f"Another process computes features in {folder}.", wait=True)
                parts = {"train": recipe.flip, **dict.fromkeys(SPLITS, False)}
                shown = require_shown(built.model)
                self._opened[folder] = {
                    part: FeatureCache(folder / part, built.computed, getattr(data, part), shown, flip)
                    for part, flip in parts.items()
                }
        return self._opened[folder]


def _name(recipe, built):
    """The folder of the features that a cell reads: cells that read the same share it."""
    few = (recipe.images, recipe.seed) if recipe.images else None
    digest = hashlib.sha256(json.dumps([recipe.shown(), recipe.flip, few]).encode())
    digest.update(fingerprint_of(built.computed, *built.model.input_shape[1:3]))
    return f"{recipe.data}-{digest.hexdigest()[:12]}"
