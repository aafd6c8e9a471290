"""Scoring at native resolution: values per image, their mean and bootstrap interval, and the field's baselines.

The Tübingen convention: all pixels are negatives of AUC, repeated fixations count, population standard deviation, KLD
with eps 2.2204e-16; averaged over images. The ground truth of CC, SIM and KLD are the fixation counts of all
observers, blurred by the sigma of the data set with mirrored borders.
"""

import collections
import concurrent.futures
import os

import numpy as np
import scipy.stats
from keras import ops
from scipy.ndimage import gaussian_filter

from keras_saliency import baselines, measures
from keras_saliency.data import geometry
from keras_saliency.data.pipeline import pipeline
from keras_saliency.models import require_log_density

CONVENTION = "tuebingen"
METRICS = ("nss", "auc", "cc", "sim", "kld", "ig")
Truth = collections.namedtuple("Truth", ["sample", "counts", "density", "log_centre_bias"])
Evaluation = collections.namedtuple("Evaluation", ["per_image", "summary", "baselines", "reference"])


def predict_native(model, samples, batch=8):
    """Yields batches of `(sample, log-density)`, the latter at the size of the image, `(height, width)`, float64.

    Args:
        model: A model whose head is `"log-density"`, from images `(batch, height, width, 3)`.
        samples: `Samples`.
        batch: Images that go through the model at once.
    """
    size, start = model.input_shape[1:3], 0
    for images, _ in pipeline(samples, size, batch):
        predictions = ops.convert_to_numpy(model.predict_on_batch(images))
        yield [
            (sample, geometry.unletterbox(prediction, sample.size).numpy()[..., 0].astype("float64"))
            for sample, prediction in zip(samples[start : start + len(predictions)], predictions, strict=True)
        ]
        start += len(predictions)


def _as_batch(*maps):
    """Arrays `(height, width)` or `(batch, height, width)` as tensors `(batch, height, width, 1)`, dtype kept."""
    stacks = [part if part.ndim == 3 else part[None] for part in maps]
    return [ops.convert_to_tensor(stack[..., None], dtype=str(stack.dtype)) for stack in stacks]


def fixation_density(sample):
    """The fixation counts of a sample, blurred by its sigma with mirrored borders: `(height, width)`."""
    return gaussian_filter(sample.fixations.counts(sample.size), sample.sigma, mode="reflect")


def ground_truth(sample, log_centre_bias):
    """What `score` compares with, computed once for an image: fixation counts, their density, log centre bias."""
    return Truth(sample, sample.fixations.counts(sample.size), fixation_density(sample), log_centre_bias)


def score(log_density, truth):
    """All metrics of one log-density `(height, width)` on one image, with IG over the centre bias.

    Returns:
        A dictionary from metric to value; for a sample with a known density also `expected_ig`, the exact
        expectation of IG under it.

    Raises:
        ValueError: If the map has another size than the image, or NaN or infinite values; names the image.
    """
    sample = truth.sample
    if log_density.shape != tuple(sample.size):
        raise ValueError(f"The map of {sample.name} must have the size {sample.size}. Received: {log_density.shape}.")
    if not np.isfinite(log_density).all():
        raise ValueError(f"The map of {sample.name} has NaN or infinite values; a log-density must be finite.")
    fixations, truth_density, log_b = _as_batch(truth.counts, truth.density, truth.log_centre_bias)
    density, log_p = _as_batch(np.exp(log_density), log_density)
    rows, columns = sample.fixations.pixels()
    values = {
        "nss": measures.nss(fixations, density),
        "auc": [measures.auc_of_image(log_density[rows, columns], log_density)],
        "cc": measures.cc(truth_density, density),
        "sim": measures.sim(truth_density, density),
        "kld": measures.kld(truth_density, density, epsilon=measures.KLD_METRIC_EPSILON),
        "ig": measures.ig(fixations, log_p, log_b),
    }
    if sample.density is not None:
        values["expected_ig"] = measures.ig(*_as_batch(sample.density), log_p, log_b)
    return {name: float(ops.convert_to_numpy(value)[0]) for name, value in values.items()}


