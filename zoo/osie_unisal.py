"""A decoder in UNISAL's manner on frozen EfficientNet-Lite0, OSIE. 2 CPU cores, 2 min beside other work.

Test split, native resolution: NSS 2.82, AUC 0.900, CC 0.700, IG 1.57 bit, 70 % of the gold standard.
Adapted from the paper's network: backbone, width, size, loss and optimizer are ours.

Run: keras-saliency train osie_unisal --data osie=DIR
"""

from keras_saliency.recipe import Model, Recipe

RECIPE = Recipe(
    name="osie_unisal",
    data="osie",
    model=Model("unisal", backbone="efficientnet-lite0", width=0.5),
    loss={"nll": 1.0, "cc": 1.0},
    size=(240, 320),
    batch=20,
    epochs=10,
    weight_decay=1.0,
)
