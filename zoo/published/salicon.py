"""The SALICON network (Huang et al., ICCV 2015), as published: VGG16 at two scales, Kullback-Leibler divergence.

Published hyper-parameters; published on OSIE, images of 600x800, here on OSIE. A GPU is advised; not trained here.
Optimizer and its numbers are ours.

Run: keras-saliency train salicon --data osie=DIR
"""

from keras_saliency.training.recipe import Model, Recipe

RECIPE = Recipe(
    name="salicon",
    data="osie",
    model=Model("salicon", backbone=None, head="published"),
    loss={"kld": 1.0},
    freeze_backbone=False,
    weight_decay=0.0005,
    size=(600, 800),
    batch=1,
    epochs=20,
    optimizer="sgd",
    learning_rate=0.0001,
    momentum=0.9,
)
