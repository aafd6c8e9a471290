"""The generator of SalGAN (Pan et al. 2017), its first stage as published: cross-entropy, VGG16's first blocks frozen.

Published hyper-parameters; published on SALICON, here on OSIE. A GPU is advised; not trained here.
The paper pools both maps by 4 before the loss. The second stage: `keras_saliency.models.AdversarialTraining`.

Run: keras-saliency train salgan --data osie=DIR
"""

from keras_saliency.training.recipe import Model, Recipe

RECIPE = Recipe(
    name="salgan",
    data="osie",
    model=Model("salgan", backbone=None, head="published"),
    loss={"bce": 1.0},
    freeze_backbone=False,
    weight_decay=0.0001,
    size=(192, 256),
    batch=32,
    epochs=15,
    optimizer="adagrad",
    learning_rate=0.0003,
    schedule="constant",
    freeze=("block1_*", "block2_*", "block3_*"),
)
