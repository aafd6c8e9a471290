"""Trains one network once with each loss and compares the scores on the validation split.

The network is the decoder of the recipe `osie_lite0` on the features of its frozen backbone, computed once. Initial
weights, order of batches, optimizer and schedule are the same for every loss. So is the learning rate: the steps of
AdamW do not depend on the scale of a loss, but for its epsilon and the penalty on the learned prior. The last epoch is
scored, not the best: the rate has decayed to zero by then. No sample of the test split is used. IG is over the centre
bias of the training fixations. Not in the default list: `ig` (the gradient of `nll`), `softmax_l1` (twice
`total_variation`), and the perceptual losses, whose VGG16 is many times slower than all the rest.
"""

import dataclasses
import itertools
import json
import sys
import tempfile
from pathlib import Path
from typing import Annotated

import keras
import numpy as np
import rich.table
import typer
from rich.text import Text

from keras_saliency import baselines, data, metrics
from keras_saliency.losses import LOSSES, PRESETS, combo
from keras_saliency.training.build import build
from keras_saliency.training.features import FeatureCache
from keras_saliency.writing.progress import Progress, make_console
from keras_saliency.zoo import RECIPES

METRICS = {name: metrics.METRICS[name] for name in ("nss", "auc", "cc", "sim", "kld", "ig")}
PERCEPTUAL = ("deep_features", "gram")
COMBINED = ["nll + cc", "kld + cc", "10 kld + 2 cc + nss", "kld + 0.1 cc + 0.1 nss", "mse + kld + cc"]
DEFAULT = [name for name in LOSSES if name not in ("ig", "softmax_l1", *PERCEPTUAL)] + COMBINED


def make_loss(text):
    """The loss of a name or formula, perceptual terms with the weights `hed`."""
    losses = []
    for term in PRESETS.get(text, text).split("+"):
        factor, _, name = term.strip().rpartition(" ")
        if name in PERCEPTUAL:
            losses.append(float(factor.rstrip("* ") or 1) * LOSSES[name](weights="hed", from_logits=True))
        else:
            losses.append(combo(term, from_logits=True))
    return combo(*losses)


def train_and_score(recipe, data_set, text, caches, advance):
    """Trains a decoder on cached features and scores it on validation; calls `advance` after each epoch."""
    keras.backend.clear_session()
    loss = make_loss(text)
    decoder = build(recipe, data_set)[1]
    decoder.compile(decoder.optimizer, loss=loss)
    for epoch in range(recipe.epochs):
        order = {"flip": recipe.flip, "shuffle": True, "seed": recipe.seed, "epoch": epoch}
        batches = data_set.train.pipeline(recipe.size, recipe.batch, features=caches["train"], **order)
        decoder.fit(batches, shuffle=False, verbose=0)
        advance()
    options = {"ig": {"baseline": baselines.CentreBias(data_set.train, data_set.validation).density}}
    decoder.compile(metrics=[metric(from_logits=True, **options.get(m, {})) for m, metric in METRICS.items()])
    batches = data_set.validation.pipeline(recipe.size, recipe.batch, features=caches["validation"])
    scores = decoder.evaluate(batches, verbose=0, return_dict=True)
    return {m: scores[m] for m in METRICS}


def tables(runs):
    """The scores, best IG first, as a Rich table and in Markdown: means over seeds, the best of a column in bold."""
    names = sorted({run["loss"] for run in runs})
    scores = [np.array([[run[m] for m in METRICS] for run in runs if run["loss"] == name]) for name in names]
    means = np.array([values.mean(0) for values in scores])
    signed = means * [1 if metric.higher_is_better else -1 for metric in METRICS.values()]
    bold = np.round(signed, 3) == np.round(np.nanmax(signed, 0), 3)
    lines = [["loss", *(m.upper() for m in METRICS)], ["---"] * (len(METRICS) + 1)]
    rich_table = rich.table.Table(*lines[0])
    for i in np.argsort(-signed[:, list(METRICS).index("ig")]):
        spread = [f" ± {s:.3f}" for s in scores[i].std(0, ddof=1)] if len(scores[i]) > 1 else [""] * len(METRICS)
        cells = [f"{mean:.3f}{s}" for mean, s in zip(means[i], spread, strict=True)]
        rich_table.add_row(names[i], *(Text(c, "bold" if b else "") for c, b in zip(cells, bold[i], strict=True)))
        lines.append([f"`{names[i]}`", *(f"**{c}**" if b else c for c, b in zip(cells, bold[i], strict=True))])
    return rich_table, "\n".join(f"| {' | '.join(line)} |" for line in lines)


def compare(
    where: Annotated[str, typer.Option("--data", help="The data set, NAME=DIR, such as osie=data/osie.")],
    losses: Annotated[list[str], typer.Option(help="A loss, preset or formula; may be repeated.")] = DEFAULT,
    size: Annotated[tuple[int, int], typer.Option(help="Height and width, in the images' proportions.")] = (240, 320),
    epochs: Annotated[int, typer.Option(min=1, help="Passes over the training split.")] = 8,
    seed: Annotated[list[int], typer.Option(help="May be repeated; the table has mean ± standard deviation.")] = (0,),
    file: Annotated[Path | None, typer.Option("--json", help="Where to write the scores of each run.")] = None,
):
    """Train osie_lite0 once with each loss, and compare the scores on the validation split.

    Example: python scripts/compare_losses.py --data osie=data/osie --losses kld --losses "nll + cc" --seed 0 --seed 1
    """
    name, _, folder = where.partition("=")
    recipe = dataclasses.replace(RECIPES["osie_lite0"], data=name, size=size, epochs=epochs)
    for text in losses:
        make_loss(text)  # A mistake in the last one should not be found an hour later.
    data_set, caches, runs = data.load(name, folder or None), {}, []
    console = make_console()
    with tempfile.TemporaryDirectory() as scratch, Progress(console) as bars:
        backbone = build(recipe, data_set)[0].get_layer("backbone")
        for part in bars.track(("train", "validation"), description="features"):
            caches[part] = FeatureCache(Path(scratch) / part, backbone, getattr(data_set, part), size, part == "train")
        task = bars.add_task("epochs", total=len(losses) * len(seed) * epochs)
        for text, number in itertools.product(losses, seed):
            seeded = dataclasses.replace(recipe, seed=number)
            scores = train_and_score(seeded, data_set, text, caches, lambda: bars.advance(task))
            runs.append({"loss": text, "seed": number, **scores})
            console.print(", ".join(f"{m} {value:.3f}" for m, value in scores.items()) + f"  {text}, seed {number}")
            if file:
                file.write_text(json.dumps({"size": size, "epochs": epochs, "validation": runs}, indent=2) + "\n")
    console.print(*tables(runs), sep="\n\n")


if __name__ == "__main__":
    try:
        typer.run(compare)
    except (ValueError, OSError, ImportError) as error:
        sys.exit(f"error: {error}")
