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
from keras_saliency.formulas.array_map import exponential
from keras_saliency.reporting.statistics import UNDEFINED, Interval, ratio
from keras_saliency.scanpaths.models import CentreBiasModel, ScanpathModel, after_the_first, require_density

METRICS = ("log_likelihood", "ig", "ig_spatial", "nss", "auc", "auc_hat")
# Groups of fixations by how many came before, and the least and the most of them.
STEPS = {"all": (1, np.inf), "1": (1, 1), "2": (2, 2), "3": (3, 3), "4-6": (4, 6), "7+": (7, np.inf)}
OTHERS = "other_observers"
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
    models = [*models, bias_model]
    names = [model.name for model in models]
    if len({*names, OTHERS}) <= len(names):
        raise ValueError(f"Models need names of their own, and not {OTHERS}. Received: {names}.")
    paths = [scanpaths_of(sample.name, sample.fixations) for sample in samples]
    if not any(len(path) > 1 for each in paths for path in each):
        raise ValueError(f"{data.name}: no scanpath of the {split} split has two fixations, so none has a history.")
    gold = GoldStandard(after_the_first(data.validation), bias_model.centre_bias)

    def score_image(sample, following, own, *conditionals):
        spatial = [conditional(np.empty(0), np.empty(0)) for conditional in conditionals]
        for name, map_ in zip(names, spatial, strict=True):
            require_density(map_, sample, name)
        others = dict(gold.predictions(following)) if gold.predicts(following) else {}
        rows = []
        for path in own:
            at = path.y.astype(int), path.x.astype(int)
            others_of = {OTHERS: others[path.observer]} if path.observer in others else {}
            fixed = {name: _of_map(map_, at) for name, map_ in others_of.items()}
            for i in range(1, len(path)):
                where = at[0][i], at[1][i]
                about = (sample.name, path.observer, i)
                bias = spatial[-1][where]
                for name, conditional, before in zip(names, conditionals, spatial, strict=True):
                    given = require_density(conditional(path.x[:i], path.y[:i]), sample, name)
                    values = _of_map(given, where)
                    rows.append((name, *about, *_row(values, bias, before[where])))
                for name, values in fixed.items():
                    rows.append((name, *about, *_row([value[i] for value in values], bias, np.nan)))
        return rows

    scored, done = [], 0
    given = zip(
        samples, after_the_first(samples), paths, *(model.conditionals(samples) for model in models), strict=True
    )
    for done, rows in enumerate(in_threads(score_image, given, _bytes_of, jobs), 1):
        scored += rows
        progress(done)
    table = pd.DataFrame(scored, columns=["model", "image", "observer", "step", *METRICS])
    return ScanpathScores(table, summarise(table), sum(len(path) == 1 for each in paths for path in each))


def _of_map(log_density, at):
    """The log-likelihood, NSS and AUC at places of one map."""
    found = log_density[at]
    density = exponential(np.asarray(log_density, "float64"))
    mean, spread = density.mean(), density.std()
    # What a constant map has of a spread is rounding.
    nss = (density[at] - mean) / spread if spread > 1e-9 * mean else np.zeros_like(found)
    if np.ndim(found):
        ordered = np.sort(log_density, axis=None)
        below, up_to = (np.searchsorted(ordered, found, side) for side in ("left", "right"))
    else:
        below, up_to = np.count_nonzero(log_density < found), np.count_nonzero(log_density <= found)
    pixels = log_density.size
    # HAT counts its own pixel out, and all of the same value as better.
    return found, nss, (below + up_to) / (2 * pixels), 1 - (pixels - below - 1) / (pixels - 1) / 2


def _row(values, bias, spatial):
    log_likelihood, nss, auc, auc_hat = values
    return (
        log_likelihood,
        (log_likelihood - bias) / np.log(2),
        (log_likelihood - spatial) / np.log(2),
        nss,
        auc,
        auc_hat,
    )


def _bytes_of(sample, following, paths, *conditionals):
    return int(np.prod(sample.size)) * (BYTES * len(conditionals) + BYTES_OF_OTHER * len(paths))


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
