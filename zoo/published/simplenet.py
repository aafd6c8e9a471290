"""SimpleNet (Reddy et al. 2020) on ResNet-50, as published.

Published hyper-parameters; published on SALICON, here on OSIE. A GPU is advised; not trained here.
The ImageNet weights of PyTorch's ResNet-50 are not in a package: import them with `keras_saliency.legacy`.

Run: keras-saliency train simplenet --data osie=DIR
"""

from keras_saliency.training.recipe import Model, Recipe

RECIPE = Recipe(
    name="simplenet",
    data="osie",
    model=Model("simplenet", backbone=None, weights=None, head="published"),
    loss={"kld": 1.0, "cc": 1.0},
    freeze_backbone=False,
    weight_decay=0.0,
    size=(256, 256),
    batch=32,
    epochs=10,
    optimizer="adam",
    learning_rate=0.0001,
    schedule="constant",
)
