"""What the README claims of the recipes, measured again: minutes each, run by `make test-slow`."""

import json
import sys

import pytest
from conftest import data_folder

from keras_saliency import cli

pytestmark = pytest.mark.slow

# The reach of each recipe on its test split.
TARGETS = {
    "demo": {"known_information": 0.85},
    "osie_lite0": {"nss": 3.08, "auc": 0.913, "cc": 0.75, "explained_information": 0.80},
    "osie_lite2": {"nss": 3.08, "auc": 0.913, "cc": 0.75, "explained_information": 0.81},
}


@pytest.mark.parametrize("recipe", TARGETS)
def test_a_recipe_reaches_its_targets(recipe, tmp_path, monkeypatch):
    data = [] if recipe == "demo" else ["--data", f"osie={data_folder('osie')}"]
    monkeypatch.setattr(sys, "argv", ["keras-saliency", "train", recipe, *data, "--workdir", str(tmp_path / "run")])
    with pytest.raises(SystemExit) as stop:
        cli.main()
    assert stop.value.code == 0
    result = json.loads((tmp_path / "run" / "result.json").read_text())
    for name, target in TARGETS[recipe].items():
        assert result["scores"][name]["mean"] >= target, name
    seconds = result["seconds"]
    if recipe == "osie_lite0":
        assert seconds["features"] + seconds["training"] <= 600
    if recipe == "demo":
        assert sum(seconds.values()) <= 300
