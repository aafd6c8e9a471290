"""Scoring at native resolution: values per image, their mean and bootstrap interval, and the field's baselines.

Frames of videos are images: predicted in order, all of them, and scored where anybody looked.
"""

import collections
import dataclasses
import functools
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import numpy as np

from keras_saliency import baselines
from keras_saliency.data import DataSet, Sample, Samples
from keras_saliency.evaluation.fair import fair_maps, fair_score
from keras_saliency.evaluation.parallel import in_threads
from keras_saliency.evaluation.scoring import Truth, as_batch, make_truth, score
from keras_saliency.evaluation.sources import Source
from keras_saliency.formulas import measures, roc
from keras_saliency.formulas.array_map import ArrayMap
from keras_saliency.formulas.conventions import CONVENTIONS
from keras_saliency.formulas.maps import Target
from keras_saliency.formulas.types import Plane
from keras_saliency.reporting import tables
from keras_saliency.reporting.statistics import Interval, Videos, interval, ratio

# What leave one observer out can score: the others compare with a density of all, the one to be predicted included,
# and Judd's AUC of few fixations is too high, by up to one half of their inverse number.
OF_ONE_OBSERVER = {
    "tuebingen": ("auc", "sauc", "nss", "ig", "log_likelihood"),
    "mit": ("auc_borji", "sauc", "nss", "ig"),
}
AVERAGES = ("video", "frame")  # of frames of videos
REFERENCES = ("uniform", "centre_bias", "gold_standard", "truth")
# How an 8-bit map may be read where it holds zero: as a quarter of a step, the middle of what was rounded to zero.
MIDDLE_OF_ZERO = 0.25

BYTES = 160  # a pixel while an image is scored: some twenty maps in double precision
SIZES = 64  # of images whose counts of all fixations are kept
KEPT = 2**21  # pixels, up to which the rows are kept that are the same for all images of a size
FALSE_POSITIVES = np.linspace(0.0, 1.0, 101)

# The share of what can be known: of which metric, in which row, and what that is called.
SHARES = {
    "explained_information": ("ig", "gold_standard", "the mean IG of the gold standard"),
    "known_information": ("expected_ig", "truth", "the expected IG of the true density"),
}

Summary = dict[str, dict[str, Interval]]


@dataclasses.dataclass(frozen=True)
class Evaluation:
    """The scores of a split, and all that must be told with them.

    Attributes:
        convention: `"tuebingen"` or `"mit"`.
        split: The name of the split.
        per_image: From row (the name of a source, `uniform`, `centre_bias`, `gold_standard`, and `truth` where the
            density is known) to a list of dictionaries from metric to value, one for each image; of frames of videos
            for each that is `usable`.
        fair: The same with the map that suits each metric, for sources that predict log-densities.
        summary: From row and metric to `{"mean", "low", "high"}` with 95 % bootstrap intervals; a share of the
            information is None, with its `"reason"`, where what it is a share of is not clearly above zero.
        fair_summary: The same of `fair`.
        eight_bit: From the row of a source of 8-bit maps to what KLD and IG gain if its zeros are read as a quarter of
            a step.
        curves: From row to the mean ROC curve at `FALSE_POSITIVES`.
        reference: The parameters of the baselines.
        provenance: Data, split, resolution, convention, averaging, blur and versions, for JSON.
        videos: Which images are frames of one video, and how they are averaged; None where they are no frames.
    """

    convention: str
    split: str
    per_image: dict[str, list[dict[str, float]]]
    fair: dict[str, list[dict[str, float]]]
    summary: Summary
    fair_summary: Summary
    eight_bit: dict[str, dict[str, float]]
    curves: dict[str, np.ndarray]
    reference: dict[str, dict[str, Any]]
    provenance: dict[str, Any]
    videos: Videos | None = None


class OtherFixations:
    """The fixations of all other images, laid over an image: the negatives of the shuffled AUC.

    Coordinates are scaled to the size of the image and counts kept. The counts of all images are made once for a size.
    An image is known by its name and its file: one of another split has all of this split as others. Frames of its own
    video are no others, as people look at the same places there.

    Args:
        samples: The split.
    """

    def __init__(self, samples: Samples) -> None:
        self.all = np.concatenate([_with_sizes(sample) for sample in samples], 1)
        ends = np.cumsum([len(sample.fixations) for sample in samples])
        self.own: dict[Any, list[slice]] = collections.defaultdict(list)
        for sample, end in zip(samples, ends, strict=True):
            self.own[_known_by(sample)].append(slice(end - len(sample.fixations), end))
        self.at = functools.lru_cache(SIZES)(functools.partial(_lay_over, self.all))

    def counts(self, sample: Sample) -> Plane:
        """How many fixations of the other images fall on each pixel, `(height, width)`, uint32."""
        size = tuple(sample.size)
        own = np.concatenate([self.all[:, part] for part in self.own.get(_known_by(sample), [slice(0)])], 1)
        return self.at(size) - _lay_over(own, size)


