"""Fits the head of a model to the fixations of a recording: a handful of numbers, and its centre bias."""

import dataclasses
import functools
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import keras
import numpy as np
from keras import ops

from keras_saliency.baselines.centre_bias import GRID as BIAS_GRID
from keras_saliency.baselines.centre_bias import CentreBias, relative_counts
from keras_saliency.baselines.fitting import NotConverged
from keras_saliency.data import DataSet
from keras_saliency.data.mixtures import folds_of
from keras_saliency.data.pipeline import images, naming_images
from keras_saliency.data.samples import Samples
from keras_saliency.data.windows import places
from keras_saliency.formulas.maps import log_softmax
from keras_saliency.formulas.recording import as_centre_bias
from keras_saliency.formulas.types import Maps, Plane, Size
from keras_saliency.formulas.view import View
from keras_saliency.models import require_finite
from keras_saliency.models.calling import outputs
from keras_saliency.models.recording import (
    RecordingHead,
    network_of,
    recording_head_of,
    require_recording_head,
    with_recording_head,
)
from keras_saliency.models.sizes import require_shown
from keras_saliency.reporting.statistics import Interval, interval
from keras_saliency.serving.load import Run, load
from keras_saliency.training.recording_fit import Part, as_head, fit, left_out, on_the_way
from keras_saliency.writing.progress import Progress, make_console

FOLDS = 5
GRID = View(48 * 64, 4)  # on which a head is fitted: all that it knows is smooth
CORNER = 0.25  # of both sides of an image: fixations that lie in less were not measured on it
BATCH = 8


@dataclasses.dataclass(frozen=True, eq=False)
class Adaptation:
    """What `adapt` has done.

    Attributes:
        model: The adapted model; the one that was given if nothing was changed.
        changed: Whether it was.
        said: A sentence for people: what was gained, or why the model was left as it is.
        gain: Bit a fixation by which left-out images are better predicted than before: mean and 95 % interval.
        numbers: What was found for the head, by the names of `RecordingHead.numbers`.
    """

    model: keras.Model
    changed: bool
    said: str
    gain: Interval
    numbers: dict[str, float]


def adapt(
    model: keras.Model | Run | str | Path,
    samples: Samples | DataSet,
    centre_bias: Plane | None = None,
    verbose: bool = True,
) -> Adaptation:
    """Fits a model to a recording: gain, blur, centre bias and uniform share, and nothing else.

    Of few images one does not learn a centre bias: that of the recording and a known one, of the head that the model
    has or else a Gaussian, each have a weight, and are one in what comes out.

    Most of what a model loses on the recordings of others belongs to these and not to seeing (Kümmerer, Khanuja &
    Bethge 2025). Images are split into five folds: how far the head goes from the model as it is to the best fit is
    what does best on folds that are left out, and one that is not surely better there than the model as it is, and than
    the centre bias alone, is not taken.

    Args:
        model: A model that gives a log-density, a `Run`, the folder of a run, or a `.keras` file. It is not changed;
            one that was adapted before is adapted anew.
        samples: Five images at least, with fixations of two observers at least; of a `DataSet` its training split.
        centre_bias: That of the recording, positive, of any scale and size, where it is known; by default that of the
            fixations.
        verbose: Whether to print what is done.

    Returns:
        An `Adaptation`. Its model shares the weights of the network with the model that was given.

    Raises:
        ValueError: If the model gives no log-density; if there are fewer than five images with fixations, fixations of
            one observer alone, or all in a corner; if there is padding around pictures; if they are frames of videos.
    """
    console = make_console(verbose)
    if not isinstance(model, keras.Model):
        model = (model if isinstance(model, Run) else load(model)).model
    given = None if centre_bias is None else _on_grid(centre_bias)
    require_finite(model)
    network, adapted = network_of(model), with_recording_head(model)
    shown = require_shown(model)
    samples = samples.train if isinstance(samples, DataSet) else samples
    if samples.are_frames:
        raise ValueError(
            "Frames of a video are not independent: they do not tell whether a fit is better. Give images."
        )
    usable = [sample for sample in samples if len(sample.fixations)]
    _require_enough(usable)
    samples = Samples(usable, samples.pixels_per_degree).in_windows(shown)
    _require_whole(samples, shown)
    fold = folds_of(samples, FOLDS)
    folds = np.array([fold[sample.group] for sample in samples])
    with Progress(console) as bars:
        task = bars.add_task("images", total=len(samples))
        head = recording_head_of(model)
        weights = _shares(head)[:, None]
        parts = parts_of(head, network, samples, shown, folds, weights, lambda done: bars.update(task, advance=done))
    console.print("fitting the head, and how well it does on what is left out")
    new = require_recording_head(adapted)
    known = head.centre_bias_of(head.recording) if head else new.centre_bias_of(None)
    own = _biases(samples, folds)
    biases = (lambda left_out: [own(left_out), known]) if given is None else lambda left_out: [given]
    is_now = (head or new).numbers
    weights_now = ([0.0] if given is None else []) + [is_now["centre_weight"]]
    start = np.array([is_now["gain"], *weights_now, is_now["uniform_share"], is_now["blur"]])

    bias_of = functools.cache(lambda left_out, size: stretched(biases(left_out), size))
    found = left_out(parts, bias_of, start)
    fitted = on_the_way(fit(parts, bias_of), found.way, start)
    gain, over_bias = interval(found.over_before), interval(found.over_bias)
    changed = gain["low"] > 0 and over_bias["low"] > 0
    density = np.mean([biases(frozenset({fold})) for fold in range(FOLDS)], 0)
    numbers, bias = as_head(fitted, density)
    if changed:
        new.set(numbers, bias, shares=_shares(head))
    return Adaptation(adapted if changed else model, changed, _said(gain, over_bias, len(usable)), gain, numbers)


