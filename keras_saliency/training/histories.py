"""Batches of what people had looked at before, and of where they looked next."""

import copy

import keras
import numpy as np

from keras_saliency.data.samples import Sample, Samples
from keras_saliency.data.windows import places
from keras_saliency.formulas.view import View
from keras_saliency.models.histories import FIXATIONS
from keras_saliency.training.features import FeatureCache
from keras_saliency.training.parts import QUARTER
from keras_saliency.training.recipe import Recipe


class Histories(keras.utils.PyDataset):
    """Batches of images by their features, of each of which some fixations are to be predicted from those before.

    An image counts as much as any other, however often people looked at it: `recipe.histories` of its fixations, the
    first ones of scanpaths aside, are drawn for each batch, more than once where there are fewer. The first that is
    drawn is predicted without history, so that the density without one is learned, too. Scanpaths of a single fixation
    have none, nor have images where all are such, which are in no batch.

    Args:
        samples: A split.
        features: The features of the same.
        recipe: The recipe.
        view: How images are shown.
        epoch: Its number: another order, other fixations and other mirrored images; None for those of validation, which
            are always the same and in order.

    Raises:
        ValueError: If fixations have no order, no fixation has one before it, or an image is so long that it is seen in
            parts.
    """

    def __init__(
        self, samples: Samples, features: FeatureCache, recipe: Recipe, view: View, epoch: int | None = None
    ) -> None:
        super().__init__()
        for sample in samples.in_windows(view):
            if sample.window:
                raise ValueError(
                    f"{sample.name}: so long an image is seen in parts, and scanpaths lead from one to another. Leave "
                    "images out that are more than three times as long as wide."
                )
        self.features, self.recipe = features, recipe
        self.pairs = [next_fixations(sample) for sample in samples]
        self.canvases = places(samples, view).canvases
        self.usable = np.array([number for number, (_, after) in enumerate(self.pairs) if len(after)], int)
        if not self.usable.size:
            raise ValueError("No scanpath has two fixations: there is no next one to learn from. Give longer ones.")
        self._draw(epoch)

    def of_epoch(self, epoch: int) -> "Histories":
        """The batches of an epoch, made of the same fixations."""
        other = copy.copy(self)
        other._draw(epoch)
        return other

    def _draw(self, epoch):
        self.epoch, usable, size = epoch, self.usable, self.recipe.batch
        rng = self._rng(0)
        if epoch is not None:
            usable = rng.permutation(usable)
        # In a batch all are of one size.
        _, kinds = np.unique(self.canvases[usable], axis=0, return_inverse=True)
        by_size = (usable[kinds.ravel() == kind] for kind in range(kinds.max() + 1))
        self.batches = [each[i : i + size] for each in by_size for i in range(0, len(each), size)]
        if epoch is not None:
            self.batches = [self.batches[i] for i in rng.permutation(len(self.batches))]

    def _rng(self, number):
        return np.random.default_rng((self.recipe.seed, 0 if self.epoch is None else 1 + self.epoch, number))

    def __len__(self) -> int:
        return len(self.batches)

    def __getitem__(self, number: int) -> tuple[tuple[np.ndarray, ...], np.ndarray]:
        """Features, x and y of histories as `with_history` takes them, and the numbers of the places looked at next."""
        chosen, rng = self.batches[number], self._rng(1 + number)
        flipped = rng.random(len(chosen)) < (0.5 if self.recipe.flip and self.epoch is not None else 0.0)
        count = self.recipe.histories or 1
        there = [len(self.pairs[i][1]) for i in chosen]
        drawn = [rng.choice(each, count, replace=each < count) for each in there]
        before, after = (
            np.stack([self.pairs[i][which][rows] for i, rows in zip(chosen, drawn, strict=True)]) for which in (0, 1)
        )
        before[:, 0] = np.nan
        for each in (before, after):
            each[flipped, ..., 0] = 1 - each[flipped, ..., 0]
        height, width = (self.canvases[chosen[0]] * QUARTER).astype(int)
        # The mirror image of the left edge would be outside.
        column, row = (
            np.minimum(after[..., i] * side, side - 1).astype("int32") for i, side in enumerate((width, height))
        )
        features = self.features.gather(chosen, flipped)
        before = before.astype("float32")
        return (*map(np.asarray, features), before[..., 0], before[..., 1]), row * width + column


def next_fixations(sample: Sample) -> tuple[np.ndarray, np.ndarray]:
    """All fixations of a sample that have one before them.

    Returns:
        The last ones before each, `(fixations, FIXATIONS, 2)`, the last one first, and where it is itself,
        `(fixations, 2)`: x in shares of the width, y of the height, NaN for what was not.

    Raises:
        ValueError: If fixations have no order.
    """
    before, after = [np.empty((0, FIXATIONS, 2))], [np.empty((0, 2))]
    for path in Samples([sample]).scanpaths():
        at = np.stack([path.x / sample.size[1], path.y / sample.size[0]], 1)
        padded = np.concatenate([np.full((FIXATIONS, 2), np.nan), at])
        last = np.lib.stride_tricks.sliding_window_view(padded, FIXATIONS, axis=0)  # the last one last
        before.append(last[1 : len(at)].transpose(0, 2, 1)[:, ::-1])
        after.append(at[1:])
    return np.concatenate(before), np.concatenate(after)
