"""Trains the decoder `attentive` with parts left out, on OSIE at 256x352, and compares the validation split.

Minutes a variant and seed on 2 CPU cores; what is interrupted goes on where it was. The test split is scored, too, as
in every study, and not shown.
"""

import functools
from pathlib import Path
from typing import Annotated

import numpy as np
import rich.table
import typer

from keras_saliency.models import ARCHITECTURES
from keras_saliency.models.sam import attentive
from keras_saliency.quest import Grid, Study, analysis
from keras_saliency.quest.runner import run_study
from keras_saliency.training.recipe import Model, Recipe
from keras_saliency.writing.progress import make_console

ATTENTIVE = ARCHITECTURES["attentive"]
VARIANTS = {
    "whole": {},
    "one-step": {"steps": 1},
    "two-steps": {"steps": 2},
    "attention-of-sum-one": {"attention": "sum"},
    "no-attention": {"attention": None},
    "no-attention-one-step": {"attention": None, "steps": 1},
    "no-priors": {"priors": False},
}
METRICS = ("nss", "auc", "cc", "kld", "ig")


def main(
    data: Annotated[Path, typer.Option(help="The folder of OSIE.")],
    out: Annotated[Path, typer.Option(help="The folder of the results.")] = Path("runs/attentive"),
    seeds: Annotated[int, typer.Option(min=1, help="How many seeds.")] = 2,
) -> None:
    """Compare the parts of the attentive decoder."""
    for name, options in VARIANTS.items():
        ARCHITECTURES[name] = ATTENTIVE._replace(decode=functools.partial(attentive, **options))
    base = Recipe(
        "attentive", "osie", Model("attentive", width=0.25), {"nll": 1.0, "cc": 1.0}, epochs=8, weight_decay=1.0
    )
    models = {name: {"model": {"name": name}} for name in VARIANTS}
    grid = Grid(seeds=tuple(range(seeds)), rates=(1e-3,))
    study = Study("attentive", base, {"nll + cc": {}}, models, {"osie": {}}, (grid,))
    results = run_study(study, out, {"osie": data})
    table = rich.table.Table("variant", *METRICS)
    found = {metric: analysis.scores(study, results.found, metric, split="validation") for metric in METRICS}
    for name in VARIANTS:
        means = [np.mean([*found[metric]["nll + cc", name, "osie"].values()], 1) for metric in METRICS]  # of each seed
        spread = [f" ± {np.std(values, ddof=1):.3f}" if seeds > 1 else "" for values in means]
        table.add_row(name, *(f"{np.mean(values):.3f}{after}" for values, after in zip(means, spread, strict=True)))
    make_console().print(table, soft_wrap=False)


if __name__ == "__main__":
    typer.run(main)
