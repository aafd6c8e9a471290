"""The recipes as a table."""

import json
from pathlib import Path

import rich.table

from keras_saliency.recipe import data_sets

SCORES = {"nss": "NSS", "auc": "AUC", "cc": "CC", "ig": "IG"}


def recipe_table(recipes, runs, cost=None, published=lambda name: "published"):
    """Makes the table.

    Args:
        recipes: The `Recipe`s.
        runs: The folder of runs; a recipe with `result.json` in its own folder there is shown with its scores.
        cost: A function from a `Recipe` to parameters and FLOPs, for two more columns.
        published: A function from the name of an architecture to that of its published backbone.

    Returns:
        A `rich.table.Table`.
    """
    costs = ("parameters", "GFLOPs") if cost else ()
    table = rich.table.Table("recipe", "model", *costs, "backbone", "loss", "data", "size", "epochs", *SCORES.values())
    for column in table.columns[2 : 2 + len(costs)]:
        column.justify = "right"
    for recipe in recipes:
        mixed = [member.model for member in recipe.members] or [recipe.model]
        numbers = [f"{cost(recipe)[0]:,}", f"{cost(recipe)[1] / 1e9:.1f}"] if cost else []
        table.add_row(
            recipe.name,
            *_join(model.name for model in mixed),
            *numbers,
            *_join(model.backbone or published(model.name) for model in mixed),
            " + ".join(f"{weight:g} {name}" for name, weight in recipe.loss.items()),
            *_join(data_sets(recipe)),
            "x".join(map(str, recipe.size)),
            str(recipe.epochs) if recipe.loss else "",
            *_scores(Path(runs) / recipe.name / "result.json"),
        )
    return table


def _join(names):
    return [", ".join(dict.fromkeys(names))]


def _scores(path):
    """The scores of a finished run, or blanks."""
    scores = json.loads(path.read_text())["scores"] if path.is_file() else {}
    return [f"{scores[name]['mean']:.3f}" if name in scores else "" for name in SCORES]
