"""Our recommendation: two backbones, each pre-trained on the mouse, then the eye, tuned whole, and mixed.

OSIE. 2 CPU cores, 31 min of features and training beside other work.

Test split, native resolution: NSS 3.49, AUC 0.925, CC 0.806, IG 2.07 bit, 92 % of the gold standard.
Multi-level decoder, learned blur and centre bias; log-densities averaged as in DeepGaze IIE (Linardos et al. 2021).

Run: keras-saliency train recommended --data osie=DIR
"""

import dataclasses

from keras_saliency.training.recipe import Model, Recipe


def member(backbone):
    """Three stages: the decoder on mouse data, the decoder on fixations, and the whole network on fixations."""
    mouse = Recipe(
        name=f"{backbone}-mouse",
        data="osie-mouse",
        model=Model("multilevel", backbone=backbone),
        loss={"nll": 1.0, "cc": 1.0},
        area=384 * 512,
        batch=20,
        epochs=8,
        weight_decay=1.0,
    )
    decoder = dataclasses.replace(mouse, name=f"{backbone}-decoder", data="osie", epochs=10, start=mouse)
    return dataclasses.replace(
        decoder,
        name=f"{backbone}-whole",
        batch=10,
        epochs=3,
        learning_rate=1e-4,
        freeze_backbone=False,
        freeze=("*_bn",),
        start=decoder,
    )


RECIPE = Recipe(
    name="recommended",
    data="osie",
    area=384 * 512,
    members=(member("efficientnet-lite0"), member("efficientnet-lite2")),
)
