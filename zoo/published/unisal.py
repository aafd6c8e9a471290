"""UNISAL's static path (Droste et al., ECCV 2020): MobileNetV2, published hyper-parameters.

Published hyper-parameters; published on SALICON and videos, here on OSIE. A GPU is advised; not trained here.
The paper's tenfold smaller rate of the encoder, and its two frozen epochs, are not offered: it is frozen here.

Run: keras-saliency train unisal --data osie=DIR
"""

from keras_saliency.training.recipe import Model, Recipe

RECIPE = Recipe(
    name="unisal",
    data="osie",
    model=Model("unisal", backbone=None),
    loss={"kld": 1.0, "nss": 0.1, "cc": 0.1},
    freeze_backbone=True,
    weight_decay=0.0,
    size=(288, 384),
    batch=4,
    epochs=16,
    optimizer="sgd",
    learning_rate=0.04,
    schedule="steps",
    decay=0.8,
    momentum=0.9,
    clip_norm=2.0,
    patience=16,
)
