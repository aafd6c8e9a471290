"""ICF (intensity and contrast), OSIE. 2 CPU cores, 1 min beside other work.

Test split, native resolution: NSS 1.20, AUC 0.787, CC 0.411, IG 0.34 bit, 15 % of the gold standard.
Adapted from the paper's network: backbone, width, size, loss and optimizer are ours.

Run: keras-saliency train osie_icf --data osie=DIR
"""

from keras_saliency.recipe import Model, Recipe

RECIPE = Recipe(
    name="osie_icf",
    data="osie",
    model=Model("icf", backbone=None),
    loss={"nll": 1.0, "cc": 1.0},
    size=(120, 160),
    batch=20,
    epochs=10,
    weight_decay=0.0,
    learning_rate=0.01,
)
