import dataclasses
import io
import json
import re

import rich.console

from keras_saliency.training.costs import Cost, costs_of
from keras_saliency.training.recipe import Model, Recipe
from keras_saliency.training.recipe_table import print_recipes


def test_the_table_shows_scores_where_there_is_a_run(tmp_path):
    first = Recipe("first", "osie", Model("mlnet", backbone=None), {"kld": 1.0, "cc": 2.0})
    both = Recipe("both", "osie", members=(first, dataclasses.replace(first, data="osie-mouse", model=Model("sam"))))
    (tmp_path / "both").mkdir()
    scores = {"nss": {"mean": 3.2468}, "ig": {"mean": 1.5}}
    (tmp_path / "both" / "result.json").write_text(json.dumps({"scores": scores}))
    costs = {"first": Cost(1_234_567, 2.5e9, ["vgg16"]), "both": Cost(7, 1e9, ["vgg16", "efficientnet-lite0"])}

    def printed(width):
        console = rich.console.Console(file=io.StringIO(), width=width)
        print_recipes([first, both], tmp_path, console, costs)
        return [re.split(r" {2,}", line.strip()) for line in console.file.getvalue().splitlines()]

    # Nobody has an AUC or a CC.
    titles, one, two = printed(200)
    assert titles == [
        *("recipe", "model", "parameters", "GFLOPs", "backbone", "loss", "data", "size", "epochs"),
        *("NSS", "IG"),
    ]
    assert one == ["first", "mlnet", "1,234,567", "2.5", "vgg16", "1 kld + 2 cc", "osie", "76,800 px", "10"]
    sets = ["osie, osie-mouse", "76,800 px"]
    assert two == ["both", "mlnet, sam", "7", "1.0", "vgg16, efficientnet-lite0", *sets, "3.247", "1.500"]
    titles, *_, note = printed(70)
    assert titles == ["recipe", "model", "parameters", "GFLOPs", "loss", "NSS", "IG"]
    assert note == ["A wider terminal shows backbone, data, size, epochs, too."]


def test_presets_are_not_downloaded_to_count_what_they_cost(tmp_path):
    preset = Recipe("preset", "osie", Model(backbone="hub:dinov2_small"), {"kld": 1.0})
    icf = Recipe("icf", "osie", Model("icf", backbone=None, weights=None), {"kld": 1.0}, size=(32, 48))
    console = rich.console.Console(file=io.StringIO(), width=200)
    costs = costs_of([preset, icf], console)
    assert list(costs) == ["icf"]
    print_recipes([preset, icf], tmp_path, console, costs)
    lines = console.file.getvalue().splitlines()
    assert re.search(r"preset +multilevel +hub:dinov2_small", lines[-2]) and " 791 " in lines[-1]
