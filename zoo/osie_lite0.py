"""Multi-level decoder on frozen EfficientNet-Lite0, OSIE.

Run: keras-saliency train osie_lite0 --data osie=DIR
"""

from keras_saliency.recipe import Model, Recipe

RECIPE = Recipe(
    name="osie_lite0",
    data="osie",
    model=Model("multilevel", backbone="efficientnet-lite0"),
    loss={"nll": 1.0, "cc": 1.0},
    size=(384, 512),
    batch=20,
    epochs=12,
    weight_decay=1.0,
)
