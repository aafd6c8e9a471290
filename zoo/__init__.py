"""The recipes: data only, a screen a file, whose docstring is its README."""

import importlib
import pkgutil

from keras_saliency.training.recipe import Recipe

_modules = [importlib.import_module(info.name) for info in pkgutil.walk_packages(__path__, f"{__name__}.")]
_recipes = [recipe for module in _modules for recipe in getattr(module, "RECIPES", [])]
_recipes += [module.RECIPE for module in _modules if hasattr(module, "RECIPE")]

RECIPES = {recipe.name: recipe for recipe in sorted(_recipes, key=lambda recipe: recipe.name)}


def find_recipe(name: str) -> Recipe:
    """The recipe of a name.

    Raises:
        ValueError: If it is unknown; lists the known ones.
    """
    if name not in RECIPES:
        raise ValueError(f"Unknown recipe {name!r}. Known recipes: {', '.join(RECIPES)}.")
    return RECIPES[name]
