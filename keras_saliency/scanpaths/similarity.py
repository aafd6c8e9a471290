"""How alike sampled scanpaths are to people's, beside how alike people are to each other."""

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from sklearn.cluster import MeanShift, estimate_bandwidth

from keras_saliency.data import DataSet, Samples, open_data
from keras_saliency.data.scanpaths import Scanpath, scanpaths_of
from keras_saliency.formulas.scanpath_similarity import sequence_score, similarities
from keras_saliency.formulas.types import Size
from keras_saliency.reporting.statistics import UNDEFINED, Interval, interval
from keras_saliency.scanpaths.divergences import DIVERGENCES, pooled_divergence, saccade_counts
from keras_saliency.scanpaths.models import Conditional, ScanpathModel
from keras_saliency.scanpaths.sampling import Seed, sample_scanpaths

HUMANS, SHUFFLED = "other_observers", "other_images"
QUANTILE = 0.1  # of the distances of fixations, whose mean is the bandwidth of the clusters


def compare_scanpaths(
    models: Sequence[ScanpathModel],
    data: DataSet | str | Mapping[str, Any],
    split: str = "test",
    seed: int = 0,
    progress: Callable[[int], None] = lambda done: None,
) -> dict[str, dict[str, Interval]]:
    """Compares scanpaths that models draw with those of people, image by image.

    A model draws one scanpath for each person, as long and from the same first fixation, which is compared with those
    of all others: so is each person's own, `other_observers`, and that of another person on another image, laid over
    this one, `other_images`. These similarities reward the mean path: see `score_scanpaths` for what to trust first.

    The labels of the sequence score are clusters of all fixations of an image by mean shift, whose bandwidth is the
    mean over fixations of the distance within which a tenth of the others lie. Models draw no durations.

    Beside the similarities stand the divergences of all amplitudes and of all directions of saccades from those of the
    people, in bit, lower is more alike; of people, those of every second one from those of the others.

    Args:
        models: The models.
        data: As in `score_scanpaths`.
        split: `"train"`, `"validation"` or `"test"`.
        seed: Of what is drawn.
        progress: Called with the number of images done.

    Returns:
        From the name of a model, `other_observers` or `other_images` to a dictionary from similarity to the mean over
        images with its 95 % interval, None where durations are compared and there are none; and from
        `amplitude_divergence` and `direction_divergence` to what they come to.

    Raises:
        ValueError: If fixations have no order, less than two images have two scanpaths, or two models have one name.
    """
    names = [HUMANS, SHUFFLED, *(model.name for model in models)]
    if len({*names}) < len(names):
        raise ValueError(f"Models need names of their own, and not {HUMANS} or {SHUFFLED}. Received: {names[2:]}.")
    samples = getattr(open_data(data), split)
    paths = {sample.name: scanpaths_of(sample.name, sample.fixations) for sample in samples}
    samples = Samples([sample for sample in samples if len(paths[sample.name]) > 1], samples.pixels_per_degree)
    if len(samples) < 2:
        raise ValueError("Less than two images have scanpaths of two people, so there is nobody to compare with.")
    found: dict[str, list[dict[str, float]]] = {}
    counts: dict[str, list] = {}
    given = zip(samples, *(model.conditionals(samples) for model in models), strict=True)
    for done, (sample, *conditionals) in enumerate(given):
        people = paths[sample.name]
        own = [_rows(path) for path in people]
        after = samples[(done + 1) % len(samples)]
        elsewhere = itertools.cycle(_rows(path) for path in paths[after.name])
        stretch = np.array([sample.size[1] / after.size[1], sample.size[0] / after.size[0], 1.0])
        drawn = {HUMANS: own, SHUFFLED: [next(elsewhere) * stretch for _ in own]}
        for model, conditional in zip(models, conditionals, strict=True):
            drawn[model.name] = [_draw(conditional, path, (seed, done, i)) for i, path in enumerate(people)]
        label = _labels(own)
        for name, ones in drawn.items():
            pairs = ((one, other) for i, one in enumerate(ones) for j, other in enumerate(own) if i != j)
            found.setdefault(name, []).append(_means(pairs, sample.size, label))
            compared = (own[::2], own[1::2]) if name == HUMANS else (ones, own)
            counts.setdefault(name, []).append([saccade_counts(each, sample.size) for each in compared])
        progress(done + 1)
    return {
        name: {key: _over_images([row[key] for row in rows]) for key in rows[0]} | _divergences(counts[name])
        for name, rows in found.items()
    }


def _divergences(counts: list) -> dict[str, Interval]:
    """From pairs of histograms for each image, of amplitudes and of directions."""
    one, other = zip(*counts, strict=True)
    columns = zip(DIVERGENCES, zip(*one, strict=True), zip(*other, strict=True), strict=True)
    return {name: pooled_divergence(np.array(ones), np.array(others)) for name, ones, others in columns}


def _over_images(values: list[float]) -> Interval:
    """The mean over the images where it is defined."""
    defined = [value for value in values if not np.isnan(value)]
    return interval(defined) if defined else dict(UNDEFINED)


def _rows(path: Scanpath) -> np.ndarray:
    return np.stack([path.x, path.y, path.duration], 1)


def _draw(conditional: Conditional, path: Scanpath, seed: Seed) -> np.ndarray:
    """A scanpath as long as another and from where it begins, without durations."""
    (places,) = sample_scanpaths(conditional, 1, len(path), seed, (path.x[0], path.y[0]))
    return np.concatenate([places, np.full((len(path), 1), np.nan)], 1)


def _labels(paths):
    """What gives the cluster of each fixation of a scanpath."""
    places = np.concatenate(paths)[:, :2]
    bandwidth = estimate_bandwidth(places, quantile=QUANTILE) if len(places) > 1 / QUANTILE else 0
    if not bandwidth > 0:
        return lambda path: [tuple(place) for place in path[:, :2].tolist()]
    clusters = MeanShift(bandwidth=bandwidth, bin_seeding=True).fit(places)
    return lambda path: clusters.predict(path[:, :2]).tolist()


def _means(pairs: Iterator[tuple[np.ndarray, np.ndarray]], size: Size, label: Callable) -> dict[str, float]:
    """The mean similarities of pairs; those that are not defined for a pair, such as of two fixations, leave it out."""
    rows = [similarities(*pair, size) | {"sequence_score": sequence_score(*map(label, pair))} for pair in pairs]
    means = {}
    for name in rows[0]:
        values = np.array([row[name] for row in rows])
        means[name] = float(values[~np.isnan(values)].mean()) if not np.isnan(values).all() else np.nan
    return means
