"""The figures of docs/quest.md that show differences with intervals: a panel for each score, right is better."""

import comparing
import extra
import numpy as np
import outcome
import questions
from matplotlib.figure import Figure
from outcome import FOLDER, GROUP, SETTINGS, SHOWN
from words import directed, title

# Told apart without colour.
MARKERS = {"single": ("o", "white"), "published": ("s", "0.6"), "balanced": ("D", "black"), "learned": ("^", "black")}
PLACES = dict(zip(map(title, SETTINGS), (("o", "black"), ("s", "0.7"), ("D", "0.4"), ("^", "white")), strict=True))
# The losses of `short`: the finalists, those that are used most, and their combination that is no worse than its parts.
SHORT = (
    *("sam", "kld + nss", "nll + nss"),
    *("sigmoid_nss", "nss", "kld", "cc", "total_variation", "ae", "bce", "mse"),
)


def save(figure, name):
    """Writes a figure beside the results."""
    figure.savefig(FOLDER / f"{name}.png", dpi=110, bbox_inches="tight", facecolor="white")


def legend(figure, styles):
    """Marks as they are drawn, below a figure."""
    marks = [figure.axes[0].plot([], [], m, mfc=c, mec="black", ls="")[0] for m, c in styles.values()]
    figure.legend(marks, styles, loc="lower center", ncol=len(styles), fontsize=9, frameon=False)


def forest(name, rows, series, said, height=0.22, styles=None, clipped=False):
    """One figure.

    Args:
        name: Its name.
        rows: What is compared, from above.
        series: From what is drawn in one row to a function of row and score, which gives a comparison or None.
        said: Above it.
        height: Of a row.
        styles: From row to mark; by series if there are none.
        clipped: Whether what is far worse than the others may lie outside.
    """
    rows = rows[::-1]
    figure = Figure(figsize=(12, height * len(rows) + 1.2))
    for axis, score in zip(figure.subplots(1, len(SHOWN), sharey=True), SHOWN, strict=True):
        lows = []
        for i, (label, found) in enumerate(series.items()):
            for row, compared in enumerate(rows):
                each, y = found(compared, score), row + 0.5 - (i + 1) / (len(series) + 1)
                if each is not None:
                    marker, colour = styles[compared] if styles else PLACES[label]
                    axis.plot([each.low, each.high], [y, y], color="0.3", lw=1)
                    axis.plot(each.mean, y, marker, mfc=colour, mec="black", ms=4.5)
                    lows.append(each.low)
        axis.axvline(0, color="black", lw=0.8, ls=":")
        if clipped:
            axis.set_xlim(min(1.1 * np.quantile(lows, 0.04), -0.1 * axis.get_xlim()[1]), None)
        for row in range(0, len(rows) if len(series) > 1 else 0, 2):
            axis.axhspan(row - 0.5, row + 0.5, color="0.95", zorder=-1)
        axis.set_ylim(-0.6, len(rows) - 0.4)
        axis.set_title(directed(*score), fontsize=10)
        axis.tick_params(labelsize=8)
        axis.locator_params("x", nbins=4)
    figure.axes[0].set_yticks(range(len(rows)), rows, fontsize=8)
    legend(figure, MARKERS if styles else {label: PLACES[label] for label in series})
    figure.suptitle(said, fontsize=11, y=0.995)
    figure.tight_layout(rect=(0, 0.25 / figure.get_figheight(), 1, 1))
    save(figure, name)


def differences(setting):
    """All losses against the best single one."""
    reference, ranks = outcome.best_single(), outcome.ranks([setting], losses=outcome.complete(setting))
    itself = comparing.Comparison(0.0, 0.0, 0.0, 1.0)
    forest(
        f"differences_{'_'.join(setting)}",
        sorted(ranks, key=lambda loss: ranks[loss]),
        {title(setting): lambda loss, score: comparing.against(reference, setting, *score).get(loss, itself)},
        f"{title(setting)}: difference to {reference}, right is better",
        styles={loss: MARKERS[group] for loss, group in GROUP.items()},
        clipped=True,
    )


def short(settings):
    """Some losses against the best single one, in several settings: the first screen of the README."""
    reference = outcome.best_single()
    forest(
        "short",
        [loss for loss in SHORT if loss != reference],
        {title(s): lambda loss, score, s=s: comparing.against(reference, s, *score).get(loss) for s in settings},
        f"The same network under other losses: difference to {reference}, right is better",
        height=0.07 * (len(settings) + 2),
    )


def parts(settings):
    """Balanced combinations against the better one of their parts in each score, by validation."""

    def found(loss, score, setting):
        terms = loss.split(" + ")
        if not {loss, *terms} <= {*outcome.complete(setting)}:
            return None
        return comparing.compare(loss, outcome.best(terms, setting, *score), setting, *score)

    forest(
        "parts",
        [loss for loss in outcome.common(settings) if GROUP[loss] == "balanced"],
        {title(s): lambda loss, score, s=s: found(loss, score, s) for s in settings},
        "Combinations against the best of their parts in each score: right is better",
        height=0.07 * (len(settings) + 2),
        clipped=True,
    )


def weights():
    """Equal shares against published weights, and learned weights against equal shares."""
    pairs = {f"{one}\nagainst {other}": (one, other) for one, other in questions.PAIRS}
    settings = [s for s in SETTINGS if {*sum(questions.PAIRS, ())} <= {*outcome.complete(s)}]
    forest(
        "weights",
        [*pairs],
        {title(s): lambda pair, score, s=s: comparing.compare(*pairs[pair], s, *score) for s in settings},
        "How weights are set: right is better for the first",
        height=0.45,
    )


def perceptual():
    """Combinations with a perceptual term against the same without."""
    pairs = {f"{one}\nagainst {other}": (one, other) for (one, other), _ in extra.perceptual()}
    if pairs:
        forest(
            "perceptual",
            [*pairs],
            {
                title(extra.FIRST): lambda pair, score: comparing.difference(
                    *(extra.at_rate(loss, *score) for loss in pairs[pair])
                )
            },
            "With a perceptual term: right is better",
            height=0.45,
        )
