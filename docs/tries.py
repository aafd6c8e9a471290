"""Prints tables of docs/general.md: what a second training of the first network of `general` comes to, and both.

Each starts from the same decoder. The folder is that of `scripts/train_general.py`, where trainings that are finished
are not done again. Scores are of validation splits, at one size, with heads as they were trained.

Run: python docs/tries.py runs/general osie=data/osie scene=data/scene eyevis=data/eyevis
"""

import dataclasses
import shutil
import sys
from pathlib import Path

import numpy as np
from general import report

import keras_saliency as ks
from keras_saliency.data import open_data
from keras_saliency.evaluation.sources import ModelSource
from keras_saliency.models import mix
from keras_saliency.training.workdir import claim_workdir
from keras_saliency.writing.progress import make_console
from keras_saliency.zoo.general import GENERAL, SETS

sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))
from boxing.trainings import Features, train

FIRST = GENERAL.members[0]


def main(workdir, *places):
    """Trains what is not there yet, scores, prints."""
    console = make_console()
    where = dict(place.split("=") for place in places)
    sets = {name: open_data({name: where[outer]}, console.print) for outer in SETS for name in SETS[outer]}
    features = Features(workdir / "features", sets, console)
    began, again = workdir / GENERAL.name / FIRST.name, workdir / "tries" / "seed"
    train(FIRST, sets, began, features, console)
    second = dataclasses.replace(FIRST, seed=1)
    again.mkdir(parents=True, exist_ok=True)
    claim_workdir(again, second)
    if not (again / FIRST.start.name).is_dir():
        shutil.copytree(began / FIRST.start.name, again / FIRST.start.name)
    train(second, sets, again, features, console)

    def of(*folders):
        return mix([ks.load(folder).model for folder in folders])

    averaged, both = of(began), [of(folder).get_weights() for folder in (began, again)]
    averaged.set_weights([np.mean(pair, 0) for pair in zip(*both, strict=True)])
    models = {
        "as it is": of(began),
        "with another seed": of(again),
        "with the mean weights of both": averaged,
        "with the mean log-density of both": of(began, again),
    }
    for name in ("osie", "scene"):
        report(name, [ModelSource(model, title, data=name) for title, model in models.items()], sets, "validation")


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
