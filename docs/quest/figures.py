"""The figures of docs/quest.md, from the results."""

import extra
import forests
import numpy as np
import outcome
import scipy.stats
from forests import MARKERS, save
from matplotlib.figure import Figure
from outcome import BOTH, GROUP, SETTINGS, TITLES
from questions import FACTORS, variance
from words import heading, title

HATCHES = {"loss": "", "seed": "....", "model": "////", "data": "\\\\\\\\", "together": "xx"}
GREYS = {"loss": "0.25", "seed": "1.0", "model": "0.8", "data": "0.9", "together": "0.6"}


def critical_difference(settings):
    """Mean ranks over all metrics and settings, and how far apart two have to be."""
    ranks, critical = outcome.ranked(settings)
    losses = sorted(ranks, key=lambda loss: ranks[loss])
    best = ranks[losses[0]]
    figure = Figure(figsize=(8, 0.19 * len(losses) + 1))
    axis = figure.subplots()
    for row, loss in enumerate(losses):
        marker, colour = MARKERS[GROUP[loss]]
        axis.plot([best, ranks[loss]], [row, row], color="0.85", lw=1, zorder=0)
        axis.plot(ranks[loss], row, marker, mfc=colour, mec="black", ms=5)
    axis.axvspan(best, best + critical, color="0.92", zorder=-1)
    axis.set_yticks(range(len(losses)), losses, fontsize=8)
    axis.invert_yaxis()
    axis.set_xlabel("mean rank; grey: within the critical difference of the best (Nemenyi, 5 %)", fontsize=9)
    figure.tight_layout(rect=(0, 0.03, 1, 1))
    forests.legend(figure, MARKERS)
    save(figure, "ranks")


def places(settings):
    """The mean place of each loss in each score over settings: which loss wins on which metric."""
    ranks = outcome.ranks(settings)
    losses = sorted(ranks, key=lambda loss: ranks[loss])
    each = [outcome.ranks(settings, kinds=[score]) for score in BOTH]
    table = np.array([[found[loss] for found in each] for loss in losses])
    figure = Figure(figsize=(8, 0.2 * len(losses) + 1))
    axis = figure.subplots()
    axis.imshow(table, cmap="gray", vmin=-0.6 * len(losses), aspect="auto")
    for (row, column), value in np.ndenumerate(table):
        axis.text(column, row, f"{value:.0f}", ha="center", va="center", fontsize=7)
    axis.set_xticks(range(len(BOTH)), [heading(*score) for score in BOTH], rotation=45, ha="left", fontsize=8)
    axis.xaxis.tick_top()
    axis.set_yticks(range(len(losses)), losses, fontsize=8)
    save(figure, "places")


def carried(settings):
    """The places of losses in each setting, the best above; black are those that are first or second somewhere."""
    losses = outcome.common(settings)
    each = [outcome.ranks([setting], losses=losses) for setting in settings]
    places = np.array([scipy.stats.rankdata([found[loss] for loss in losses], "ordinal") for found in each]).T
    figure = Figure(figsize=(9, 0.2 * len(losses) + 1))
    axis = figure.subplots()
    for loss, row in zip(losses, places, strict=True):
        marker, colour = MARKERS[GROUP[loss]]
        best = row.min() <= 2
        axis.plot(row, marker=marker, mfc=colour, mec="black", color="black" if best else "0.75", lw=1.2, ms=5)
        axis.text(-0.07, row[0], loss, ha="right", va="center", fontsize=8)
        axis.text(len(settings) - 0.93, row[-1], loss, va="center", fontsize=8)
    axis.set_xticks(range(len(settings)), map(title, settings), fontsize=9)
    axis.set_yticks([])
    axis.invert_yaxis()
    axis.spines[["left", "right", "top", "bottom"]].set_visible(False)
    axis.set_xlim(-0.9, len(settings) - 0.1)
    figure.tight_layout(rect=(0, 0.03, 1, 1))
    forests.legend(figure, MARKERS)
    save(figure, "carried")


def shares():
    """What share of the variance of scores is the loss, the seed, the network, the data."""
    sets = {TITLES[data]: [s for s in SETTINGS if s[1] == data] for data in outcome.STUDY.data}
    sets = {name: settings for name, settings in {"both data sets": SETTINGS, **sets}.items() if variance(settings)}
    if not sets:
        return
    figure = Figure(figsize=(5 * len(sets), 3.4))
    for axis, (name, settings) in zip(np.atleast_1d(figure.subplots(1, len(sets))), sets.items(), strict=True):
        found = variance(settings)
        bottom = np.zeros(len(found))
        for factor in (*FACTORS, "together"):
            values = np.array([each.get(factor, 0.0) for each in found.values()])
            if values.any():
                axis.bar(
                    range(len(found)), values, bottom=bottom, color=GREYS[factor], hatch=HATCHES[factor],
                    edgecolor="black", lw=0.6, label={"model": "network"}.get(factor, factor),
                )  # fmt: skip
            bottom += values
        axis.set_xticks(range(len(found)), [heading(*row) for row in found], rotation=60, ha="right", fontsize=8)
        axis.set_title(name, fontsize=10)
        axis.set_ylim(0, 1)
    # The first panel has all factors that there are.
    figure.legend(*figure.axes[0].get_legend_handles_labels(), fontsize=8, loc="upper left", bbox_to_anchor=(0.91, 0.9))
    save(figure, "shares")


def few():
    """IG and fair CC by the number of training images, with intervals."""
    figure = Figure(figsize=(9, 3.4))
    for axis, score in zip(figure.subplots(1, 2), (("ig", "raw"), ("cc", "fair")), strict=True):
        found = extra.with_few(*score)
        for i, loss in enumerate(outcome.NAMES["FEW"]):
            means = {images: extra.alone(rows[loss]) for images, rows in found.items() if loss in rows}
            points = [(images, each.mean, each.low, each.high) for images, each in means.items()]
            if points:
                images, mean, low, high = np.array(points).T
                axis.errorbar(
                    images * 1.03 ** (i - 3.5), mean, (mean - low, high - mean), label=loss, marker="osD^v<>P"[i],
                    mfc=str(0.14 * i), mec="black", color="0.4", lw=1, ls=("-", "--", ":", "-.")[i % 4], ms=5,
                )  # fmt: skip
        axis.set_xscale("log")
        axis.set_xticks([*found], [*map(str, found)])
        axis.minorticks_off()
        axis.set_xlabel("training images")
        axis.set_title(heading(*score), fontsize=10)
    axis.legend(fontsize=8, loc="upper left", bbox_to_anchor=(1, 1))
    save(figure, "few")


def draw():
    """All figures for which there are results."""
    done = outcome.done()
    for setting in done:
        forests.differences(setting)
    forests.weights()
    forests.perceptual()
    for drawn in (forests.short, forests.parts, critical_difference, places, carried):
        drawn(done)
    shares()
    few()
