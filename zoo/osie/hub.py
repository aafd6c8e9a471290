"""Multi-level decoder on frozen backbones of KerasHub, OSIE. Not run: their weights must be downloaded first.

`osie_dinov2`: DINOv2 (Oquab et al. 2023) learned from images alone what belongs together, and its features tell places
well; the smallest one. `osie_siglip2`: SigLIP 2 (Tschannen et al. 2025) learned from texts, too, and knows faces, words
and other things that people name and look at. Features of all images take some GB of disk in `features/`.

Needs the extra `hub`, and the internet once; without, bring a preset folder: --set model.backbone=hub:FOLDER

Run: keras-saliency train osie_dinov2 --data osie=DIR
"""

from dataclasses import replace

from keras_saliency.training.recipe import Model, Recipe

DINOV2 = Recipe(
    name="osie_dinov2",
    data="osie",
    model=Model("multilevel", backbone="hub:dinov2_small"),
    loss={"nll": 1.0, "cc": 1.0},
    area=378 * 504,  # 27x36 patches of 14x14
    batch=20,
    epochs=12,
    weight_decay=1.0,
)
SIGLIP2 = replace(
    DINOV2,
    name="osie_siglip2",
    model=Model("multilevel", backbone="hub:siglip2_base_patch16_384"),
    area=384 * 512,  # 24x32 patches of 16x16
)

RECIPES = [DINOV2, SIGLIP2]
