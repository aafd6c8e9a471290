"""Multi-level decoder on frozen EfficientNet-Lite2, OSIE. 2 CPU cores, 6 min of features and training.

Test split, native resolution: NSS 3.33, AUC 0.921, CC 0.789, IG 1.97 bit, 87 % of the gold standard.
Decoder in the manner of ML-Net (Cornia et al. 2016); data of Xu et al. (2014); likelihood loss of DeepGaze.

Run: keras-saliency train osie_lite2 --data osie=DIR
"""

from keras_saliency.training.recipe import Model, Recipe

RECIPE = Recipe(
    name="osie_lite2",
    data="osie",
    model=Model("multilevel", backbone="efficientnet-lite2"),
    loss={"nll": 1.0, "cc": 1.0},
    area=384 * 512,
    batch=20,
    epochs=12,
    weight_decay=1.0,
)
