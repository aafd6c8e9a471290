"""Figures: what one would rather look at than read."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from keras_saliency.formulas.types import Photograph, Plane
from keras_saliency.writing.files import whole

COLOURS = "inferno"
# The colours of overlays, and how bright red, green and blue are in them (ITU-R BT.601). In float32: photographs are
# large.
HEAT = np.asarray(255.0 * colormaps[COLOURS](np.arange(256))[:, :3], "float32")
GREY = np.asarray([0.65 * weight for weight in (0.299, 0.587, 0.114)], "float32")


def overlay(image: Photograph, saliency: Plane) -> Photograph:
    """Lays a saliency map in [0, 1] over an image of its size.

    The image is grey and darker beneath, so that all colour in the picture is the map's, on warm photographs, too.
    """
    # From purple on: the black below it would darken what is looked at a little.
    heat = np.minimum(256 * (0.25 + 0.75 * saliency), 255).astype("uint8")
    weight = 0.8 * np.sqrt(saliency)
    grey = (1 - weight) * (image @ GREY)
    made = np.empty_like(image)
    for channel, colours in enumerate(HEAT.T):  # Planes are quicker than pixels of three.
        made[..., channel] = weight * colours[heat] + grey + 0.5  # rounded
    return made


def plot_samples(path: str | Path, rows: Sequence[tuple[str, Photograph, Any, Plane, Plane]]) -> None:
    """Draws a grid: image, fixations, density of the fixations, prediction.

    Args:
        path: The file to write.
        rows: Tuples `(title, image, fixations, density, prediction)`; the last two `(height, width)`.
    """
    figure = Figure(figsize=(12, 0.4 + 2.4 * len(rows)), layout="constrained")
    grid = figure.subplots(len(rows), 4, squeeze=False)
    for axes, (title, image, fixations, density, prediction) in zip(grid, rows, strict=True):
        for axis in axes:
            axis.set(xticks=[], yticks=[])  # which would be laid out, though they are not shown
            axis.set_axis_off()
        axes[0].imshow(image)
        axes[0].set_title(title, fontsize=9, loc="left")
        axes[1].imshow(image, alpha=0.6)
        axes[1].scatter(fixations.x, fixations.y, s=5, c="crimson", edgecolors="white", linewidths=0.3)
        axes[1].set_title(f"{len(fixations)} fixations", fontsize=9)
        for axis, values, name in zip(axes[2:], (density, prediction), ("density", "prediction"), strict=True):
            axis.imshow(values, cmap=COLOURS)
            axis.set_title(name, fontsize=9)
    save(figure, path)


def save(figure: Figure, path: str | Path) -> None:
    """Writes a figure as PNG."""
    with whole(path) as part:
        # What `savefig` writes, without its first drawing, whose results nothing here asks for.
        figure.set_dpi(110)
        FigureCanvasAgg(figure).print_png(part)


def tidy(axis: Axes) -> None:
    """Takes away the lines at the top and on the right."""
    axis.spines[["top", "right"]].set_visible(False)


def plot_history(path: str | Path, history: Sequence[Mapping[str, float]]) -> None:
    """Draws training and validation curves of the loss and, after it, of each of its terms.

    Args:
        path: The file to write.
        history: A list with a dictionary for each epoch.
    """
    names = sorted((name for name in history[0] if f"val_{name}" in history[0]), key=lambda name: name != "loss")
    figure = Figure(figsize=(3.6 * len(names), 3.2), layout="constrained")
    best = min(history, key=lambda row: row["val_loss"])["epoch"]
    epochs = [row["epoch"] for row in history]
    for axis, name in zip(figure.subplots(1, len(names), squeeze=False)[0], names, strict=True):
        axis.plot(epochs, [row[name] for row in history], ".-", label="training")
        axis.plot(epochs, [row[f"val_{name}"] for row in history], ".-", label="validation")
        axis.axvline(best, color="grey", linewidth=0.8, linestyle=":", label="best epoch")
        axis.set(title=name, xlabel="epoch")
        axis.set_xlim(0.5, max(epochs) + 0.5)
        axis.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        tidy(axis)
    axis.legend(frameon=False)
    save(figure, path)


def plot_distributions(path: str | Path, columns: Mapping[str, Mapping[str, np.ndarray]]) -> None:
    """Draws the values of every image for each metric, a violin for each row.

    Args:
        path: The file to write.
        columns: From the heading of a metric to a dictionary from row to values, one for each image.
    """
    rows = max(map(len, columns.values()))
    wide = min(4, len(columns))
    high = -(-len(columns) // wide)
    figure = Figure(figsize=(3.4 * wide, high * (1.0 + 0.32 * rows)), layout="constrained")
    axes = figure.subplots(high, wide, squeeze=False).ravel()
    for axis in axes[len(columns) :]:
        axis.set_axis_off()
    for axis, (heading, values) in zip(axes, columns.items(), strict=False):
        places = np.arange(len(values))[::-1]
        violins = axis.violinplot(
            list(values.values()), places, orientation="horizontal", widths=0.85, showextrema=False
        )
        for body, place, own in zip(violins["bodies"], places, values.values(), strict=True):
            body.set(facecolor=f"C{(len(values) - 1 - place) % 10}", alpha=0.5)
            axis.plot([np.median(own)], [place], "|", color="black", markersize=9)
        axis.set_yticks(places, list(values), fontsize=8)
        axis.set_title(heading, fontsize=10)
        tidy(axis)
    figure.suptitle("All images; the bar is the median", fontsize=9, x=0.01, ha="left")
    save(figure, path)


def plot_roc(path: str | Path, false_positives: np.ndarray, curves: Mapping[str, np.ndarray]) -> None:
    """Draws mean ROC curves.

    Args:
        path: The file to write.
        false_positives: The share of pixels called salient.
        curves: From the title of a row, its AUC included, to the share of fixations found.
    """
    figure = Figure(figsize=(5.6, 4.2), layout="constrained")
    axis = figure.subplots()
    for title, curve in curves.items():
        axis.plot(false_positives, curve, label=title, linewidth=1.4)
    axis.set(xlabel="share of pixels called salient", ylabel="share of fixations found", xlim=(0, 1), ylim=(0, 1.005))
    axis.legend(frameon=False, fontsize=8, loc="lower right")
    tidy(axis)
    save(figure, path)


def plot_correlation(path: str | Path, names: Sequence[str], correlations: np.ndarray, title: str) -> None:
    """Draws a matrix of correlations between metrics.

    Args:
        path: The file to write.
        names: The headings of the metrics.
        correlations: `(metrics, metrics)` in [-1, 1].
        title: What the figure says above.
    """
    side = 1.8 + 0.55 * len(names)
    figure = Figure(figsize=(side + 0.8, side), layout="constrained")
    axis = figure.subplots()
    image = axis.imshow(correlations, cmap="RdBu_r", vmin=-1, vmax=1)
    axis.set_xticks(range(len(names)), names, rotation=45, ha="right", fontsize=8)
    axis.set_yticks(range(len(names)), names, fontsize=8)
    for (row, column), value in np.ndenumerate(correlations):
        colour = "white" if abs(value) > 0.6 else "black"
        axis.text(column, row, f"{value:.2f}", ha="center", va="center", color=colour, fontsize=7)
    axis.spines[:].set_visible(False)
    axis.set_title(title, fontsize=9)
    figure.colorbar(image, shrink=0.7)
    save(figure, path)
