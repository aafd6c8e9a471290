"""The recipes: one a file, each a screen of data whose docstring is its README."""

import importlib
import pkgutil

_modules = (importlib.import_module(f"{__name__}.{module.name}") for module in pkgutil.iter_modules(__path__))

RECIPES = {module.RECIPE.name: module.RECIPE for module in _modules}
