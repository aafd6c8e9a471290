"""Prints the table of docs/adapting.md: a run on a data set that it was not trained on, as it is and adapted.

Run: python docs/adapting.py runs/osie_lite0 scene data/scene
"""

import sys
import time

import keras_saliency as ks
from keras_saliency.data.mixtures import with_few

COUNTS, DRAWS = (10, 50), 3
SHOWN = ("explained_information", "ig", "nss", "cc")


def main(run, name, folder):
    """Adapts, scores on the test split, prints."""
    model, data = ks.load(run).model, ks.data.load(name, folder)
    sources, said = [ks.sources.ModelSource(model, "as it is")], {}
    chosen = [
        (f"{count} images, draw {seed}", with_few(data, count, seed)) for count in COUNTS for seed in range(DRAWS)
    ]
    for title, part in [*chosen, (f"all {len(data.train)} images", data)]:
        began = time.monotonic()
        adaptation = ks.adapt(model, part, verbose=False)
        said[title] = f"{time.monotonic() - began:.0f} s. {adaptation.said} {adaptation.numbers}"
        sources.append(ks.sources.ModelSource(adaptation.model, title))
    for title, row in ks.evaluate(sources, data, verbose=False).summary.items():
        found = (row.get(metric, {}) for metric in SHOWN)
        values = ("{mean:.3f} [{low:.3f}, {high:.3f}]".format_map(each) if each.get("low") else "" for each in found)
        print(f"| {title} | {' | '.join(values)} |")
    for title, sentence in said.items():
        print(f"{title}: {sentence}")


if __name__ == "__main__":
    main(*sys.argv[1:])
