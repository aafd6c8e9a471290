"""SalNet's convolutions on frozen EfficientNet-Lite0, OSIE. 2 CPU cores, 3 min beside other work.

Test split, native resolution: NSS 2.23, AUC 0.862, CC 0.641, IG 1.05 bit, 47 % of the gold standard.
Adapted from the paper's network: backbone, width, size, loss and optimizer are ours.

Run: keras-saliency train osie_salnet --data osie=DIR
"""

from keras_saliency.recipe import Model, Recipe

RECIPE = Recipe(
    name="osie_salnet",
    data="osie",
    model=Model("salnet", backbone="efficientnet-lite0", stride=16, width=0.125),
    loss={"nll": 1.0, "cc": 1.0},
    size=(240, 320),
    batch=20,
    epochs=10,
    weight_decay=1.0,
)
