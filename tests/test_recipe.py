import importlib

import pytest

from keras_saliency.backbones import BACKBONES
from keras_saliency.data import DATA_SETS
from keras_saliency.losses import LOSSES
from keras_saliency.models import list_models
from keras_saliency.recipe import override
from zoo import RECIPES


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_names_what_exists(name):
    recipe = RECIPES[name]
    assert recipe.name == name
    assert recipe.data in DATA_SETS
    assert recipe.model.name in list_models()
    assert recipe.model.backbone in BACKBONES
    assert set(recipe.loss) <= set(LOSSES)
    assert f"keras-saliency train {name}" in importlib.import_module(f"zoo.{name}").__doc__


def test_settings_change_a_recipe():
    recipe = override(
        RECIPES["demo"],
        ["epochs=3", "learning_rate=1", "size=(60, 80)", "model.backbone=vgg16", "model.weights=None", "loss.cc=0"],
    )
    assert (recipe.epochs, recipe.learning_rate, recipe.size) == (3, 1.0, (60, 80))
    assert (recipe.model.backbone, recipe.model.weights) == ("vgg16", None)
    assert recipe.loss == {"nll": 1.0}
    assert override(RECIPES["demo"], ["loss.kld=2"]).loss["kld"] == 2
    assert "kld" not in RECIPES["demo"].loss


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("epochs", "has the form KEY=VALUE"),
        ("epoch=3", "unknown key 'epoch'. Known keys: name, data, model, loss, size"),
        ("model.size=3", "unknown key 'size'. Known keys: name, backbone, weights"),
        ("epochs=many", "epochs is of type int, such as .*. Received: str"),
        ("epochs.more=1", "unknown key 'more'"),
        ("epochs=0", "epochs must be at least 1"),
        ("size=(240,)", "size must be"),
        ("loss.cc=much", "the weight of a loss is a number"),
        ("freeze_backbone=1", "is of type bool"),
    ],
)
def test_a_wrong_setting_is_named(setting, message):
    with pytest.raises(ValueError, match=message):
        override(RECIPES["demo"], [setting])