def _said(gain, over_bias, count):
    better, beside = (
        "{mean:.3f} bit a fixation [{low:.3f}, {high:.3f}]".format_map(each) for each in (gain, over_bias)
    )
    if gain["low"] <= 0:
        return (
            f"Left as it is: fitted to {count} images, the model is not surely better on images that were left out, by "
            f"{better}. Give more images, or keep it."
        )
    if over_bias["low"] <= 0:
        return (
            "Left as it is: images that were left out are not surely better predicted than by the centre bias alone, "
            f"by {beside}. Do the fixations belong to these pictures?"
        )
    return f"Adapted to {count} images: on images that were left out it is better than before by {better}."


def _require_enough(samples):
    count = len({sample.group for sample in samples})
    if count < FOLDS:
        raise ValueError(f"A model is adapted to {FOLDS} images with fixations at least. Received: {count}.")
    if len(np.unique(np.concatenate([sample.fixations.observer for sample in samples]))) < 2:
        raise ValueError(
            "All fixations are of one observer, and a head fitted to them would be that person's. Give fixations of "
            "two observers at least, and say whose each is."
        )
    low, high = np.quantile(Samples(samples).relative_fixations(), (0.05, 0.95), axis=0)
    if (high - low < CORNER).all():
        raise ValueError(
            f"Nine tenths of all fixations lie between {low[0]:.0%} and {high[0]:.0%} of the height and {low[1]:.0%} "
            f"and {high[1]:.0%} of the width. Are their coordinates pixels of the images?"
        )


def _require_whole(samples, shown):
    """A centre bias lies over all that a network sees, padding included."""
    canvases, boxes = places(samples, shown)
    for sample, canvas, box in zip(samples, canvases, boxes, strict=True):
        if (canvas != box[2:]).any():
            raise ValueError(
                f"{sample.name} is {sample.size[0]}x{sample.size[1]}, and the model sees it in a frame of "
                f"{canvas[0]}x{canvas[1]}, with padding. Adapt a model that sees pictures of any shape: one made "
                "without input_size."
            )


def _shares(head):
    """The weights of the maps that a network gives."""
    return head.shares_of(head.recording) if head else np.ones(1)


def parts_of(
    head: RecordingHead | None,
    network: keras.Model,
    samples: Samples,
    shown: Size | View,
    folds: np.ndarray,
    weights: np.ndarray,
    progress: Callable[[int], None] = lambda done: None,
) -> list[Part]:
    """What a network gives, and with its head, small, beside the fixations.

    Args:
        head: The head, if the model has one.
        network: What comes before it.
        samples: Samples with fixations, of which each is seen in a single window.
        shown: How they are shown.
        folds: The fold of each.
        weights: What each map of the network counts for each of the scores, `(maps, scores)`.
        progress: Called with the number of images of each batch.
    """
    rows: dict[tuple[int, Size], list] = {}
    with naming_images(samples):
        for numbers, pictures in images(samples, shown, BATCH).as_numpy_iterator():
            scores = ops.convert_to_numpy(outputs(network, pictures))[: len(pictures)]
            before = ops.convert_to_numpy(head(scores)) if head else scores
            scores = scores @ weights
            for number, *planes in zip(numbers, scores, before, strict=True):
                size = GRID.of(samples[number].size)
                planes = [_shrunk(plane, size) for plane in planes] + [relative_counts(samples[number], size)]
                rows.setdefault((int(folds[number]), size), []).append(list(map(np.atleast_3d, planes)))
            progress(len(numbers))
    parts = []
    for (fold, _), each in rows.items():
        score, before, counts = (np.stack(planes).astype("float64") for planes in zip(*each, strict=True))
        parts.append(Part(fold, score, log_softmax(before), counts / counts.sum((1, 2, 3), keepdims=True)))
    return parts


def _shrunk(planes, size):
    """Maps `(height, width, maps)` at a size; OpenCV takes four at most."""
    each = [cv2.resize(plane, size[::-1], interpolation=cv2.INTER_AREA) for plane in np.moveaxis(planes, -1, 0)]
    return np.stack(each, -1)


def _biases(samples, folds):
    """From folds that are left out to the centre bias of all others, on the grid of `CentreBias`."""

    @functools.cache
    def without(left_out):
        kept = [fold for fold in range(FOLDS) if fold not in left_out]
        train, validation = (
            Samples([sample for sample, fold in zip(samples, folds, strict=True) if fold in wanted])
            for wanted in (kept[1:], kept[:1])
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", NotConverged)  # Of few images that is no wonder.
            return CentreBias(train, validation).density

    return without


def _on_grid(centre_bias):
    """A centre bias that is given, on the grid of `CentreBias`."""
    return cv2.resize(as_centre_bias(centre_bias), BIAS_GRID[::-1], interpolation=cv2.INTER_AREA)


def stretched(densities: Sequence[Plane], size: Size) -> Maps:
    """The logarithms of centre biases at a size, `(1, height, width, biases)`, beside their peaks."""
    logs = [np.log(density / density.max()) for density in densities]
    return np.stack([cv2.resize(each, size[::-1], interpolation=cv2.INTER_AREA) for each in logs], -1)[None]
