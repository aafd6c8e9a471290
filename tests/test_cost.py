import dataclasses
import io
import json

import keras
import rich.console

from keras_saliency import cost
from keras_saliency.recipe import Model, Recipe
from keras_saliency.recipe_table import recipe_table


def test_parameters_and_operations_are_counted():
    images = keras.Input((10, 12, 3))
    x = keras.layers.Conv2D(4, 3, padding="same", use_bias=False)(images)
    model = keras.Model(images, keras.layers.BatchNormalization(trainable=False)(keras.layers.Conv2D(1, 1)(x)))
    assert cost.parameters(model) == 9 * 3 * 4 + 4 + 1
    products = 10 * 12 * (9 * 3 * 4 + 4)
    # Each with an addition; and a few operations for each pixel.
    assert 2 * products <= cost.flops(model) <= 2 * products + 10 * 10 * 12


def test_the_table_shows_scores_where_there_is_a_run(tmp_path):
    first = Recipe("first", "osie", Model("mlnet", backbone=None), {"kld": 1.0, "cc": 2.0})
    both = Recipe("both", "osie", members=(first, dataclasses.replace(first, data="osie-mouse", model=Model("sam"))))
    (tmp_path / "both").mkdir()
    scores = {"nss": {"mean": 3.2468}, "ig": {"mean": 1.5}}
    (tmp_path / "both" / "result.json").write_text(json.dumps({"scores": scores}))
    console = rich.console.Console(file=io.StringIO(), width=200)
    console.print(recipe_table([first, both], tmp_path, lambda recipe: (1_234_567, 2.5e9), {"mlnet": "vgg16"}.get))
    lines = [line.split("│") for line in console.file.getvalue().splitlines() if "osie" in line]
    cells = [[cell.strip() for cell in line[1:-1]] for line in lines]
    costs = ["1,234,567", "2.5"]
    assert cells[0] == [
        *("first", "mlnet", *costs, "vgg16", "1 kld + 2 cc", "osie", "240x320", "10"),
        *("", "", "", ""),
    ]
    assert cells[1] == [
        *("both", "mlnet, sam", *costs, "vgg16, efficientnet-lite0", "", "osie, osie-mouse", "240x320", ""),
        *("3.247", "", "", "1.500"),
    ]
