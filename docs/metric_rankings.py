"""Draws docs/metric_rankings.png: two predictions of one density, and which of them each metric prefers.

Run: python docs/metric_rankings.py
"""

import pathlib

import numpy as np
from matplotlib.figure import Figure
from scipy.stats import norm

from keras_saliency import baselines
from keras_saliency.data import Fixations, Sample
from keras_saliency.evaluation.scoring import make_truth, score
from keras_saliency.reporting.plotting import COLOURS
from keras_saliency.reporting.tables import HEADINGS

HEIGHT, WIDTH, SIGMA, OBSERVERS, EACH = 240, 320, 9.6, 15, 8
# Blobs (x, y, sigma, mass); what is missing to one is spread evenly.
TRUTH = [(105, 95, 13, 0.34), (205, 120, 13, 0.30), (150, 175, 15, 0.18), (275, 60, 13, 0.06), (50, 195, 13, 0.04)]
A = [(105, 95, 13, 0.44), (205, 120, 13, 0.38), (150, 175, 15, 0.1798)]
B = [(x, y, 2.2 * sigma, mass) for x, y, sigma, mass in TRUTH]
CENTRE = [(WIDTH / 2, HEIGHT / 2, 62, 0.9)]
CONVENTION = {"auc_borji": "mit", "emd": "mit"}  # of the others "tuebingen"
LOWER_IS_BETTER = ("kld", "emd")
A_COLOUR, B_COLOUR = "#c2410c", "#1d6fa5"
COLUMNS = (1.33, 1.48, 1.62, 1.76, 1.88)  # of the values, in the unit of the bars


def density(blobs):
    """A mixture of Gaussians and an even part, which sums to one."""
    y, x = np.arange(HEIGHT)[:, None] + 0.5, np.arange(WIDTH)[None] + 0.5
    mixture = sum(m * norm.pdf(x, column, s) * norm.pdf(y, row, s) for column, row, s, m in blobs)
    mixture = mixture + (1 - sum(blob[3] for blob in blobs)) / (HEIGHT * WIDTH)
    return mixture / mixture.sum()


def draw_fixations(probability, count, rng):
    """Independent fixations, in the middle of their pixels."""
    y, x = np.divmod(rng.choice(probability.size, count, p=probability.ravel()), WIDTH)
    return Fixations.from_rows(np.stack([x + 0.5, y + 0.5, np.arange(count) % OBSERVERS, np.zeros(count)], 1))


def scores(maps, sample, negatives, baseline):
    """From metric to its values for the log-densities of `maps`."""
    found = {}
    for convention in ("tuebingen", "mit"):
        truth = make_truth(sample, negatives, baseline, convention)
        values = [score(map_, truth, True, convention) for map_ in maps]
        names = [name for name in values[0] if CONVENTION.get(name, "tuebingen") == convention]
        found |= {name: [value[name] for value in values] for name in names}
    return {name: found[name] for name in HEADINGS if name in found}


def draw_maps(axes, maps, fixations):
    """Draws the densities, each divided by its own peak, and the fixations over the first."""
    titles = (f"truth and {len(fixations)} fixations", "A: sure of three places", "B: broad, nothing left out")
    for axis, title, map_, colour in zip(axes, titles, maps[:3], ("black", A_COLOUR, B_COLOUR), strict=True):
        axis.imshow(np.exp(map_ - map_.max()), cmap=COLOURS, vmin=0, vmax=1)
        axis.set_title(title, color=colour, fontsize=12)
        axis.set(xticks=[], yticks=[])
    axes[0].scatter(fixations.x, fixations.y, s=6, c="deepskyblue", linewidths=0)


def prefers_a(name, values):
    """Whether a metric gives A the better value."""
    _, first, second, _ = values
    return (first < second) if name in LOWER_IS_BETTER else (first > second)


def draw_scores(axis, rows):
    """Bars from the uniform density, at zero, to the true density, at one; beside them the values, the better bold."""
    for place, text in zip(COLUMNS, ("A", "B", "truth", "uniform", "better"), strict=True):
        axis.text(place, -0.95, text, ha="right", va="center", color="0.35")
    for row, (name, values) in enumerate(rows.items()):
        truth, *_, uniform = values
        winner = 0 if prefers_a(name, values) else 1
        for i, colour in enumerate((A_COLOUR, B_COLOUR)):
            share = (values[1 + i] - uniform) / (truth - uniform)
            axis.barh(row + 0.38 * i - 0.19, share, 0.34, color=colour, alpha=1.0 if i == winner else 0.35)
        colours = (A_COLOUR, B_COLOUR, "0.35", "0.35")
        for i, (place, value) in enumerate(zip(COLUMNS[:4], (*values[1:3], truth, uniform), strict=True)):
            weight = "bold" if i == winner else "normal"
            axis.text(place, row, f"{value:.3f}", color=colours[i], weight=weight, ha="right", va="center")
        axis.text(COLUMNS[4], row, "AB"[winner], color=colours[winner], weight="bold", ha="right", va="center")
    notes = [
        [note for note in (CONVENTION.get(name), "low is good" * (name in LOWER_IS_BETTER)) if note] for name in rows
    ]
    labels = [HEADINGS[name] + f" ({', '.join(note)})" * bool(note) for name, note in zip(rows, notes, strict=True)]
    axis.set_yticks(range(len(rows)), labels)
    axis.set_xticks([0, 0.5, 1], ["as the uniform density", "halfway", "as the true density"])
    axis.set(xlim=(-0.16, 1.9), ylim=(len(rows) - 0.4, -1.4))
    axis.vlines([0, 0.5, 1], -0.6, len(rows) - 0.4, colors="0.4", linewidths=0.8, linestyles=["-", ":", "--"], zorder=0)
    axis.spines[:].set_visible(False)
    axis.tick_params(length=0)


def main():
    """Draws the figure beside this file and prints the values."""
    rng = np.random.default_rng(3)
    truth, centre = density(TRUTH), density(CENTRE)
    fixations = draw_fixations(truth, OBSERVERS * EACH, rng)
    sample = Sample("example", b"", (HEIGHT, WIDTH), fixations, SIGMA)
    negatives = draw_fixations(centre, 5000, rng).counts(sample.size)
    maps = [np.log(map_) for map_ in (truth, density(A), density(B))] + [baselines.uniform(sample.size)]
    rows = scores(maps, sample, negatives, np.log(centre))
    rows = dict(sorted(rows.items(), key=lambda row: not prefers_a(*row)))
    print(f"{'':16}" + "".join(f"{name:>10}" for name in ("truth", "A", "B", "uniform")))
    for name, values in rows.items():
        print(f"{name:16}" + "".join(f"{value:10.3f}" for value in values))
    figure = Figure(figsize=(12, 8.4), layout="constrained")
    grid = figure.add_gridspec(2, 3, height_ratios=(3, 5))
    draw_maps([figure.add_subplot(grid[0, i]) for i in range(3)], maps, fixations)
    draw_scores(figure.add_subplot(grid[1, :]), rows)
    figure.savefig(pathlib.Path(__file__).with_suffix(".png"), dpi=130)


if __name__ == "__main__":
    main()
