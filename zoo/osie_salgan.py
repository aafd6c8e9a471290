"""SalGAN's generator on frozen EfficientNet-Lite0, OSIE. 2 CPU cores, minutes.

Not scored yet.
Adapted from the paper's network: backbone, width, size, loss and optimizer are ours.

Run: keras-saliency train osie_salgan --data osie=DIR
"""

from keras_saliency.recipe import Model, Recipe

RECIPE = Recipe(
    name="osie_salgan",
    data="osie",
    model=Model("salgan", backbone="efficientnet-lite0", stride=16, width=0.125),
    loss={"nll": 1.0, "cc": 1.0},
    size=(240, 320),
    batch=20,
    epochs=10,
    weight_decay=1.0,
)
