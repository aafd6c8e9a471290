"""One page of figures that shows a data set, and pictures of what is wrong with one."""

import textwrap
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from keras_saliency.data import DataSet, Finding, Fixations, Sample
from keras_saliency.data.samples import fixation_density
from keras_saliency.formulas.ground_truth import gaussian_blur
from keras_saliency.formulas.types import Values
from keras_saliency.reporting.plotting import COLOURS, save, tidy

SHOWN = 4
LAYOUT: list[Any] = [
    [f"sample {i}" for i in range(SHOWN)],
    ["bias", "counts", "durations", "onsets"],
    ["agreement", "splits", "facts", "facts"],
]
WHOLE = MaxNLocator(integer=True)
ORDERED, NO_ORDER = "plasma", "deepskyblue"  # the colours of fixations
EARLY = 0.9  # of the fixations have a colour of their own
CROWD = 5000  # square points that fixations have together
THUMBNAIL = 800  # pixels of the longer side
BINS, FEWEST, EACH = 40, 8, 8  # of a histogram, and the values for each, if there are enough
GRID, BANDWIDTH = 120, 0.03  # of the centre bias: cells of the longer side, and the blur as a share of it
SHARE, MANY = 0.995, 500  # of the values are in a histogram, if there are so many
NAME, LINE, LINES = 30, 100, 3  # letters, and lines of what was skipped
LETTERS = 11  # in an inch
BEYOND = 1.0  # sides around an image that its picture shows at most


def plot_data(path: str | Path, data: DataSet, agreement: Values) -> None:
    """Draws the page: samples with fixations, centre bias, counts, durations, onsets, agreement, splits.

    A panel for which a data set has nothing says so.

    Args:
        path: The file to write.
        data: The data set.
        agreement: How well observers are predicted from the others, a value for each image; see
            `keras_saliency.evaluation.agreement`.
    """
    figure = Figure(figsize=(14, 10), layout="constrained")
    axes = figure.subplot_mosaic(LAYOUT, height_ratios=[1.1, 1, 1])
    samples = data.samples
    places = np.unique(np.linspace(0, len(samples) - 1, SHOWN).round().astype(int))
    top = [axes[name] for name in LAYOUT[0]]
    for axis in top:
        axis.set_axis_off()
    colours = _colours([samples[place] for place in places])
    for axis, place in zip(top, places, strict=False):
        _plot_sample(axis, samples[place], colours)
    if colours:
        figure.colorbar(
            colours, ax=top, shrink=0.7, pad=0.01, label="position in the scanpath", extend="max", ticks=WHOLE
        )
    _plot_bias(axes["bias"], data)
    fixations = [sample.fixations for sample in samples]
    observers = [np.unique(own.observer, return_counts=True)[1] for own in fixations]
    counts, durations, times = (
        np.concatenate([np.empty(0), *columns])
        for columns in (observers, [own.duration for own in fixations], [own.time for own in fixations])
    )
    known = times if (times % 1).any() else np.empty(0)  # whole numbers are positions
    no_times = "No times" + (", but an order." if times.any() else ".")
    alone = all(len(own) < 2 for own in observers)
    panels = {
        "counts": (
            counts,
            "fixations in a scanpath",
            "images" if alone else "images x observers",
            "No fixations:\nmaps tell where people looked.",
        ),
        "durations": (durations[np.isfinite(durations)], "duration, s", "fixations", "No durations."),
        "onsets": (known, "onset, s", "fixations", no_times),
        "agreement": (
            agreement,
            "NSS in the fixations of the others",
            "images",
            "No image that two observers have seen:\nno agreement.",
        ),
    }
    for name, panel in panels.items():
        _histogram(axes[name], name, *panel)
    _plot_splits(axes["splits"], data)
    axes["facts"].set_axis_off()
    axes["facts"].text(0, 1, _facts(data, samples), va="top", fontsize=9, linespacing=1.5)
    save(figure, path)


