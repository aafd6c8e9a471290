"""Draws docs/quest/maps.png: one photograph of OSIE's test split under every loss, with the first network and seed 0.

The cells are trained again, half a minute to a minute each on one core; what is there already is not.

Run: python docs/quest/maps.py data/osie
"""

import sys

import numpy as np
import outcome
from matplotlib.figure import Figure

import keras_saliency as ks
from keras_saliency.data.samples import fixation_density
from keras_saliency.formulas.array_map import exponential
from keras_saliency.quest.cell import train_stages
from keras_saliency.quest.shared_features import SharedFeatures
from keras_saliency.reporting.plotting import COLOURS
from keras_saliency.writing.progress import make_console

MODEL, DATA = outcome.SETTINGS[0]
NUMBER = 4  # of the photograph
RUNS = outcome.FOLDER.parents[1] / "runs" / "quest" / "maps"
FEATURES = SharedFeatures(RUNS / "features")


def log_density(cell, data, sample):
    """What the network of a cell predicts."""
    file = RUNS / f"{cell.key}-{NUMBER}.npy"
    if not file.is_file():
        model = train_stages(cell.recipe, data, RUNS / cell.key, FEATURES, make_console(verbose=False)).model
        np.save(file, ks.predict(model, sample.image))
    return np.load(file)


def main(folder):
    """Trains and draws."""
    data = ks.data.load(DATA, folder)
    sample = data.test[NUMBER]
    finals = {
        c.loss: c for c in outcome.STUDY.finals(outcome.RESULTS) if (c.model, c.data, c.recipe.seed) == (MODEL, DATA, 0)
    }
    panels = {"": sample.read(), "fixations, blurred": fixation_density(sample)}
    for loss in outcome.COMPARED:
        if loss in finals:
            panels[loss] = exponential(log_density(finals[loss], data, sample))
            print(loss, flush=True)
    figure = Figure(figsize=(14, 12.4))
    for axis, (title, panel) in zip(figure.subplots(7, 7).flat, panels.items(), strict=False):
        axis.imshow(panel, cmap=COLOURS)
        axis.set_title(title, fontsize=8)
    for axis in figure.axes:
        axis.axis("off")
    figure.tight_layout(pad=0.4)
    figure.savefig(outcome.FOLDER / "maps.png", dpi=80, facecolor="white")


if __name__ == "__main__":
    main(sys.argv[1])
