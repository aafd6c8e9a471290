import dataclasses
import importlib
import math
import pkgutil
import re

import pytest

from keras_saliency import zoo
from keras_saliency.backbones import list_backbones
from keras_saliency.data import DATA_SETS
from keras_saliency.losses import LOSSES
from keras_saliency.models import list_models
from keras_saliency.models.architectures import ALIASES
from keras_saliency.training.changes import change, override
from keras_saliency.training.optimizers import OPTIMIZERS
from keras_saliency.training.recipe import RANGES, Model, Recipe, data_sets, names_of
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
        assert {*names_of(stage.data)} <= {*DATA_SETS}
        assert stage.model.name in list_models() or stage.model.name in ALIASES
        assert stage.model.backbone in {None, *list_backbones()}
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
    ours = {"multilevel", "attentive"}
    assert set(list_models()) - ours <= published
    # SAM's decoder is adapted as "attentive".
    assert set(list_models()) <= {*adapted, "sam-vgg", "sam-resnet"}


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
    for wrong, message in {
        "epoch": "unknown key 'epoch'",
        "size": r"size must be \(height, width\) in whole pixels, or None. Received: size=3",
    }.items():
        with pytest.raises(ValueError, match=message):
            change(RECIPES["demo"], {wrong: 3})


def test_changes_make_sense_together_in_whatever_order():
    recipe = Recipe("one", "synthetic", loss={"nll": 1.0})
    changed = override(recipe, ["loss.nll=0", "loss.kld=1", "schedule=steps", "decay=0.1"])
    assert (changed.loss, changed.schedule, changed.decay) == ({"kld": 1}, "steps", 0.1)
    assert override(changed, ["decay=0", "schedule=cosine"]).decay == 0.0
    assert change(recipe, {"model": Model("sam"), "model.width": 2}).model == Model("sam", width=2.0)
    assert (recipe.loss, recipe.schedule) == ({"nll": 1.0}, "cosine")


@pytest.mark.parametrize("key", ["epochs", "learning_rate", "loss", "loss.kld", "model", "size", "nothing", "x" * 5000])
def test_whatever_is_set_is_refused_in_one_short_line(key):
    texts = ("9" * 5000, "0x" + "f" * 5000, "1" + "0" * 400, "-" * 5000 + "1", "-" * 100_000 + "1", "1+" * 5000 + "1")
    for text in (*texts, "[" * 5000, "(" * 300, "{[]: 1}", "{{}: 1}", "1e999", "nan", "1j", "a\nb", "\0", "\ud800"):
        with pytest.raises(ValueError) as error:
            override(RECIPES["demo"], [f"{key}={text}"])
        assert len(str(error.value)) < 1000 and len(str(error.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("epochs", "has the form KEY=VALUE"),
        ("epoch=3", "unknown key 'epoch'. Known keys: name, data, model, loss, size"),
        ("model.size=3", "unknown key 'size'. Known keys: name, backbone, weights"),
        ("epochs=many", r"epochs must be a whole number from 1 to 2\*\*31 - 1. Received: epochs='many'"),
        ("epochs.more=1", "unknown key 'more'"),
        ("epochs=0", "epochs must be a whole number from 1"),
        ("size=(240,)", "size must be"),
        ("learning_rate=-1", "learning_rate must be a number above 0. Received: learning_rate=-1.0"),
        ("model.width=0", "model.width must be a number above 0. Received: model.width=0.0"),
        ("name=../../x", "name must be the name of a folder, without slashes. Received: name='../../x'"),
        ("loss.cc=-1", "loss must be positive weights by the names of losses"),
        ("loss.cc=much", "it is a number, and 0 leaves out what it is of. Received: 'much'"),
        ("schedule=steps", "decay, which has to be above 0"),
        ("data_weights.scene=2", "data_weights has 'scene', and data is synthetic"),
        ("freeze_backbone=1", "freeze_backbone must be True or False. Received: freeze_backbone=1"),
    ],
)
def test_a_wrong_setting_is_named(setting, message):
    with pytest.raises(ValueError, match=message):
        override(RECIPES["demo"], [setting])


