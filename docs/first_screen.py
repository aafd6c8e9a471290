"""Draws the pictures of README: a photograph of OSIE, who looked where, and what networks predict.

Trains `osie_lite0`, and its decoder at 240x320 with each of four losses; finished runs are not trained again. The
photograph is of the test split, from OSIE (Xu et al. 2014, MIT licence).

Run: python docs/first_screen.py DIR, the folder of OSIE (20 minutes on 2 CPU cores)
"""

import sys
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

import keras_saliency as ks
from keras_saliency.reporting.plotting import COLOURS, overlay

DOCS = Path(__file__).parent
PHOTOGRAPH = "1064.jpg"
LOSSES = {
    "mse": {"mse": 1.0},
    "kld": {"kld": 1.0},
    "nss": {"nss": 1.0},
    "nll + cc": {"nll": 1.0, "cc": 1.0},
}


def draw(path, tiles, width):
    """Draws a row of titled pictures."""
    figure = Figure(figsize=(width, 0.3 + 0.75 * width / len(tiles)), layout="constrained")
    for axis, (title, image, fixations) in zip(figure.subplots(1, len(tiles)), tiles, strict=True):
        axis.imshow(image, cmap=COLOURS)
        if fixations is not None:
            axis.scatter(fixations.x, fixations.y, s=7, c="crimson", edgecolors="white", linewidths=0.4)
        axis.set_title(title, fontsize=10)
        axis.set_axis_off()
    figure.savefig(path, dpi=100, bbox_inches="tight", pad_inches=0.05)


def main(folder):
    """Trains what is missing and draws both pictures."""
    osie = ks.data.load("osie", folder)
    sample = next(sample for sample in osie.test if sample.name == PHOTOGRAPH)
    photograph = sample.read()

    def saliency(run):
        log_density = ks.predict(run, photograph)
        return np.exp(log_density - log_density.max())

    predicted = saliency(ks.train("osie_lite0", data={"osie": osie}))
    tiles = [
        ("photograph", photograph, None),
        (f"{len(sample.fixations)} fixations of 15 people", photograph, sample.fixations),
        ("predicted density", predicted, None),
        ("overlay", overlay(photograph, predicted), None),
    ]
    draw(DOCS / "prediction.png", tiles, 12)
    tiles = []
    for title, loss in LOSSES.items():
        workdir = Path("runs") / f"first_screen_{title.replace(' + ', '_')}"
        run = ks.train("osie_lite0", data={"osie": osie}, workdir=workdir, size=(240, 320), epochs=8, loss=loss)
        nss, gain = (run.scores[name]["mean"] for name in ("nss", "ig"))
        tiles.append((f"{title}: NSS {nss:.2f}, IG {gain:.2f} bit", saliency(run), None))
    draw(DOCS / "four_losses.png", tiles, 12)


if __name__ == "__main__":
    main(sys.argv[1])
