"""Scoring one image: what a map is compared with, and every metric of a convention, in float64.

One pass: the density, the standardised map and the logarithms that several metrics need are computed once.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from keras_saliency.data.samples import Sample, fixation_density
from keras_saliency.formulas.array_map import ArrayMap
from keras_saliency.formulas.conventions import CONVENTIONS, OF_DENSITY
from keras_saliency.formulas.maps import Map, Target
from keras_saliency.formulas.types import Maps, Plane

COUNTS = "uint16"  # the fewer bytes there are to be searched for fixations, the better
# What a metric needs beside fixations and density.
NEEDS = {"sauc": "negatives", "ig": "baseline"}


class Truth(NamedTuple):
    """What the maps of one image are compared with; from `make_truth`.

    Attributes:
        sample: The image with its fixations.
        target: The same as arrays `(1, height, width, 1)`; the density and the baseline as a `Map`.
    """

    sample: Sample
    target: Target


def as_batch(array: Plane | None) -> Maps | None:
    """An array `(height, width)` as one map `(1, height, width, 1)`; None stays None."""
    return None if array is None else array[None, ..., None]


def make_truth(
    sample: Sample,
    negatives: Plane | None = None,
    baseline: Map | Plane | None = None,
    convention: str = "tuebingen",
) -> Truth:
    """What `score` compares the maps of one image with, computed once.

    Args:
        sample: The image with its fixations.
        negatives: How many fixations of other images fall on each pixel, `(height, width)`, for the shuffled AUC.
        baseline: The log-density `(height, width)` of the baseline of IG, or a `Map` of it.
        convention: `"tuebingen"` or `"mit"`.
    """
    if baseline is not None and not isinstance(baseline, Map):
        baseline = ArrayMap(baseline, from_logits=True)
    density = ArrayMap(fixation_density(sample, convention))
    counts = as_batch(sample.fixations.counts(sample.size).astype(COUNTS))
    return Truth(sample, Target(density, counts, None, as_batch(negatives), baseline))


def score(
    values: Plane | ArrayMap,
    truth: Truth,
    is_log_density: bool = False,
    convention: str = "tuebingen",
    metrics: Sequence[str] | None = None,
) -> dict[str, float]:
    """The metrics of one map on one image.

    Args:
        values: The map `(height, width)`, of any scale; computed in float64. Or an `ArrayMap` of it, to be used again.
        truth: From `make_truth`, with the same convention.
        is_log_density: Whether `values` are a log-density, in natural logarithms; else they are a saliency map.
        convention: `"tuebingen"` or `"mit"`, a key of `keras_saliency.formulas.conventions.CONVENTIONS`.
        metrics: The names of the metrics; None for all for which `truth` has what they need.

    Returns:
        A dictionary from metric to value. Defined for every map: chance for a constant one, an all-zero map is uniform.
        NaN where the image has no fixations: nothing is known of it then, unless a map tells what `OF_DENSITY` needs.

    Raises:
        ValueError: If the map has another size than the image, or NaN or infinite values (names the image); if a
            metric is unknown, or the truth lacks what it needs.
    """
    rows, (sample, target) = CONVENTIONS[convention], truth
    size = values.raw.shape[1:3] if isinstance(values, ArrayMap) else values.shape
    if size != tuple(sample.size):
        raise ValueError(f"The map of {sample.name} must have the size {sample.size}. Received: {size}.")
    prediction = values if isinstance(values, ArrayMap) else ArrayMap(values, is_log_density)
    if not np.isfinite(prediction.extremes).all():
        raise ValueError(f"The map of {sample.name} has NaN or infinite values; a map must be finite.")
    absent = {name for name, part in NEEDS.items() if getattr(target, part) is None}
    if metrics is None:
        metrics = [name for name in rows if name not in absent]
    for name in metrics:
        if name not in rows:
            raise ValueError(f"Unknown metric {name!r} of the convention {convention!r}. Known: {', '.join(rows)}.")
        if name in absent:
            raise ValueError(f"The metric {name!r} needs {NEEDS[name]}; give make_truth({NEEDS[name]}=...).")
    known = metrics if len(sample.fixations) else OF_DENSITY if sample.ground_truth else ()
    return {name: float(rows[name](target, prediction)[0]) if name in known else np.nan for name in metrics}