def plot_finding(path: str | Path, finding: Finding) -> None:
    """Draws the images of a finding with their fixations, those outside too.

    Args:
        path: The file to write.
        finding: A finding with samples.
    """
    count, colours = len(finding.samples), _colours(finding.samples)
    wide = max(4.6 * count, 7)
    figure = Figure(figsize=(wide, 4.6), layout="constrained")
    places = finding.places or [np.empty((0, 2))] * count
    for axis, sample, concerned in zip(
        figure.subplots(1, count, squeeze=False)[0], finding.samples, places, strict=True
    ):
        _plot_sample(axis, sample, colours)
        axis.scatter(*concerned.T, s=40, facecolors="none", edgecolors="red", clip_on=False)
        x, y = sample.fixations.outside.T
        axis.scatter(x, y, s=16, marker="x", c="red", linewidths=1.0)
        left, right = _limits(x, sample.size[1])
        top, bottom = _limits(y, sample.size[0])
        axis.set(xlim=(left, right), ylim=(bottom, top))
    title = f"{finding.fault}: {finding.count} of {finding.of} {finding.counted}"
    figure.suptitle(f"{title}\n{textwrap.fill(finding.remedy, int(LETTERS * wide))}", fontsize=10, x=0.01, ha="left")
    save(figure, path)


def _limits(values: np.ndarray, side: float) -> tuple[float, float]:
    """From where to where a picture goes, so that it shows what is outside, too, unless that is far away."""
    known = np.clip(values[np.isfinite(values)], -BEYOND * side, (1 + BEYOND) * side)
    return min([0.0, *(known - 0.03 * side)]), max([side, *(known + 0.03 * side)])


def _colours(samples: Sequence[Sample]) -> ScalarMappable | None:
    """The colours of positions; None where there is no order."""
    ordered = [sample.fixations for sample in samples if len(np.unique(sample.fixations.time)) > 1]
    if not ordered:
        return None
    last = np.quantile(np.concatenate([_positions(fixations) for fixations in ordered]), EARLY)
    return ScalarMappable(Normalize(1, max(2, last)), ORDERED)


def _plot_sample(axis: Axes, sample: Sample, colours: ScalarMappable | None) -> None:
    height, width = sample.size
    axis.set(xticks=[], yticks=[])
    axis.set_axis_off()
    axis.imshow(_thumbnail(sample.read()), extent=(0, width, height, 0), alpha=0.75)
    fixations = sample.fixations
    if len(fixations):
        shown = colours.to_rgba(_positions(fixations)) if colours else NO_ORDER
        area = np.clip(CROWD / len(fixations), 1.0, 10.0)
        axis.scatter(fixations.x, fixations.y, s=area, c=shown, edgecolors="black", linewidths=0.03 * area)
        what = f"{len(fixations)} fixations"
    else:
        axis.imshow(_thumbnail(fixation_density(sample)), extent=(0, width, height, 0), cmap=COLOURS, alpha=0.6)
        what = "density map"
    axis.set_title(f"{_short(sample.name)}, {width}x{height}\n{what}", fontsize=8)


def _thumbnail(values: np.ndarray) -> np.ndarray:
    """An image or a map as large as is seen on a page."""
    scale = THUMBNAIL / max(values.shape[:2])
    size = [max(1, round(scale * side)) for side in values.shape[:2]]
    return values if scale >= 1 else cv2.resize(values, size[::-1], interpolation=cv2.INTER_AREA)


def _positions(fixations: Fixations) -> np.ndarray:
    """The position of each fixation among its observer's, from one."""
    order = np.lexsort((fixations.time, fixations.observer))
    sorted_ = fixations.observer[order]
    positions = np.empty(len(order), int)
    positions[order] = np.arange(len(order)) - np.searchsorted(sorted_, sorted_) + 1
    return positions


def _plot_bias(axis: Axes, data: DataSet) -> None:
    """The density of all training fixations, or the mean of the maps, laid over each other."""
    sizes = Counter(sample.size for sample in data.train)
    (height, width), _ = sizes.most_common(1)[0]
    cells = [max(1, round(GRID * side / max(height, width))) for side in (height, width)]
    axis.set(xticks=[], yticks=[])
    axis.set_title("centre bias of the training images", fontsize=10)
    if data.train.have_fixations:
        y, x = data.train.relative_fixations().T
        counts = np.histogram2d(y, x, bins=cells, range=((0, 1), (0, 1)))[0]
        density = gaussian_blur(counts, BANDWIDTH * GRID)
    else:
        density = np.sum([_coarse(fixation_density(sample), cells) for sample in data.train], axis=0)
    axis.imshow(density, cmap=COLOURS, extent=(0, width, height, 0))
    axis.axhline(height / 2, color="white", linewidth=0.5, linestyle=":")
    axis.axvline(width / 2, color="white", linewidth=0.5, linestyle=":")


