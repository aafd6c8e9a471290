"""The figures of docs/quest.md, from the results."""

import extra
import numpy as np
import outcome
from matplotlib.figure import Figure
from outcome import FOLDER, GROUP, SETTINGS, SHOWN, TITLES
from questions import FACTORS, variance
from words import directed, heading, title

# Told apart without colour.
MARKERS = {"single": ("o", "white"), "published": ("s", "0.6"), "balanced": ("D", "black"), "learned": ("^", "black")}
HATCHES = {"loss": "", "seed": "....", "model": "////", "data": "\\\\\\\\", "together": "xx"}
GREYS = {"loss": "0.25", "seed": "1.0", "model": "0.8", "data": "0.9", "together": "0.6"}
PLACES = dict(zip(SETTINGS, (("o", "black"), ("s", "0.7"), ("D", "0.4"), ("^", "white")), strict=True))
# The losses of `short`: the finalists, those that are used most, and their combination that is no worse than its parts.
SHORT = (
    *("sam", "kld + nss", "nll + nss"),
    *("sigmoid_nss", "nss", "kld", "cc", "total_variation", "ae", "bce", "mse"),
)


def save(figure, name):
    """Writes a figure beside the results."""
    figure.savefig(FOLDER / f"{name}.png", dpi=110, bbox_inches="tight", facecolor="white")


def _marks(axis, styles):
    """What a legend shows: marks as they are drawn."""
    return [axis.plot([], [], marker, mfc=colour, mec="black", ls="")[0] for marker, colour in styles]


def differences(setting):
    """All losses against the best single one, with intervals."""
    reference, ranks = outcome.best_single(), outcome.ranks([setting], losses=outcome.complete(setting))
    losses = sorted(ranks, key=lambda loss: -ranks[loss])
    figure = Figure(figsize=(12, 0.22 * len(losses) + 1.2))
    axes = figure.subplots(1, len(SHOWN), sharey=True)
    for axis, (metric, kind) in zip(axes, SHOWN, strict=True):
        found = outcome.against(reference, setting, metric, kind)
        for row, loss in enumerate(losses):
            marker, colour = MARKERS[GROUP[loss]]
            each = found.get(loss)
            mean, low, high = (each.mean, each.low, each.high) if each else (0.0, 0.0, 0.0)
            axis.plot([low, high], [row, row], color="0.3", lw=1)
            axis.plot(mean, row, marker, mfc=colour, mec="black", ms=5)
        axis.axvline(0, color="black", lw=0.8, ls=":")
        far = np.quantile([each.low for each in found.values()], 0.04)  # the worst ones lie outside
        axis.set_xlim(min(1.1 * far, -0.1 * axis.get_xlim()[1]), None)
        axis.set_ylim(-0.8, len(losses) - 0.2)
        axis.set_title(directed(metric, kind), fontsize=10)
        axis.tick_params(labelsize=8)
    axes[0].set_yticks(range(len(losses)), losses, fontsize=8)
    figure.legend(
        _marks(axes[0], MARKERS.values()), MARKERS, loc="lower center", ncol=len(MARKERS), fontsize=9, frameon=False
    )
    figure.suptitle(f"{title(setting)}: difference to {reference}, right is better", fontsize=11, y=0.995)
    figure.tight_layout(rect=(0, 0.03, 1, 1))
    save(figure, f"differences_{'_'.join(setting)}")


def short(settings):
    """Some losses against the best single one, in some scores and several settings: the first screen of the README."""
    reference = outcome.best_single()
    losses = [loss for loss in SHORT if loss != reference][::-1]
    figure = Figure(figsize=(11, 3.9))
    for axis, score in zip(figure.subplots(1, len(SHOWN), sharey=True), SHOWN, strict=True):
        for i, setting in enumerate(settings):
            found, (marker, colour) = outcome.against(reference, setting, *score), PLACES[setting]
            for row, loss in enumerate(losses):
                if loss in found:
                    each, height = found[loss], row + 0.5 - (i + 1) / (len(settings) + 1)
                    axis.plot([each.low, each.high], [height, height], color="0.4", lw=1)
                    axis.plot(each.mean, height, marker, mfc=colour, mec="black", ms=4.5)
        axis.axvline(0, color="black", lw=0.8, ls=":")
        for row in range(0, len(losses), 2):
            axis.axhspan(row - 0.5, row + 0.5, color="0.95", zorder=-1)
        axis.set_ylim(-0.5, len(losses) - 0.5)
        axis.set_title(directed(*score), fontsize=10)
        axis.tick_params(labelsize=8)
    figure.axes[0].set_yticks(range(len(losses)), losses, fontsize=9)
    marks = _marks(axis, map(PLACES.get, settings))
    figure.legend(marks, map(title, settings), loc="lower center", ncol=4, fontsize=9, frameon=False)
    figure.suptitle(f"The same network under other losses: difference to {reference}, right is better", fontsize=11)
    figure.tight_layout(rect=(0, 0.05, 1, 1))
    save(figure, "short")


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
    axis.set_xlabel("mean rank; grey: not to be told from the best (Nemenyi, 5 %)", fontsize=9)
    axis.legend(_marks(axis, MARKERS.values()), MARKERS, fontsize=8, loc="lower left")
    save(figure, "ranks")


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
    figure.legend(*figure.axes[0].get_legend_handles_labels(), fontsize=8, loc="upper left", bbox_to_anchor=(1, 0.9))
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
        differences(setting)
    if done:
        short(done)
        critical_difference(done)
        shares()
        few()
