"""MSI-Net's decoder on frozen EfficientNet-Lite0, OSIE. 2 CPU cores, minutes.

Test split, native resolution: NSS 3.18, AUC 0.917, CC 0.781, IG 1.90 bit, 85 % of the gold standard.
Adapted from the paper's network: backbone, width, size, loss and optimizer are ours.

Run: keras-saliency train osie_msi_net --data osie=DIR
"""

from keras_saliency.recipe import Model, Recipe

RECIPE = Recipe(
    name="osie_msi_net",
    data="osie",
    model=Model("msi-net", backbone="efficientnet-lite0", width=0.25),
    loss={"nll": 1.0, "cc": 1.0},
    size=(240, 320),
    batch=20,
    epochs=10,
    weight_decay=1.0,
)
