"""Prints the tables of docs/general.md, from the folder of `scripts/train_general.py`.

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
from keras_saliency.models import for_recording, mix
from keras_saliency.models.recording import network_of, require_recording_head
from keras_saliency.models.sizes import require_shown
from keras_saliency.zoo.general import BUT, FAST, GENERAL, ONLY, SETS

SHOWN = ("explained_information", "ig", "nss", "cc")
COUNTS, DRAWS = (10, 50), 3
TIMES = 6


class Heads:
    """A network of which several heads are scored: each picture goes through it once."""

    def __init__(self, model):
        self.network, self.shown, self.kept = network_of(model), require_shown(model), (None, None)

    def maps(self, sample):
        """What it gives for the windows of a picture."""
        if self.kept[0] != sample.name:
            seen = showing.show(sample.read(), self.shown).numpy()
            self.kept = sample.name, np.concatenate([self.network.predict_on_batch(each[None]) for each in seen])
        return self.kept[1]

    def source(self, model, name):
        """One of the heads, as `evaluate` takes it."""
        source = ModelSource(model, name)
        head = require_recording_head(model)

        def predictions(samples):
            for sample in samples:
                maps = np.asarray(head(self.maps(sample)))
                yield Prediction(showing.put_back(maps, sample.size, self.shown).numpy()[..., 0], True, False)

        source.predictions = predictions
        return source


def variants(workdir):
    """From one decoder to the whole models, step by step."""
    folder = workdir / GENERAL.name / GENERAL.members[0].name
    network = ks.load(folder).model
    return {
        "the decoder of the first network": ks.load(folder / GENERAL.members[0].start.name).model,
        "and all but its first stages": network,
        "at two sizes": mix([network], sizes=GENERAL.sizes),
        "and mirrored": mix([network], sizes=GENERAL.sizes, mirrored=True),
        "a second network, not mirrored: `general`": ks.load(workdir / GENERAL.name).model,
        "`fast`": ks.load(workdir / FAST.name).model,
    }


def steps(workdir, data):
    """Two tables with a row for each step."""
    models = variants(workdir)
    for name in ("osie", "scene"):
        report(name, [ModelSource(model, title, data=name) for title, model in models.items()], data, "validation")


def costs(workdir, data):
    """A line for each step: seconds for a photograph once there is a graph, and parameters."""
    picture = data["osie"].validation[0].read()
    for title, model in variants(workdir).items():
        for _ in range(TIMES):  # until there is a graph
            ks.predict(model, picture)
        began = time.perf_counter()
        for _ in range(TIMES):
            ks.predict(model, picture)
        print(f"{title}: {(time.perf_counter() - began) / TIMES:.2f} s, {model.count_params():,} parameters")


def left_out(workdir, data):
    """A table for each data set, with a row for each model."""
    for name in SETS:
        sources = [
            ModelSource(for_recording(ks.load(workdir / recipe.name).model, other), f"trained on {other}")
            for other, recipe in ONLY.items()
        ]
        model = ks.load(workdir / BUT[name].name).model
        heads = Heads(model)
        sources.append(heads.source(model, f"trained on all but {name}"))
        for count in COUNTS:
            for draw in range(DRAWS):
                if count <= len(data[name].train):
                    adapted = ks.adapt(model, with_few(data[name], count, draw), verbose=False).model
                    sources.append(heads.source(adapted, f"all but {name}, adapted to {count} images ({draw + 1})"))
        for model in (ks.load(workdir / recipe.name).model for recipe in (GENERAL, FAST)):
            sources.append(ModelSource(model, f"`{model.name}`", data=name))
        report(name, sources, data, "test")


def report(name, sources, data, split):
    """Scores and prints."""
    print(f"\n{name}, {split}\n\n| | {' | '.join(SHOWN)} |")
    for title, row in ks.evaluate(sources, data[name], split=split, verbose=False).summary.items():
        found = (row.get(metric, {}) for metric in SHOWN)
        values = ("{mean:.3f} [{low:.3f}, {high:.3f}]".format_map(each) if each.get("low") else "" for each in found)
        print(f"| {title} | {' | '.join(values)} |", flush=True)


if __name__ == "__main__":
    what, folder, *places = sys.argv[1:]
    folders = dict(place.split("=") for place in places)
    loaded = {name: ks.data.load(name, folders[name]) for name in SETS}
    {"steps": steps, "costs": costs, "left_out": left_out}[what](Path(folder), loaded)