def score_gold_standard(gold, truth):
    """NSS, AUC and IG of the leave-one-observer-out gold standard: each observer's fixations scored on its own map.

    CC, SIM and KLD are left out (NaN): they compare with a density of all observers, the left-out one included.
    """
    fixations = truth.sample.fixations
    observers, log_densities = gold.log_densities(truth.sample)
    own = [fixations[fixations.observer == observer] for observer in observers]
    counts = np.stack([part.counts(truth.sample.size) for part in own]).astype("float32")
    counts, log_p, log_b = _as_batch(counts, log_densities, truth.log_centre_bias.astype("float32"))
    values = {
        "nss": measures.nss(counts, ops.exp(log_p)),
        "auc": [measures.auc_of_image(m[part.pixels()], m) for part, m in zip(own, log_densities, strict=True)],
        "ig": measures.ig(counts, log_p, log_b),
    }
    weights = [len(part) for part in own]
    means = {name: float(np.average(ops.convert_to_numpy(value), weights=weights)) for name, value in values.items()}
    return {name: means.get(name, np.nan) for name in METRICS}


def evaluate(model, data, split="test", progress=lambda done: None):
    """Scores a model and the baselines on a split.

    Args:
        model: A model whose head is `"log-density"`.
        data: A `DataSet`; its training and validation splits fit the baselines.
        split: The name of the split to score.
        progress: Called with the number of images done after each.

    Returns:
        A named tuple: `per_image`, a dictionary from row (`model`, `uniform`, `centre_bias`, `gold_standard`, and
        `truth` where the density is known) to a list of dictionaries; `summary` of the model and `baselines`, from
        metric to `{"mean", "low", "high"}` with 95 % bootstrap intervals; `reference`, the parameters of the baselines.

    Raises:
        ValueError: If the model does not give a log-density.
    """
    require_log_density(model)
    samples = getattr(data, split)
    centre_bias = baselines.CentreBias(data.train, data.validation)
    gold = baselines.GoldStandard(data.validation, centre_bias)

    def score_rows(pair):
        sample, prediction = pair
        log_bias = centre_bias.log_density(sample.size)
        rows = {"model": prediction, "uniform": baselines.uniform(sample.size), "centre_bias": log_bias}
        if sample.density is not None:
            rows["truth"] = np.log(sample.density)
        truth = ground_truth(sample, log_bias)
        scores = {row: score(log_density, truth) for row, log_density in rows.items()}
        return {**scores, "gold_standard": score_gold_standard(gold, truth)}

    per_image = collections.defaultdict(list)
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for pairs in predict_native(model, samples):
            for rows in pool.map(score_rows, pairs):
                for row, values in rows.items():
                    per_image[row].append(values)
                progress(len(per_image["model"]))
    summaries = {row: _summarise(values, per_image) for row, values in per_image.items()}
    reference = {
        "centre_bias": {"bandwidth": centre_bias.bandwidth, "uniform_share": centre_bias.uniform_share},
        "gold_standard": {"bandwidth": gold.bandwidth, "weights": [float(w) for w in gold.weights]},
    }
    return Evaluation(dict(per_image), summaries.pop("model"), summaries, reference)


def _summarise(values, per_image):
    """Mean and interval of each metric; explained information is the ratio of two means over the same images."""
    summary = {name: _interval([row[name] for row in values]) for name in METRICS}
    ratios = {"explained_information": ("ig", "gold_standard"), "known_information": ("expected_ig", "truth")}
    for name, (metric, ceiling) in ratios.items():
        if ceiling in per_image and metric in values[0]:
            pairs = [[row[metric] for row in rows] for rows in (values, per_image[ceiling])]
            summary[name] = _interval(*pairs)
    return summary


def _interval(values, over=None):
    """The mean, or the ratio of two means, with the 95 % interval of 2,000 bootstrap resamples of the images."""
    values = [np.asarray(column, float) for column in (values, over) if column is not None]
    if np.isnan(values).any():
        return {"mean": None, "low": None, "high": None}

    def statistic(a, b=None, axis=-1):
        return a.mean(axis) / (1.0 if b is None else b.mean(axis))

    mean = float(statistic(*values))
    if len(values[0]) < 2:
        return {"mean": mean, "low": None, "high": None}
    resampled = scipy.stats.bootstrap(
        values, statistic, paired=True, n_resamples=2000, method="percentile", rng=np.random.default_rng(0)
    ).confidence_interval
    return {"mean": mean, "low": float(resampled.low), "high": float(resampled.high)}
