"""DVA's decoders on frozen EfficientNet-Lite0, OSIE. 2 CPU cores, 5 min beside other work.

Test split, native resolution: NSS 2.71, AUC 0.900, CC 0.690, IG 1.52 bit, 68 % of the gold standard.
Adapted from the paper's network: backbone, width, size, loss and optimizer are ours.

Run: keras-saliency train osie_dva --data osie=DIR
"""

from keras_saliency.recipe import Model, Recipe

RECIPE = Recipe(
    name="osie_dva",
    data="osie",
    model=Model("dva", backbone="efficientnet-lite0", width=0.5),
    loss={"nll": 1.0, "cc": 1.0},
    size=(240, 320),
    batch=20,
    epochs=10,
    weight_decay=1.0,
    supervise_sides=True,
)
