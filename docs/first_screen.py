"""Draws the first picture of README: a photograph of OSIE, who looked where, and what a network predicts.

Trains `osie_lite0`; a finished run is not trained again. The photograph is of the test split, from OSIE (Xu et al.
2014, MIT licence).

Run: python docs/first_screen.py DIR, the folder of OSIE (5 minutes on 2 CPU cores)
"""

import sys
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

import keras_saliency as ks
from keras_saliency.reporting.plotting import COLOURS, overlay

DOCS = Path(__file__).parent
PHOTOGRAPH = "1064.jpg"


def draw(tiles):
    """Draws a row of titled pictures."""
    figure = Figure(figsize=(12, 0.3 + 9 / len(tiles)), layout="constrained")
    for axis, (title, image, fixations) in zip(figure.subplots(1, len(tiles)), tiles, strict=True):
        axis.imshow(image, cmap=COLOURS)
        if fixations is not None:
            axis.scatter(fixations.x, fixations.y, s=7, c="crimson", edgecolors="white", linewidths=0.4)
        axis.set_title(title, fontsize=10)
        axis.set_axis_off()
    figure.savefig(DOCS / "prediction.png", dpi=100, bbox_inches="tight", pad_inches=0.05)


def main(folder):
    """Trains what is missing and draws."""
    osie = ks.data.load("osie", folder)
    sample = next(sample for sample in osie.test if sample.name == PHOTOGRAPH)
    photograph = sample.read()
    log_density = ks.predict(ks.train("osie_lite0", data={"osie": osie}), photograph)
    predicted = np.exp(log_density - log_density.max())
    tiles = [
        ("photograph", photograph, None),
        (f"{len(sample.fixations)} fixations of 15 people", photograph, sample.fixations),
        ("predicted density", predicted, None),
        ("overlay", overlay(photograph, predicted), None),
    ]
    draw(tiles)


if __name__ == "__main__":
    main(sys.argv[1])
