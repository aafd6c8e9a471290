"""DeepGaze II (Kümmerer et al. 2016): a small readout of frozen VGG19, maximum likelihood.

Published on SALICON, then MIT1003, here on OSIE. Optimizer and its numbers are ours; not trained here.

Run: keras-saliency train deepgaze2 --data osie=DIR
"""

from keras_saliency.training.recipe import Model, Recipe

RECIPE = Recipe(
    name="deepgaze2",
    data="osie",
    model=Model("deepgaze2", backbone=None),
    loss={"nll": 1.0},
    size=(240, 320),
    batch=16,
    epochs=20,
    optimizer="adam",
    learning_rate=0.001,
    weight_decay=0.0,
    flip=False,
)
