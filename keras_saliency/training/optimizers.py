"""The optimizer of a recipe."""

import keras

from keras_saliency.training.recipe import Recipe

OPTIMIZERS = {
    "adam": keras.optimizers.Adam,
    "adamw": keras.optimizers.AdamW,
    "adagrad": keras.optimizers.Adagrad,
    "rmsprop": keras.optimizers.RMSprop,
    "sgd": keras.optimizers.SGD,
}
# Nothing but kernels decays: the others have a meaning at one, or no scale.
UNDECAYED = ["bias", "gamma", "beta", "log_sigma", "prior", "gaussians", "weight", "gain", "blur", "share"]

_schedules = keras.optimizers.schedules
SCHEDULES = {
    "cosine": lambda recipe, steps: _schedules.CosineDecay(recipe.learning_rate, recipe.epochs * steps),
    "constant": lambda recipe, steps: recipe.learning_rate,
    "inverse": lambda recipe, steps: _schedules.InverseTimeDecay(recipe.learning_rate, 1, recipe.decay),
    "steps": lambda recipe, steps: _schedules.ExponentialDecay(
        recipe.learning_rate, recipe.decay_epochs * steps, recipe.decay, staircase=True
    ),
}


def make_optimizer(recipe: Recipe, steps: int) -> keras.optimizers.Optimizer:
    """Makes the optimizer of a recipe.

    Args:
        recipe: The recipe.
        steps: The steps of an epoch.

    Raises:
        ValueError: If its name is unknown; lists the known ones.
    """
    if recipe.optimizer not in OPTIMIZERS:
        raise ValueError(f"Unknown optimizer {recipe.optimizer!r}. Known optimizers: {', '.join(OPTIMIZERS)}.")
    options = {"momentum": recipe.momentum, "nesterov": recipe.nesterov} if recipe.optimizer == "sgd" else {}
    optimizer = OPTIMIZERS[recipe.optimizer](
        SCHEDULES[recipe.schedule](recipe, steps),
        weight_decay=recipe.weight_decay,
        global_clipnorm=recipe.clip_norm,
        **options,
    )
    optimizer.exclude_from_weight_decay(var_names=UNDECAYED)
    return optimizer
