"""Scanpaths that a model draws for photographs, as figures and tables."""

from collections.abc import Callable, Iterable
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from keras_saliency.data import image_files
from keras_saliency.formulas.types import Photograph
from keras_saliency.reporting import plotting
from keras_saliency.scanpaths.models import OnPhotographs
from keras_saliency.scanpaths.sampling import sample_scanpaths
from keras_saliency.serving.photographs import SCANPATHS, find_images, is_complete, plan
from keras_saliency.serving.prediction import Predicted
from keras_saliency.writing.files import whole

LONGER = 10.0  # inches of the longer side of a figure
COLOURS = [f"C{i}" for i in range(10) if i != 7]  # which is grey, as the photograph is
LARGEST = 1024  # pixels of the longer side at which a photograph is looked at: tables are of all offsets in it


def draw_scanpaths(
    model: OnPhotographs,
    images: str | Path | Iterable[str | Path],
    out: str | Path,
    n: int = 10,
    length: int = 8,
    seed: int = 0,
    existing: str = "error",
    pixels_per_degree: float | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Predicted:
    """Draws scanpaths for photographs: `NAME_scanpaths.png`, and their fixations in `NAME_scanpaths.csv`.

    Args:
        model: The model.
        images: A photograph, a folder of them, searched deeply, or a list of these.
        out: The folder.
        n: How many scanpaths for each.
        length: How many fixations each, of which the first is in the middle.
        seed: Equal seeds give equal scanpaths.
        existing: As in `predict`.
        pixels_per_degree: As in `predict`.
        progress: Called with the number of photographs that are done and of all.

    Returns:
        The tables, and what was skipped: a line for each photograph that cannot be read, or seen by the model.

    Raises:
        FileNotFoundError: If there is no such photograph.
        FileExistsError: If a file is there, unless told otherwise; nothing has been written then.
        ValueError: If `n` or `length` is less than one.
    """
    if n < 1 or length < 1:
        raise ValueError(f"At least one scanpath of one fixation can be drawn. Received: n={n}, length={length}.")
    listed = [images] if isinstance(images, str | Path) else images
    planned, written, skipped = plan(find_images(listed), Path(out), SCANPATHS[::-1], existing), [], []
    for done, (path, (table, figure)) in enumerate(planned):
        progress(done, len(planned))
        if existing != "resume" or not is_complete(path, (table, figure)):
            try:
                image = image_files.read(path, path)
            except image_files.ImageError as error:
                skipped.append(str(error))
                continue
            shrunk = min(1.0, LARGEST / max(image.shape))
            size = [max(1, round(side * shrunk)) for side in image.shape[1::-1]]
            small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
            degrees = pixels_per_degree and pixels_per_degree * shrunk
            try:
                paths = sample_scanpaths(model.on(small, degrees), n, length, seed)
            except ValueError as error:  # of a size that the model cannot see
                skipped.append(f"{path}: {error}")
                continue
            table.parent.mkdir(parents=True, exist_ok=True)
            plot_scanpaths(figure, small, paths)
            write_scanpaths(table, paths * (np.array(image.shape[1::-1]) / small.shape[1::-1]))
        written.append(table)
    progress(len(planned), len(planned))
    return Predicted(written, skipped)


def write_scanpaths(path: str | Path, paths: np.ndarray) -> None:
    """Writes scanpaths `(n, length, 2)` as a table: `scanpath`, `fixation`, both from one, `x` and `y` in pixels."""
    number, fixation = np.indices(paths.shape[:2]) + 1
    columns = (number.ravel(), fixation.ravel(), *(np.floor(paths.reshape(-1, 2) * 10) / 10).T)
    with whole(path) as part:
        pd.DataFrame(dict(zip(("scanpath", "fixation", "x", "y"), columns, strict=True))).to_csv(part, index=False)


def plot_scanpaths(path: str | Path, image: Photograph, paths: np.ndarray) -> None:
    """Draws scanpaths `(n, length, 2)` over a photograph, each in a colour, its fixations numbered."""
    height, width = image.shape[:2]
    figure = Figure(figsize=(LONGER * width / max(height, width), LONGER * height / max(height, width)))
    axis = figure.add_axes((0, 0, 1, 1))
    axis.set_axis_off()
    axis.imshow(image @ plotting.GREY, cmap="gray", vmin=0, vmax=255, extent=(0, width, height, 0))
    for number, scanpath in enumerate(paths):
        colour = COLOURS[number % len(COLOURS)]
        axis.plot(*scanpath.T, color=colour, linewidth=1.5, alpha=0.8)
        axis.scatter(
            scanpath[1:, 0], scanpath[1:, 1], s=110, color=colour, edgecolors="white", linewidths=0.8, zorder=3
        )
        for i, place in enumerate(scanpath[1:], 2):
            axis.annotate(str(i), place, ha="center", va="center", fontsize=7, color="white", zorder=4)
    axis.scatter(paths[:1, 0, 0], paths[:1, 0, 1], s=160, color="white", edgecolors="black", linewidths=0.8, zorder=5)
    axis.annotate("1", paths[0, 0], ha="center", va="center", fontsize=8, color="black", zorder=6)
    axis.set(xlim=(0, width), ylim=(height, 0))
    plotting.save(figure, path)
