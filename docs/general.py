"""Prints the tables of docs/general.md, from the folder of `scripts/train_general.py`.

`steps`: what each part of the models brings and costs, on validation splits. `left_out`: what is predicted of a data
set by the first network trained on another one, on all but it, and on all, and by the models that come along, on the
test split.

Run: python docs/general.py steps runs/general osie=data/osie scene=data/scene eyevis=data/eyevis
"""

import sys
import time
from pathlib import Path

import keras_saliency as ks
from keras_saliency.data.mixtures import with_few
from keras_saliency.evaluation.sources import ModelSource
from keras_saliency.models import for_recording, mix
from keras_saliency.zoo.general import BUT, FAST, GENERAL, ONLY, SETS

SHOWN = ("explained_information", "ig", "nss", "cc")
COUNTS, DRAWS = (10, 50), 3


def steps(workdir, data):
    """A row for each step from one decoder to the whole model."""
    folder = workdir / GENERAL.name / GENERAL.members[0].name
    network = ks.load(folder).model
    variants = {
        "the decoder of the first network": ks.load(folder / GENERAL.members[0].start.name).model,
        "and all but its first stages": network,
        "at two sizes": mix([network], sizes=GENERAL.sizes),
        "and mirrored": mix([network], sizes=GENERAL.sizes, mirrored=True),
        "a second network, not mirrored: `general`": ks.load(workdir / GENERAL.name).model,
        "`fast`": ks.load(workdir / FAST.name).model,
    }
    for name in ("osie", "scene"):
        report(name, [ModelSource(model, title, data=name) for title, model in variants.items()], data, "validation")
    picture = data["osie"].validation[0].read()
    for title, model in variants.items():
        for _ in range(5):  # until there is a graph
            ks.predict(model, picture)
        began = time.perf_counter()
        for _ in range(5):
            ks.predict(model, picture)
        print(f"{title}: {(time.perf_counter() - began) / 5:.2f} s a picture, {model.count_params():,} parameters")


def left_out(workdir, data):
    """A table for each data set, with a row for each model."""
    for name in SETS:
        sources = [
            ModelSource(for_recording(ks.load(workdir / recipe.name).model, other), f"trained on {other}")
            for other, recipe in ONLY.items()
        ]
        model = ks.load(workdir / BUT[name].name).model
        sources.append(ModelSource(model, f"trained on all but {name}"))
        for count in COUNTS:
            for draw in range(DRAWS):
                if count <= len(data[name].train):
                    adapted = ks.adapt(model, with_few(data[name], count, draw), verbose=False).model
                    sources.append(ModelSource(adapted, f"all but {name}, adapted to {count} images ({draw + 1})"))
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
    {"steps": steps, "left_out": left_out}[what](
        Path(folder), {name: ks.data.load(name, folders[name]) for name in SETS}
    )
