"""Prints the tables of docs/scanpaths.md: what saccades and earlier fixations tell of the next one.

Tables of saccades are fitted on the validation split of OSIE, scores are those of its test split.

Run: python docs/scanpaths.py data/osie
"""

import sys

from keras_saliency.data import load
from keras_saliency.scanpaths import SaccadeModel, Saccades, fit_saccades, read_saccades, score_scanpaths
from keras_saliency.scanpaths.divergences import DIVERGENCES
from keras_saliency.scanpaths.scoring import STEPS
from keras_saliency.scanpaths.similarity import compare_scanpaths
from keras_saliency.writing.progress import make_console

# Rows of the table -> the terms that are fitted; all but `cell` are those that come with the package.
PARTS = {
    "and amplitude and direction of the saccade": ("saccade",),
    "amplitude and direction alone, by the ninth of the image where it begins": ("saccade", "cell"),
    "and fixations before": ("saccade", "before"),
}


def main(osie):
    """Fits what is not there, scores, prints."""
    console = make_console(stderr=True)
    data = load("osie", osie)
    spatial = SaccadeModel("general", Saccades(), "the density of general alone", data)
    fitted = {title: fit_saccades(spatial, data.validation, terms) for title, terms in PARTS.items()}
    fitted["and the turn: `SaccadeModel`"] = read_saccades()
    models = [spatial, *(SaccadeModel(spatial.spatial, found, title) for title, found in fitted.items())]
    scores = score_scanpaths(models, data, progress=lambda done: console.print(f"{done} images"))
    for metric, digits in {"ig": 3, "ig_spatial": 3, "nss": 2, "auc": 3}.items():
        print(f"\n{metric}\n\n| | {' | '.join(STEPS)} |\n|{'---|' * (len(STEPS) + 1)}")
        for name, steps in scores.summary.items():
            print(f"| {name} | {' | '.join(written(steps[step][metric], digits) for step in STEPS)} |")
    print(f"\n{len(scores.table) // scores.table['model'].nunique()} fixations, {scores.left_out} scanpaths of one")
    found = compare_scanpaths([models[0], models[-1]], data, progress=lambda done: console.print(f"{done} compared"))
    last = ["string_edit_distance", *DIVERGENCES]  # lower is more alike
    names = [name for name in next(iter(found.values())) if name not in last] + last
    print(f"\n| | {' | '.join(names)} |\n|{'---|' * (len(names) + 1)}")
    for name, row in found.items():
        print(f"| {name} | {' | '.join(written(row[key], 3, False) for key in names)} |")


def written(value, digits, whole=True):
    """A mean, and its interval."""
    if value["mean"] is None:
        return ""
    low, mean, high = (f"{round(value[key], digits) + 0.0:.{digits}f}" for key in ("low", "mean", "high"))
    return f"{mean} [{low}, {high}]" if whole else mean


if __name__ == "__main__":
    main(sys.argv[1])
