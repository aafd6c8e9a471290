"""Prints two tables of docs/general.md: what other trainings of the first network of `general` come to.

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
EARLY = ("stem*", "stage1_*", "stage2_*", "stage3_*")  # not trained here either
# From the name of a training to what is changed.
SHORT = {"epochs": 4}
CHANGED = {"augment": {"crop": 0.3, "colour": 0.2}, "frozen_to": None, "freeze": (*EARLY, *FIRST.freeze)}
TRIES = {"short": SHORT, "seed": {**SHORT, "seed": 1}, "augmented": {**SHORT, **CHANGED}}


def main(workdir, *places):
    """Trains what is not there yet, scores, prints."""
    console = make_console()
    where = dict(place.split("=") for place in places)
    sets = {name: open_data({name: where[outer]}, console.print) for outer in SETS for name in SETS[outer]}
    features = Features(workdir / "features", sets, console)
    began, tries = workdir / GENERAL.name / FIRST.name, {name: workdir / "tries" / name for name in TRIES}
    train(FIRST, sets, began, features, console)
    for name, folder in tries.items():
        other = dataclasses.replace(FIRST, **TRIES[name])
        folder.mkdir(parents=True, exist_ok=True)
        claim_workdir(folder, other)
        if not (folder / FIRST.start.name).is_dir():
            shutil.copytree(began / FIRST.start.name, folder / FIRST.start.name)
        train(other, sets, folder, features, console)

    def of(*folders):
        return mix([ks.load(folder).model for folder in folders])

    pair = tries["short"], tries["seed"]
    averaged, both = of(pair[0]), [of(folder).get_weights() for folder in pair]
    averaged.set_weights([np.mean(each, 0) for each in zip(*both, strict=True)])
    models = {
        "as it is, eight epochs": of(began),
        "four epochs": of(tries["short"]),
        "four with another seed": of(tries["seed"]),
        "the mean weights of both": averaged,
        "the mean log-density of both": of(*pair),
        "four with crops and colours": of(tries["augmented"]),
    }
    for name in ("osie", "scene"):
        report(name, [ModelSource(model, title, data=name) for title, model in models.items()], sets, "validation")


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
