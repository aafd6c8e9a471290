"""Draws docs/gradient_fields.png: what each loss asks of one and the same prediction. Needs the extra `weights`.

Run: python docs/gradient_fields.py
"""

import pathlib

import numpy as np
import tensorflow as tf
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

import keras_saliency as ks
from keras_saliency.losses import LOSSES
from keras_saliency.reporting.plotting import COLOURS

HEIGHT, WIDTH, FIXATIONS = 48, 64, 40
# Blobs (x, y, sigma, mass); the prediction has 5 % of its mass spread evenly.
TRUTH = {"strong": (22, 18, 4.0, 0.75), "missed": (48, 33, 4.0, 0.25)}
PREDICTION = {"strong": (25, 20, 6.5, 0.70), "false alarm": (13, 39, 4.0, 0.25)}
# Where the shares are taken: within so many pixels of the centre of a blob.
REGIONS = {"strong": (22, 18, 16), "missed": (48, 33, 10), "false alarm": (13, 39, 10), "peak pixel": (25, 20, 0)}
ROWS = ("pixel", "distribution", "distribution", "saliency", "saliency, others")
Y, X = np.mgrid[:HEIGHT, :WIDTH]


def density(blobs, uniform=0.0):
    """A mixture of Gaussians and an even part, which sums to one."""
    parts = [m * np.exp(-((X - x) ** 2 + (Y - y) ** 2) / (2 * s**2)) / (2 * np.pi * s**2) for x, y, s, m in blobs]
    mixture = sum(parts) + uniform / X.size
    return mixture / mixture.sum()


def example():
    """The density of the truth with a peak of one, the fixation counts, and the predicted log-density."""
    truth = density(TRUTH.values())
    drawn = np.random.default_rng(7).choice(truth.size, FIXATIONS, p=truth.ravel())
    counts = np.bincount(drawn, minlength=truth.size).reshape(truth.shape)
    return truth / truth.max(), counts, np.log(density(PREDICTION.values(), 0.05))


def fields(truth, counts, log_density):
    """The value of each loss and minus its gradient by the log-density."""
    y_true = ks.pack_targets(*(np.float32(part)[None, ..., None] for part in (truth, counts)))
    y_pred = tf.Variable(np.float32(log_density)[None, ..., None])
    for name, loss in LOSSES.items():
        options = {"weights": "hed"} if name in ("deep_features", "gram") else {}
        with tf.GradientTape() as tape:
            value = loss(from_logits=True, **options)(y_true, y_pred)
        yield name, float(value), -tape.gradient(value, y_pred).numpy()[0, ..., 0]


def print_row(name, value, field):
    """Prints the value of a loss, and how much of all it raises and of all it lowers lies in each region."""
    row = f"{name:16}{value:10.4g}"
    for x, y, radius in REGIONS.values():
        inside = (X - x) ** 2 + (Y - y) ** 2 <= radius**2
        for part in (np.maximum(field, 0), np.maximum(-field, 0)):
            row += f"{part[inside].sum() / part.sum():9.1%}"
    print(row)


def panel(axis, title, values, truth, line="black", **how):
    """Draws one map and where the truth is a tenth of its peak."""
    axis.contour(truth, levels=(0.1,), colors=line, linewidths=0.6)
    axis.set_title(title, fontsize=10, pad=4)
    axis.set(xticks=[], yticks=[])
    axis.spines[:].set(color="0.6", linewidth=0.6)
    return axis.imshow(values, **how)


def main():
    """Draws the figure beside this file and prints the shares."""
    truth, counts, log_density = example()
    figure = Figure(figsize=(12, 9), layout="constrained")
    grid = figure.subplots(5, 6)
    for axis, row in zip(grid[:, 0], ROWS, strict=True):
        axis.set_ylabel(row, color="0.35")
    panels, legend = iter(grid.flat), grid[4, 5]
    panel(next(panels), "truth and fixations", truth, truth, "white", cmap=COLOURS)
    grid[0, 0].scatter(*np.argwhere(counts)[:, ::-1].T, s=5, c="deepskyblue", linewidths=0)
    panel(next(panels), "prediction", np.exp(log_density), truth, "white", cmap=COLOURS)
    print(f"{'':16}{'value':>10}" + "".join(f"{name:>18}" for name in REGIONS))
    print(f"{'':26}" + f"{'raised':>9}{'lowered':>9}" * len(REGIONS))
    for name, value, field in fields(truth, counts, log_density):
        print_row(name, value, field)
        image = panel(
            next(panels), name, field / np.percentile(np.abs(field), 99.5), truth, cmap="RdBu_r", vmin=-1, vmax=1
        )
    bar = figure.colorbar(image, cax=legend.inset_axes((0.13, 0.62, 0.74, 0.11)), orientation="horizontal")
    bar.set_ticks([-1, 0, 1], labels=["lower", "leave", "raise"])
    for axis in panels:  # what is left
        axis.set_axis_off()
    legend.set_title("asked of the log-density", fontsize=10, y=0.76)
    line = Line2D([], [], color="black", linewidth=0.8, label="truth")
    legend.legend(handles=[line], loc="lower center", bbox_to_anchor=(0.5, 0.1), frameon=False, fontsize=10)
    figure.savefig(pathlib.Path(__file__).with_suffix(".png"), dpi=130)


if __name__ == "__main__":
    main()