def _known_by(sample):
    return (sample.name, sample.image) if sample.frame is None else sample.group


def _with_sizes(sample):
    """The coordinates of the fixations and, for each, the size of their image: y, x, height, width."""
    fixations = sample.fixations
    return np.stack([fixations.y, fixations.x, *(np.full(len(fixations), side) for side in sample.size)])


def _lay_over(fixations, size):
    # The order of these operations is pysaliency's: another rounds some coordinates to the next pixel.
    row, column = ((fixations[i] * (size[i] / fixations[2 + i])).astype("int64") for i in range(2))
    return np.bincount(row * size[1] + column, minlength=size[0] * size[1]).reshape(size).astype("uint32")


def score_gold_standard(gold: baselines.GoldStandard, truth: Truth, convention: str = "tuebingen") -> dict[str, float]:
    """The leave-one-observer-out gold standard: each observer's fixations scored on the map of the others.

    Returns:
        A dictionary from metric to the mean over the observers, weighted by their fixations; NaN for what is
        not in `OF_ONE_OBSERVER`, and for all where there are no fixations, or no others to predict them from.
    """
    if not gold.predicts(truth.sample):
        return dict.fromkeys(CONVENTIONS[convention], np.nan)
    fixations, (_, width) = truth.sample.fixations, truth.sample.size
    rows, columns = fixations.pixels()
    pixels = rows * width + columns
    negatives = cast(np.ndarray, truth.target.negatives).ravel()
    # Of a map, its sums and its ranks aside, these metrics ask where somebody looks, here or in other images.
    places = np.union1d(pixels, np.flatnonzero(negatives != 0))
    at = np.searchsorted(places, pixels)
    baseline = cast(ArrayMap, truth.target.baseline).at(places)
    target = Target(None, negatives=_of_pixels(negatives[places]), baseline=baseline)
    values, weights = [], []
    for observer, log_density in gold.predictions(truth.sample):
        own = fixations.observer == observer
        counts = _of_pixels(np.bincount(at[own], minlength=len(places)))
        prediction = ArrayMap(log_density, from_logits=True).at(places)
        values.append(
            [
                float(CONVENTIONS[convention][name](target._replace(fixations=counts), prediction)[0])
                for name in OF_ONE_OBSERVER[convention]
            ]
        )
        weights.append(own.sum())
    means = dict(zip(OF_ONE_OBSERVER[convention], np.average(values, axis=0, weights=weights).tolist(), strict=True))
    return {name: means.get(name, np.nan) for name in CONVENTIONS[convention]}


def _of_pixels(values):
    """Values at some pixels as one map `(1, pixels, 1, 1)`."""
    return values.reshape(1, -1, 1, 1)


