"""Prints the tables of docs/general.md, from the folder of `scripts/train_general.py` and the models that come along.

`steps`: what each part of the models brings, on validation splits. `costs`: how long a photograph takes. `left_out`:
what is predicted of a data set by the first network trained on another one, on all but it, and on it alone, and by the
models that come along, on the test split.

Run: python docs/general.py steps runs/general osie=data/osie scene=data/scene eyevis=data/eyevis
"""

import sys
import time
from pathlib import Path

import numpy as np

import keras_saliency as ks
from keras_saliency.data import showing
from keras_saliency.data.mixtures import with_few
from keras_saliency.evaluation.map_files import Prediction
from keras_saliency.evaluation.sources import ModelSource
from keras_saliency.models import SHIPPED, for_recording, mix
from keras_saliency.models.calling import outputs
from keras_saliency.models.recording import network_of, require_recording_head, with_recording_head
from keras_saliency.models.shipped import read
from keras_saliency.models.sizes import require_shown
from keras_saliency.training.calibrating import calibrate
from keras_saliency.zoo.general import BUT, GENERAL, ONLY, SETS

SHOWN = ("explained_information", "ig", "nss", "cc")
COUNTS, DRAWS = (10, 50), 3
TIMES = 10


class SharedNetwork:
    """A network whose heads are scored in turn: each picture goes through it once."""

    def __init__(self, model):
        self.network, self.shown, self.kept = network_of(model), require_shown(model), (None, None)

    def maps(self, sample):
        """What it gives for the windows of a picture."""
        if self.kept[0] != sample.name:
            seen = showing.show(sample.read(), self.shown).numpy()
            self.kept = sample.name, np.concatenate([np.asarray(outputs(self.network, each[None])) for each in seen])
        return self.kept[1]


class HeadSource:
    """One of these heads, that of a model, as `evaluate` takes it."""

    def __init__(self, network, model, name):
        self.name, self.network, self.head = name, network, require_recording_head(model)

    def predictions(self, samples):
        """Yields a `Prediction` for each sample."""
        for sample in samples:
            maps = np.asarray(self.head(self.network.maps(sample)))
            native = showing.put_back(maps, sample.size, self.network.shown)
            yield Prediction(native.numpy()[..., 0], True, False)


def variants(workdir):
    """From one decoder to the whole models, step by step."""
    member = GENERAL.members[0]
    decoder = ks.load(workdir / GENERAL.name / member.name / member.start.name).model
    network = ks.create_model(**read("general").config["members"][0], weights="general")
    network = with_recording_head(network, read("general").config["recordings"])
    return {
        "the decoder of the first network": decoder,
        "and all but its first stages": mix([network]),
        "at two sizes": mix([network], sizes=GENERAL.sizes),
        "and mirrored": mix([network], sizes=GENERAL.sizes, mirrored=True),
        "a second network, not mirrored: `general`": ks.load("general").model,
        "`fast`": ks.load("fast").model,
    }


def steps(workdir, data):
    """Two tables with a row for each step; the heads are fitted alike, as those of the models that come along are."""
    fitted, models = {name: data[name] for name in ("osie", "scene")}, variants(workdir)
    for title, model in models.items():
        print(title, calibrate(model, fitted, []), file=sys.stderr, flush=True)
    for name in fitted:
        report(name, [ModelSource(model, title, data=name) for title, model in models.items()], data, "validation")


def costs(workdir, data):
    """A line for each step: seconds for a photograph once there is a graph, the median, and parameters."""
    picture = data["osie"].validation[0].read()
    for title, model in variants(workdir).items():
        took = []
        for _ in range(2 * TIMES):
            began = time.perf_counter()
            ks.predict(model, picture)
            took.append(time.perf_counter() - began)
        # The first ones may have been without a graph.
        print(f"{title}: {np.median(took[TIMES:]):.3f} s, {model.count_params():,} parameters")


def left_out(workdir, data):
    """A table for each data set, with a row for each model."""
    alone = {other: ks.load(workdir / recipe.name).model for other, recipe in ONLY.items()}
    whole = {name: ks.load(name).model for name in SHIPPED}
    for name in SETS:
        sources = [ModelSource(for_recording(alone[other], other), f"trained on {other}") for other in alone]
        model = ks.load(workdir / BUT[name].name).model
        network = SharedNetwork(model)
        sources.append(HeadSource(network, model, f"trained on all but {name}"))
        for count in COUNTS:
            for draw in range(DRAWS if count <= len(data[name].train) else 0):
                adaptation = ks.adapt(model, with_few(data[name], count, draw), verbose=False)
                title = f"all but {name}, adapted to {count} images ({draw + 1})"
                print(f"{title}: {adaptation.said} {adaptation.numbers}", file=sys.stderr, flush=True)
                sources.append(HeadSource(network, adaptation.model, title))
        sources += [ModelSource(model, f"`{title}`", data=name) for title, model in whole.items()]
        report(name, sources, data, "test")


def report(name, sources, data, split):
    """Scores and prints."""
    print(f"\n{name}, {split}\n\n| | {' | '.join(SHOWN)} |")
    for title, row in ks.evaluate(sources, data[name], split=split, verbose=False).summary.items():
        found = (row.get(metric, {}) for metric in SHOWN)
        print(f"| {title} | {' | '.join(map(written, found))} |", flush=True)


def written(value):
    """A mean with its interval; nothing where it is not known."""
    if value.get("low") is None:
        return ""
    return "{mean:.3f} [{low:.3f}, {high:.3f}]".format_map(value)


if __name__ == "__main__":
    what, folder, *places = sys.argv[1:]
    folders = dict(place.split("=") for place in places)
    loaded = {name: ks.data.load(name, folders[name]) for name in SETS}
    {"steps": steps, "costs": costs, "left_out": left_out}[what](Path(folder), loaded)
