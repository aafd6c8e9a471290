"""The two scales of the SALICON network on frozen EfficientNet-Lite0, OSIE. 2 CPU cores, 2 min beside other work.

Test split, native resolution: NSS 2.27, AUC 0.873, CC 0.539, IG 0.59 bit, 26 % of the gold standard.
Adapted from the paper's network: backbone, width, size, loss and optimizer are ours.

Run: keras-saliency train osie_salicon --data osie=DIR
"""

from keras_saliency.recipe import Model, Recipe

RECIPE = Recipe(
    name="osie_salicon",
    data="osie",
    model=Model("salicon", backbone="efficientnet-lite0", stride=16),
    loss={"nll": 1.0, "cc": 1.0},
    size=(240, 320),
    batch=20,
    epochs=10,
    weight_decay=1.0,
)
