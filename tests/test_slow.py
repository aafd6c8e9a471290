"""What the README claims of the recipes, measured again: minutes each, run by `make test-slow`."""

import dataclasses
import io
import json
import subprocess
import sys

import numpy as np
import pytest
import rich.console
from conftest import REPOSITORY, data_folder

from keras_saliency import cli
from keras_saliency.reporting import tables
from keras_saliency.training.run import train_with_stages
from keras_saliency.zoo import RECIPES

pytestmark = pytest.mark.slow

# The reach of each recipe on its test split.
TARGETS = {
    "demo": {"known_information": 0.85},
    "osie_lite0": {"nss": 3.08, "auc": 0.913, "cc": 0.75, "explained_information": 0.80},
    "osie_lite2": {"nss": 3.08, "auc": 0.913, "cc": 0.75, "explained_information": 0.81},
    "recommended": {"nss": 3.2, "cc": 0.80, "explained_information": 0.84},
}
PUBLISHED = ("osie_mlnet", "osie_sam")


def run(recipe, folder, monkeypatch):
    """Trains a recipe by the command line and gives its `result.json`."""
    data = [] if recipe == "demo" else ["--data", f"osie={data_folder('osie')}"]
    monkeypatch.setattr(sys, "argv", ["keras-saliency", "train", recipe, *data, "--workdir", str(folder)])
    with pytest.raises(SystemExit) as stop:
        cli.main()
    assert stop.value.code == 0
    return json.loads((folder / "result.json").read_text())


@pytest.mark.parametrize("recipe", TARGETS)
def test_a_recipe_reaches_its_targets(recipe, tmp_path, monkeypatch):
    result = run(recipe, tmp_path / "run", monkeypatch)
    for name, target in TARGETS[recipe].items():
        assert result["scores"][name]["mean"] >= target, name
    seconds = result["seconds"]
    if recipe == "osie_lite0":
        assert seconds["features"] + seconds["training"] <= 600
    if recipe == "demo":
        assert sum(seconds.values()) <= 300


def test_published_decoders_beat_the_centre_bias(tmp_path, monkeypatch):
    """And their table is written to `runs/published_decoders.md`."""
    results = {recipe: run(recipe, tmp_path / recipe, monkeypatch) for recipe in PUBLISHED}
    centre_bias = results["osie_sam"]["baselines"]["centre_bias"]
    rows = {recipe: result["scores"] for recipe, result in results.items()}
    (REPOSITORY / "runs").mkdir(exist_ok=True)
    table = tables.score_table({**rows, "centre_bias": centre_bias})
    (REPOSITORY / "runs" / "published_decoders.md").write_text(table + "\n")
    for recipe, scores in rows.items():
        for name in ("nss", "ig"):
            assert scores[name]["low"] > centre_bias[name]["mean"], (recipe, name)


def test_the_tables_of_the_study_are_those_of_its_results():
    code = "import report; page = report.PAGE.read_text(); assert report.filled(page) == page"
    subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY / "docs" / "quest", check=True)


def test_all_of_the_study_that_broke_was_repeated():
    code = """
import outcome
lowest = min(outcome.NAMES["RATES"])
print([str(cell) for cell, again in outcome.repeats() if not again and cell.recipe.learning_rate > lowest])
"""
    command = [sys.executable, "-c", code]
    run = subprocess.run(command, cwd=REPOSITORY / "docs" / "quest", check=True, capture_output=True, text=True)
    assert run.stdout.strip() == "[]"


@pytest.mark.parametrize("name", [name for name, recipe in RECIPES.items() if recipe.model.backbone is None])
def test_every_published_recipe_trains(name, tiny, tmp_path):
    """One epoch of a few small images, with a narrow decoder and random weights."""
    recipe = RECIPES[name]
    model = dataclasses.replace(recipe.model, weights=None, width=1 / 16)
    small = dataclasses.replace(recipe, data="synthetic", model=model, size=(64, 96), batch=4, epochs=1)
    console = rich.console.Console(file=io.StringIO())
    model, history, _ = train_with_stages(small, lambda name: tiny, tmp_path / "run", console)
    assert np.isfinite(list(history[0].values())).all()
    scale = recipe.model.scale
    assert model.output_shape == (None, round(64 * scale), round(96 * scale), 1)
