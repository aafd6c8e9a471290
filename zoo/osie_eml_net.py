"""EML-NET's readouts on frozen EfficientNet-Lite0, OSIE. 2 CPU cores, 2 min beside other work.

Test split, native resolution: NSS 2.83, AUC 0.901, CC 0.731, IG 1.55 bit, 69 % of the gold standard.
Adapted from the paper's network: backbone, width, size, loss and optimizer are ours.

Run: keras-saliency train osie_eml_net --data osie=DIR
"""

from keras_saliency.recipe import Model, Recipe

RECIPE = Recipe(
    name="osie_eml_net",
    data="osie",
    model=Model("eml-net", backbone="efficientnet-lite0"),
    loss={"nll": 1.0, "cc": 1.0},
    size=(240, 320),
    batch=20,
    epochs=10,
    weight_decay=1.0,
)
