"""DeepGaze II's readout on frozen EfficientNet-Lite0, OSIE. 2 CPU cores, 3 min beside other work.

Test split, native resolution: NSS 2.85, AUC 0.903, CC 0.713, IG 1.62 bit, 72 % of the gold standard.
Adapted from the paper's network: backbone, width, size, loss and optimizer are ours.

Run: keras-saliency train osie_deepgaze2 --data osie=DIR
"""

from keras_saliency.recipe import Model, Recipe

RECIPE = Recipe(
    name="osie_deepgaze2",
    data="osie",
    model=Model("deepgaze2", backbone="efficientnet-lite0"),
    loss={"nll": 1.0, "cc": 1.0},
    size=(240, 320),
    batch=20,
    epochs=10,
    weight_decay=1.0,
)
