"""SalGAN's generator on frozen EfficientNet-Lite0, OSIE. 2 CPU cores, 3 min beside other work.

Test split, native resolution: NSS 2.36, AUC 0.882, CC 0.669, IG 1.30 bit, 58 % of the gold standard.
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