def score_split(
    sources: Sequence[Source],
    data: DataSet,
    split: str = "test",
    convention: str = "tuebingen",
    progress: Callable[[int], None] = lambda done: None,
    jobs: int | None = None,
    average: str | None = None,
) -> Evaluation:
    """Scores sources of predictions, and the baselines, on a split; see `keras_saliency.evaluate`.

    Memory holds a few images at a time, whatever their number and that of the cores: as many as fit into
    `keras_saliency.evaluation.parallel.IN_FLIGHT`, and at least one. `progress` is called with the number of images
    done after each, zero once the baselines are fitted. `jobs` and `average` are as in `keras_saliency.evaluate`.
    """
    samples = getattr(data, split)
    scored_samples = samples.usable
    videos = _videos_of(scored_samples, average) if samples.are_frames else None
    centre_bias = baselines.CentreBias(data.train, data.validation)
    gold = baselines.GoldStandard(data.validation, centre_bias)
    expected = np.mean([len(sample.fixations) for sample in data.validation.usable])
    others = OtherFixations(samples)
    progress(0)

    def constant_rows(size, sigma):
        """Uniform and centre bias, and the fair maps of the latter: the same for all images of a size."""
        uniform, bias = baselines.uniform(size), centre_bias.log_density(size)
        maps = fair_maps(bias, bias, sigma, expected, convention) if expected else None
        return ArrayMap(uniform, from_logits=True), ArrayMap(bias, from_logits=True), maps

    kept = functools.lru_cache(1)(constant_rows)

    def score_row(row, values, is_log_density, is_eight_bit, truth, fair_of_bias):
        """The scores of one map: raw, fair, what an 8-bit map gains, and its ROC curve; None for what it has not."""
        density, bias = truth.sample.density, cast(ArrayMap, truth.target.baseline)
        prediction = values if isinstance(values, ArrayMap) else ArrayMap(values, is_log_density)
        raw, fair, lifted = score(prediction, truth, convention=convention), None, None
        if is_log_density and row != "uniform" and expected:
            log_bias = bias.log_density[0, ..., 0]
            maps = fair_of_bias or fair_maps(values, log_bias, truth.sample.sigma, expected, convention)
            fair = fair_score(raw, maps, truth, convention)
        if is_log_density and density is not None:
            raw["expected_ig"] = _expected_ig(prediction, density, bias)
        if is_eight_bit:
            middle = score(np.maximum(values, MIDDLE_OF_ZERO), truth, False, convention, ["kld", "ig"])
            lifted = {name: value - raw[name] for name, value in middle.items()}
        return raw, fair, lifted, roc.curve(prediction, cast(np.ndarray, truth.target.fixations), FALSE_POSITIVES)

    def score_rows(sample, predictions):
        constant = kept if math.prod(sample.size) <= KEPT else constant_rows
        uniform, bias, fair_of_bias = constant(tuple(sample.size), sample.sigma)
        truth = make_truth(sample, others.counts(sample), bias, convention)
        rows = dict(zip((source.name for source in sources), predictions, strict=True))
        rows |= {"uniform": (uniform, True, False), "centre_bias": (bias, True, False)}
        if sample.density is not None:
            rows["truth"] = (np.log(sample.density), True, False)
        scored = {
            row: score_row(row, *map_, truth, fair_of_bias if row == "centre_bias" else None)
            for row, map_ in rows.items()
        }
        scored["gold_standard"] = score_gold_standard(gold, truth, convention), None, None, None
        return [{row: parts[i] for row, parts in scored.items() if parts[i] is not None} for i in range(4)]

    collected: list[dict[str, list[dict[str, float]]]] = [collections.defaultdict(list) for _ in range(3)]
    curves: dict[str, Any] = collections.defaultdict(float)
    predicted = zip(samples, *(source.predictions(samples) for source in sources), strict=True)
    work = ((sample, predictions) for sample, *predictions in predicted if sample.is_usable)
    divisors = [len(scored_samples)] * len(scored_samples) if videos is None else videos.divisors()
    for done, (*scored, drawn) in enumerate(in_threads(score_rows, work, _bytes_of, jobs), 1):
        for row, values in drawn.items():
            curves[row] += values / divisors[done - 1]
        for table, rows in zip(collected, scored, strict=True):
            for row, values in rows.items():
                table[row].append(values)
        progress(done)
    per_image, fair, lifted = map(dict, collected)
    eight_bit = {
        row: {name: _mean([value[name] for value in lifted[row]], videos) for name in ("kld", "ig")} for row in lifted
    }
    reference: dict[str, dict[str, Any]] = {
        "centre_bias": {"bandwidth": centre_bias.bandwidth, "uniform_share": centre_bias.uniform_share},
        "gold_standard": {"bandwidth": gold.bandwidth, "weights": [float(w) for w in gold.weights]},
    }
    summary, fair_summary = (summarise(table, per_image, convention, videos) for table in (per_image, fair))
    told = reference, tables.provenance(data, split, convention, videos), videos
    return Evaluation(convention, split, per_image, fair, summary, fair_summary, eight_bit, dict(curves), *told)


def _videos_of(samples, average):
    """Which samples are frames of one video; an image beside videos is one by itself."""
    names = np.array([sample.name if sample.frame is None else sample.group for sample in samples])
    return Videos(names, average == "frame", np.array([not len(sample.fixations) for sample in samples]))


def _mean(values, videos):
    found = np.mean(values) if videos is None else interval(values, videos)["mean"]
    return float("nan" if found is None else found)


def _bytes_of(sample, predictions):
    """What it takes to score an image."""
    return math.prod(sample.size) * (BYTES + 8 * len(predictions))


def _expected_ig(prediction, density, baseline):
    """The expectation of IG under the known density of the fixations."""
    return float(measures.ig(as_batch(density), prediction.log_density, baseline.log_density)[0])


def summarise(
    table: Mapping[str, Sequence[Mapping[str, float]]],
    per_image: Mapping[str, Sequence[Mapping[str, float]]],
    convention: str,
    videos: Videos | None = None,
) -> Summary:
    """Mean and interval of each row and metric; explained information is a ratio of two means."""
    summary = {}
    for row, values in table.items():
        names = [name for name in CONVENTIONS[convention] if name in values[0]]
        summary[row] = {name: interval([value[name] for value in values], videos) for name in names}
        for name, (metric, ceiling, called) in SHARES.items():
            if convention == "tuebingen" and ceiling in per_image and metric in values[0]:
                own, whole = ([value[metric] for value in rows] for rows in (values, per_image[ceiling]))
                summary[row][name] = ratio(own, whole, called, videos)
    return summary
