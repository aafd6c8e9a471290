"""Scores of scanpath models: how likely the next fixation is, given the true ones before it."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from keras_saliency.baselines import GoldStandard
from keras_saliency.data import DataSet, open_data
from keras_saliency.data.scanpaths import scanpaths_of
from keras_saliency.evaluation.parallel import in_threads
from keras_saliency.reporting.statistics import UNDEFINED, Interval, ratio
from keras_saliency.scanpaths.models import CentreBiasModel, ScanpathModel, after_the_first, require_density

METRICS = ("log_likelihood", "ig", "ig_spatial", "nss", "auc", "auc_hat")
# Groups of fixations by how many came before, and the least and the most of them.
STEPS = {"all": (1, np.inf), "1": (1, 1), "2": (2, 2), "3": (3, 3), "4-6": (4, 6), "7+": (7, np.inf)}
OTHERS = "other_observers"
NO_HISTORY = np.empty(0), np.empty(0)
# A pixel while an image is scored: for each model, and for the maps of other observers.
BYTES, BYTES_OF_OTHER = 200, 4

Summary = dict[str, dict[str, dict[str, Interval]]]


@dataclasses.dataclass(frozen=True)
class ScanpathScores:
    """The scores of a split.

    Attributes:
        table: A row for each model and fixation: `model`, `image`, `observer`, `step`, the number of fixations before
            it, and `METRICS`.
        summary: From model, step (one of `STEPS`) and metric to `{"mean", "low", "high"}`: the mean over fixations,
            with the 95 % interval of bootstrap resamples of the images.
        left_out: The scanpaths of a single fixation, which has none before it.
    """

    table: pd.DataFrame
    summary: Summary
    left_out: int


def score_scanpaths(
    models: Sequence[ScanpathModel],
    data: DataSet | str | Mapping[str, Any],
    split: str = "test",
    progress: Callable[[int], None] = lambda done: None,
    jobs: int | None = None,
) -> ScanpathScores:
    """Scores each fixation but the first of all scanpaths of a split, given the true ones before it.

    The first fixation is where observers were made to look, and is history alone. Beside the models are scored the
    centre bias, `centre_bias`, and, where there are several, what all other observers of the image say of one whatever
    the order, `other_observers`, as the gold standard of `evaluate`; both know all fixations but the first ones.

    The log-likelihood is the value of the log-density at the pixel of the fixation, natural logarithm. IG is its gain
    over the centre bias, and `ig_spatial` over the model without history, in bit. NSS is the density there,
    standardised. `auc` is the share of pixels with a lower density, ties half, as pysaliency has it, 0.5 by chance;
    `auc_hat` that of HAT, where chance has 0.75, which is never to be compared with the first. Higher is better of all.

    Args:
        models: The models.
        data: A `DataSet`, the name of one, or a dictionary from one name to its folder.
        split: `"train"`, `"validation"` or `"test"`.
        progress: Called with the number of images done.
        jobs: How many images are scored at once; by default as many as there are cores.

    Raises:
        ValueError: If fixations have no order, no scanpath has two fixations, two models have one name, or a model
            gives what is no log-density of the image.
    """
    data = open_data(data)
    samples = getattr(data, split)
    bias_model = CentreBiasModel(data)
    names = [model.name for model in models]
    if len({*names, bias_model.name, OTHERS}) < len(names) + 2:
        raise ValueError(f"Models need names of their own, and not {bias_model.name} or {OTHERS}. Received: {names}.")
    paths = [scanpaths_of(sample.name, sample.fixations) for sample in samples]
    if not any(len(path) > 1 for each in paths for path in each):
        raise ValueError(f"{data.name}: no scanpath of the {split} split has two fixations, so none has a history.")
    gold = GoldStandard(after_the_first(data.validation), bias_model.centre_bias)

    def score_image(sample, following, own, bias, *conditionals):
        named = [*zip(names, conditionals, strict=True)]
        bias, *spatial = (_Map(each(*NO_HISTORY), sample, name) for name, each in ((bias_model.name, bias), *named))
        others = dict(gold.predictions(following)) if gold.predicts(following) else {}
        rows = []
        for path in own:
            x, y = path.x.astype(int), path.y.astype(int)
            other = _Map(others[path.observer], sample, OTHERS) if path.observer in others else None
            for i in range(1, len(path)):
                at, about = (y[i], x[i]), (sample.name, path.observer, i)
                least = bias.log_density[at]
                for (name, conditional), before in zip(named, spatial, strict=True):
                    given = _Map(conditional(path.x[:i], path.y[:i]), sample, name)
                    rows.append((name, *about, *given.row(at, least, before.log_density[at])))
                rows.append((bias_model.name, *about, *bias.row(at, least, least)))
                if other:
                    rows.append((OTHERS, *about, *other.row(at, least, np.nan)))
        return rows

    scored, done = [], 0
    conditionals = (model.conditionals(samples) for model in (bias_model, *models))
    given = zip(samples, after_the_first(samples), paths, *conditionals, strict=True)
    for done, rows in enumerate(in_threads(score_image, given, _bytes_of, jobs), 1):
        scored += rows
        progress(done)
    table = pd.DataFrame(scored, columns=["model", "image", "observer", "step", *METRICS])
    return ScanpathScores(table, summarise(table), sum(len(path) == 1 for each in paths for path in each))


class _Map:
    """The log-density that a model gives for a sample, and what it has for all fixations."""

    def __init__(self, log_density, sample, name):
        self.log_density, self.density = log_density, require_density(log_density, sample, name)
        self.mean, self.spread = self.density.mean(), self.density.std()

    def row(self, at, bias, spatial):
        """The `METRICS` of a fixation, where the centre bias and the model without history have these log-densities."""
        found, pixels = self.log_density[at], self.log_density.size
        # What a constant map has of a spread is rounding.
        nss = (self.density[at] - self.mean) / self.spread if self.spread > 1e-9 * self.mean else 0.0
        below, up_to = np.count_nonzero(self.log_density < found), np.count_nonzero(self.log_density <= found)
        # HAT counts its own pixel out, and all of the same value as better.
        auc, auc_hat = (below + up_to) / (2 * pixels), 1 - (pixels - below - 1) / (pixels - 1) / 2
        return found, (found - bias) / np.log(2), (found - spatial) / np.log(2), nss, auc, auc_hat


def _bytes_of(sample, following, paths, bias, *conditionals):
    return int(np.prod(sample.size)) * (BYTES * (1 + len(conditionals)) + BYTES_OF_OTHER * len(paths))


def summarise(table: pd.DataFrame) -> Summary:
    """The means over fixations of a table of `ScanpathScores`, with intervals over images."""
    found: Summary = {}
    for name, rows in table.groupby("model", sort=False):
        found[name] = {}
        for title, (least, most) in STEPS.items():
            chosen = rows[rows["step"].between(least, most)]
            by_image = chosen.groupby("image", sort=False)
            counts, sums = by_image.size(), by_image[list(METRICS)].sum(min_count=1)
            if len(counts) == 1:  # and no interval
                found[name][title] = {
                    metric: {**UNDEFINED, "mean": None if np.isnan(mean) else float(mean)}
                    for metric, mean in chosen[list(METRICS)].mean().items()
                }
            elif len(counts):
                found[name][title] = {
                    metric: ratio(sums[metric], counts, "the number of fixations") for metric in METRICS
                }
    return found
