"""EML-NET (Jia & Bruce 2020) on ResNet-50, as published.

Published hyper-parameters; published on SALICON, here on OSIE. A GPU is advised; not trained here.
The ImageNet weights of PyTorch's ResNet-50 are not in a package: import them with `keras_saliency.legacy`.

Run: keras-saliency train eml_net --data osie=DIR
"""

from keras_saliency.training.recipe import Model, Recipe

RECIPE = Recipe(
    name="eml_net",
    data="osie",
    model=Model("eml-net", backbone=None, weights=None, head="published"),
    loss={"kld": 1.0, "cc": 1.0, "nss": 1.0},
    freeze_backbone=False,
    weight_decay=0.0001,
    size=(480, 640),
    batch=8,
    epochs=10,
    optimizer="sgd",
    learning_rate=0.01,
    schedule="steps",
    decay=0.1,
    decay_epochs=5,
    momentum=0.9,
    patience=10,
)
