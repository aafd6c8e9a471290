"""SimpleNet's decoder on frozen EfficientNet-Lite0, OSIE. 2 CPU cores, 3 min beside other work.

Test split, native resolution: NSS 3.13, AUC 0.915, CC 0.765, IG 1.85 bit, 82 % of the gold standard.
Adapted from the paper's network: backbone, width, size, loss and optimizer are ours.

Run: keras-saliency train osie_simplenet --data osie=DIR
"""

from keras_saliency.recipe import Model, Recipe

RECIPE = Recipe(
    name="osie_simplenet",
    data="osie",
    model=Model("simplenet", backbone="efficientnet-lite0", width=0.5),
    loss={"nll": 1.0, "cc": 1.0},
    size=(240, 320),
    batch=20,
    epochs=10,
    weight_decay=1.0,
)
