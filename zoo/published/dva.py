"""DVA (Wang & Shen, TIP 2018), as published: VGG16, cross-entropy at three depths and at their fusion.

Published hyper-parameters; published on SALICON, here on OSIE. A GPU is advised; not trained here.
Optimizer and its numbers are ours.

Run: keras-saliency train dva --data osie=DIR
"""

from keras_saliency.training.recipe import Model, Recipe

RECIPE = Recipe(
    name="dva",
    data="osie",
    model=Model("dva", backbone=None, head="published"),
    loss={"bce": 1.0},
    freeze_backbone=False,
    weight_decay=0.0,
    size=(224, 224),
    batch=10,
    epochs=20,
    optimizer="adam",
    learning_rate=0.0001,
    supervise_sides=True,
)