def _coarse(density: np.ndarray, cells: Sequence[int]) -> np.ndarray:
    """A density on a few cells, with a sum of one."""
    small = cv2.resize(density, cells[::-1], interpolation=cv2.INTER_AREA)
    return small / small.sum()


def _histogram(axis: Axes, title: str, values: np.ndarray, label: str, counted: str, reason: str) -> None:
    axis.set_title(f"{title}, mean {np.mean(values):.3g}" if len(values) else title, fontsize=10)
    if not len(values):
        axis.set_axis_off()
        axis.text(0.5, 0.5, reason, ha="center", va="center", color="grey", transform=axis.transAxes)
        return
    high = np.quantile(values, SHARE) if len(values) >= MANY else values.max()
    shown = values[values <= high]
    each = (values % 1 == 0).all() and high < BINS
    count = int(np.clip(len(values) / EACH, FEWEST, BINS))
    bins = np.arange(high + 2) - 0.5 if each else np.linspace(shown.min(), max(high, shown.min() + 1e-9), count + 1)
    axis.hist(shown, bins=list(bins), color="steelblue")
    axis.axvline(values.mean(), color="black", linewidth=0.8, linestyle="--")
    beyond = 100 * np.mean(values > high)
    more = f"; {beyond:.1f} % are above {high:.3g}, up to {values.max():.3g}" if beyond else ""
    axis.set_xlabel(label + more, fontsize=8)
    axis.set_ylabel(counted, fontsize=8)
    axis.tick_params(labelsize=8)
    tidy(axis)


def _plot_splits(axis: Axes, data: DataSet) -> None:
    splits = data.splits.values()
    counts = [sum(len(sample.fixations) for sample in samples) for samples in splits]
    has = any(counts)
    heights = counts if has else [len(samples) for samples in splits]
    bars = axis.bar(list(data.splits), heights, color="steelblue")
    texts = [f"{count:,} in\n{len(samples)} images" for count, samples in zip(counts, splits, strict=True)]
    axis.bar_label(bars, texts if has else [f"{len(samples)} images" for samples in splits], fontsize=8, padding=2)
    axis.set_ylim(0, 1.25 * max(heights))
    axis.set_title("fixations of each split" if has else "images of each split", fontsize=10)
    axis.tick_params(labelsize=8)
    tidy(axis)


def _facts(data: DataSet, samples: Sequence[Sample]) -> str:
    """What is known of a data set, a line each."""
    sizes = Counter(sample.size for sample in samples)
    (height, width), alike = sizes.most_common(1)[0]
    facts, degree = data.facts, data.pixels_per_degree
    observers = max(len(np.unique(sample.fixations.observer)) for sample in samples)
    blurs = sorted({round(sample.sigma, 1) for sample in samples})
    lines = [
        facts.title if facts else data.name,
        f"{len(samples)} images, {alike} of {width}x{height}" + (f", {len(sizes)} sizes" if len(sizes) > 1 else ""),
        f"{sum(len(sample.fixations) for sample in samples):,} fixations, up to {observers} observers an image",
        f"{degree:g} pixels per degree" if degree else "pixels per degree: not known",
        f"blur of the ground truth: {blurs[0]:g}" + (f" to {blurs[-1]:g}" if len(blurs) > 1 else "") + " pixels",
        *([f"{facts.task}; licence: {facts.licence}"] if facts else []),
        f"left out: {len(data.skipped)} entries" + (", the first ones" if len(data.skipped) > LINES else ""),
        *(f"  {line}" for line in data.skipped[:LINES]),
    ]
    return "\n".join(textwrap.shorten(line, LINE, placeholder=" ...") for line in lines)


def _short(name: str) -> str:
    """The end of a name that is too long for a title."""
    return name if len(name) <= NAME else f"...{name[3 - NAME :]}"
