"""The recipes as a table."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import rich.console

from keras_saliency.reporting.columns import print_columns
from keras_saliency.reporting.results import read_result
from keras_saliency.training.recipe import Recipe, data_sets

SCORES = {"nss": "NSS", "auc": "AUC", "cc": "CC", "ig": "IG"}
# What a narrow terminal has room for, the most needed first.
NEEDED = ("recipe", *SCORES.values(), "parameters", "GFLOPs", "loss", "model", "data", "backbone", "epochs", "size")
NUMBERS = ("parameters", "GFLOPs", "epochs", *SCORES.values())


def print_recipes(
    recipes: Iterable[Recipe],
    runs: str | Path,
    console: rich.console.Console,
    costs: Mapping[str, Any] | None = None,
) -> None:
    """Prints the table: as many columns as there is room for, and scores where there are some.

    Args:
        recipes: What is listed.
        runs: The folder of runs; a recipe with `result.json` in its own folder there is shown with its scores.
        console: Where to print.
        costs: From the name of a recipe to its `Cost`, for two more columns, empty for recipes that are not there.
    """
    rows = [_row(recipe, Path(runs), costs) for recipe in recipes]
    print_columns(rows, console, NEEDED, NUMBERS)


def _row(recipe: Recipe, runs: Path, costs: Mapping[str, Any] | None) -> dict[str, str]:
    models = recipe.models()
    cost = costs.get(recipe.name) if costs else None
    backbones = cost.backbones if cost else [model.backbone or "published" for model in models]
    return {
        "recipe": recipe.name,
        "model": _join(model.name for model in models),
        "parameters": f"{cost.parameters:,}" if cost else "",
        "GFLOPs": f"{cost.flops / 1e9:.1f}" if cost else "",
        "backbone": _join(backbones),
        "loss": " + ".join(f"{weight:g} {name}" for name, weight in recipe.loss.items()),
        "data": _join(data_sets(recipe)),
        "size": "x".join(map(str, recipe.size)) if recipe.size else f"{recipe.area:,} px",
        "epochs": str(recipe.epochs) if recipe.loss else "",
        **_scores(runs / recipe.name / "result.json"),
    }


def _join(names: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(names))


def _scores(file: Path) -> dict[str, str]:
    """The scores of a finished run, or blanks."""
    scores = (read_result(file) or {"scores": {}})["scores"]
    means = {title: scores[name]["mean"] if name in scores else None for name, title in SCORES.items()}
    return {title: "" if mean is None else f"{mean:.3f}" for title, mean in means.items()}
