"""Figures: what one would rather look at than read."""

import numpy as np
from matplotlib import colormaps
from matplotlib.figure import Figure

COLOURS = "inferno"


def overlay(image, saliency):
    """Lays a saliency map `(height, width)` in [0, 1] over an image `(height, width, 3)`, uint8: uint8."""
    heat = 255.0 * colormaps[COLOURS](saliency)[..., :3]
    weight = 0.65 * np.sqrt(saliency)[..., None]
    return np.round((1 - weight) * image + weight * heat).astype("uint8")


def plot_samples(path, rows):
    """Draws a grid: image, fixations, density of the fixations, prediction.

    Args:
        path: The file to write.
        rows: Tuples `(title, image, fixations, density, prediction)`; the last two `(height, width)`.
    """
    figure = Figure(figsize=(12, 0.4 + 2.4 * len(rows)), layout="constrained")
    grid = figure.subplots(len(rows), 4, squeeze=False)
    for axes, (title, image, fixations, density, prediction) in zip(grid, rows, strict=True):
        for axis in axes:
            axis.set_axis_off()
        axes[0].imshow(image)
        axes[0].set_title(title, fontsize=9, loc="left")
        axes[1].imshow(image, alpha=0.6)
        axes[1].scatter(fixations.x, fixations.y, s=5, c="crimson", edgecolors="white", linewidths=0.3)
        axes[1].set_title(f"{len(fixations)} fixations", fontsize=9)
        for axis, values, name in zip(axes[2:], (density, prediction), ("density", "prediction"), strict=True):
            axis.imshow(values, cmap=COLOURS)
            axis.set_title(name, fontsize=9)
    figure.savefig(path, dpi=110)


def plot_history(path, history):
    """Draws training and validation curves of the loss and each of its terms.

    Args:
        path: The file to write.
        history: A list with a dictionary for each epoch.
    """
    names = [name for name in history[0] if f"val_{name}" in history[0]]
    figure = Figure(figsize=(3.6 * len(names), 3.2), layout="constrained")
    best = min(history, key=lambda row: row["val_loss"])["epoch"]
    epochs = [row["epoch"] for row in history]
    for axis, name in zip(figure.subplots(1, len(names), squeeze=False)[0], names, strict=True):
        axis.plot(epochs, [row[name] for row in history], ".-", label="training")
        axis.plot(epochs, [row[f"val_{name}"] for row in history], ".-", label="validation")
        axis.axvline(best, color="grey", linewidth=0.8, linestyle=":", label="best epoch")
        axis.set(title=name, xlabel="epoch")
        axis.xaxis.get_major_locator().set_params(integer=True)
        axis.spines[["top", "right"]].set_visible(False)
    axis.legend(frameon=False)
    figure.savefig(path, dpi=110)
