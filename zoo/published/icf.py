"""ICF (Kümmerer et al. 2017): DeepGaze II's readout of intensity and contrast, maximum likelihood.

Published on MIT1003, here on OSIE. Optimizer and its numbers are ours; not trained here at this size.

Run: keras-saliency train icf --data osie=DIR
"""

from keras_saliency.training.recipe import Model, Recipe

RECIPE = Recipe(
    name="icf",
    data="osie",
    model=Model("icf", backbone=None),
    loss={"nll": 1.0},
    size=(240, 320),
    batch=16,
    epochs=20,
    optimizer="adam",
    learning_rate=0.001,
    weight_decay=0.0,
    flip=False,
)
