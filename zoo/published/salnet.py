"""SalNet, the deep one (Pan et al., CVPR 2016), as published: Euclidean loss.

Published hyper-parameters; published on SALICON, here on OSIE. A GPU is advised; not trained here.
Optimizer and its numbers are ours: the paper's belong to another scale of the loss. VGG-CNN-M's weights are no package.

Run: keras-saliency train salnet --data osie=DIR
"""

from keras_saliency.training.recipe import Model, Recipe

RECIPE = Recipe(
    name="salnet",
    data="osie",
    model=Model("salnet", backbone=None, weights=None, head="published"),
    loss={"mse": 1.0},
    freeze_backbone=False,
    weight_decay=0.0005,
    size=(240, 320),
    batch=2,
    epochs=20,
    optimizer="sgd",
    learning_rate=0.001,
    momentum=0.9,
)
