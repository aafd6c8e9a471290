"""How a recipe becomes a model: the recipe itself, optimizers, cached features, the loop, the run and its report."""