NOT_POSITIVE = (0, -1.0, math.inf, math.nan, 10**400, "1", None, True)
NOT_COUNTED = (0, -1, 2**31, 1.0, "1", None, True)
# What makes no sense, by field.
WRONG = {
    **dict.fromkeys(("learning_rate", "model.width", "model.scale"), NOT_POSITIVE),
    **dict.fromkeys(("clip_norm", "degrees"), (0.0, -1, math.nan, "1")),
    **dict.fromkeys(("decay", "weight_decay"), (-1.0, math.inf, math.nan, "1", None)),
    **dict.fromkeys(("momentum", "dropout"), (-0.1, 1, 5.0, math.nan, None)),
    **dict.fromkeys(("batch", "epochs", "patience", "decay_epochs"), NOT_COUNTED),
    "seed": (-1, 2**32, 0.5, None),
    "name": ("../../x", "a/b", "a\\b", "..", ".", "", " ", "a\nb", "a\0", "x" * 256, 3, None),
    **dict.fromkeys(("optimizer", "schedule", "model.name", "model.head"), ("", 3, None)),
    **dict.fromkeys(("balance", "frozen_to", "model.backbone", "model.weights"), ("", 3)),
    **dict.fromkeys(("images", "model.stride"), (0, -8, 8.0, "8")),
    "histories": (0, 1, -8, 8.0, "8", 1001),
    "model.dilated": (0, "False"),
    **dict.fromkeys(("nesterov", "freeze_backbone", "supervise_sides", "flip", "heads"), (1, None, "False")),
    "size": ((240,), (0, 320), (240, -1), (240.0, 320.0), 240, (), "ab", {240, 320}),
    "area": (0, -1, 76800.0, True, None, "76800", 2**31),
    "pixels_per_degree": (0, -1.0, math.inf, math.nan, True, "30"),
    "loss_options": ({"kld": 1.0}, {"kld": {3: 1}}, {3: {}}, "kld", None),
    "loss": ({"kld": "x"}, {"kld": -1}, {"kld": math.nan}, {"kld": math.inf}, {"kld": True}, {3: 1.0}, "kld", None),
    **dict.fromkeys(("augment", "data_weights"), ({"osie": "x"}, {"osie": -1}, {"osie": math.nan}, {3: 1.0}, None)),
    "data": ("", 3, None, (), ("osie", ""), ("osie", "osie")),
    "freeze": ("block1_*", ("",), (3,), None),
    "model.taps": ("stage3_out", (), (3,), ("",)),
    "sizes": (1.5, (), (0,), (1.0, -0.5), ("1",), (math.inf,), None),
    "model": ("sam", None, 3),
    "start": (1, "demo"),
    "members": (1, ("demo",), None),
}


@pytest.mark.parametrize("field", WRONG)
def test_what_makes_no_sense_is_named(field):
    owner, _, name = field.rpartition(".")
    node = RECIPES["demo"].model if owner else RECIPES["demo"]
    for value in WRONG[field]:
        with pytest.raises(ValueError, match=f"^{field} must be ") as error:
            dataclasses.replace(node, **{name: value})
        assert f" Received: {field}={repr(value)[:200]}" in str(error.value)


def test_images_change_only_where_their_features_are_computed_again():
    with pytest.raises(ValueError, match="Train the backbone, too: freeze_backbone=False"):
        Recipe("one", "synthetic", loss={"kld": 1.0}, augment={"crop": 0.2})
    changed = override(RECIPES["demo"], ["augment.crop=0.2", "augment.rotation=5", "freeze_backbone=False"])
    assert changed.augment == {"crop": 0.2, "rotation": 5}


def test_heads_are_of_models_that_see_any_shape():
    for changes in (
        {},
        {"size": None, "supervise_sides": True},
        {"size": None, "model": Model("sam", head="published")},
    ):
        with pytest.raises(ValueError, match='heads are those of model.head="log-density", with size=None'):
            dataclasses.replace(RECIPES["demo"], heads=True, **changes)


def test_single_depths_are_supervised_on_whole_features():
    for changes in ({"dropout": 0.2}, {"frozen_to": "stage3_out", "freeze_backbone": False}):
        with pytest.raises(ValueError, match="supervise_sides trains all maps on whole features: leave frozen_to"):
            dataclasses.replace(RECIPES["demo"], supervise_sides=True, **changes)


def test_every_field_has_a_range():
    own = [field.name for field in dataclasses.fields(Recipe)]
    own += [f"model.{field.name}" for field in dataclasses.fields(Model)]
    assert sorted(own) == sorted(name for _, _, fields in RANGES for name in fields.split()) == sorted(WRONG)
