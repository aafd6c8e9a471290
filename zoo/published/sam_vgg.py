"""SAM (Cornia et al., TIP 2018) on dilated VGG16, as published: maps of twice the size of the image.

Published hyper-parameters; published on SALICON, here on OSIE. A GPU is advised; not trained here.

Run: keras-saliency train sam_vgg --data osie=DIR
"""

from keras_saliency.training.recipe import Model, Recipe

RECIPE = Recipe(
    name="sam_vgg",
    data="osie",
    model=Model("sam-vgg", backbone=None, head="published", scale=2.0),
    loss={"kld": 10.0, "cc": 2.0, "nss": 1.0},
    freeze_backbone=False,
    weight_decay=0.0,
    size=(240, 320),
    batch=1,
    epochs=10,
    optimizer="rmsprop",
    learning_rate=0.0001,
    schedule="constant",
    patience=3,
    flip=False,
)
