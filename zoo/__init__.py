"""The recipes: one a file, each a screen of data whose docstring is its README."""

from zoo import demo, osie_lite0, osie_lite2

RECIPES = {module.RECIPE.name: module.RECIPE for module in (demo, osie_lite0, osie_lite2)}
