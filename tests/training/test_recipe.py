import importlib
import pkgutil
import re

import pytest

from keras_saliency import zoo
from keras_saliency.backbones import BACKBONES
from keras_saliency.data import DATA_SETS
from keras_saliency.losses import LOSSES
from keras_saliency.models import list_models
from keras_saliency.models.architectures import ALIASES
from keras_saliency.training.optimizers import OPTIMIZERS
from keras_saliency.training.recipe import change, data_sets, override
from keras_saliency.zoo import RECIPES


def stages(recipe):
    """A recipe and all that it is made of."""
    parts = [*recipe.members, *([recipe.start] if recipe.start else [])]
    return [recipe, *(stage for part in parts for stage in stages(part))]


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_names_what_exists(name):
    recipe = RECIPES[name]
    assert recipe.name == name
    for stage in stages(recipe):
        assert stage.data in DATA_SETS
        assert stage.model.name in list_models() or stage.model.name in ALIASES
        assert stage.model.backbone in {None, *BACKBONES}
        assert set(stage.loss) <= set(LOSSES)
        assert stage.optimizer in OPTIMIZERS


def test_every_file_of_recipes_tells_how_to_run_one():
    for info in pkgutil.walk_packages(zoo.__path__, "keras_saliency.zoo."):
        module = importlib.import_module(info.name)
        recipes = getattr(module, "RECIPES", None) or [getattr(module, "RECIPE", None)]
        if not info.ispkg:
            assert re.search(r"Run: keras-saliency train (\w+)", module.__doc__)[1] in {
                recipe.name for recipe in recipes
            }


def test_the_adapted_recipes_differ_in_what_their_table_says():
    page = importlib.import_module("keras_saliency.zoo.osie.adapted")
    for recipe in page.RECIPES:
        assert f"| `{recipe.name}` |" in page.__doc__
        assert recipe.loss == page.BASE.loss and recipe.epochs == page.BASE.epochs


def test_every_architecture_has_a_published_and_an_adapted_recipe():
    published = {recipe.model.name for recipe in RECIPES.values() if recipe.model.backbone is None}
    adapted = {recipe.model.name for recipe in RECIPES.values() if recipe.name.startswith("osie_")}
    assert set(list_models()) - {"multilevel"} <= published
    assert set(list_models()) - {"multilevel"} <= {*adapted, "sam-vgg", "sam-resnet"}
    assert "sam" in adapted


def test_the_data_of_a_recipe_are_those_of_its_stages():
    assert data_sets(RECIPES["recommended"]) == ["osie", "osie-mouse"]


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


def test_fields_change_a_recipe():
    recipe = change(RECIPES["demo"], {"epochs": 3, "loss": {"kld": 1}, "model": {"width": 0.5}, "model.scale": 2})
    assert (recipe.epochs, recipe.loss, recipe.model.width, recipe.model.scale) == (3, {"kld": 1}, 0.5, 2.0)
    assert recipe.model.backbone == RECIPES["demo"].model.backbone
    for wrong, message in {"epoch": "unknown key 'epoch'", "size": "size is of type tuple"}.items():
        with pytest.raises(ValueError, match=message):
            change(RECIPES["demo"], {wrong: 3})


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
