"""Web pages, after the idea of Shen & Zhao (2014) and EPL (Gu et al. 2018): learned from pages, with their own prior.

A network that knows photographs learns pages, with the density of where people look on pages, wherever that is, as its
centre bias: much of what is known of a page is that its upper left is read. Published are features of text and faces
joined by multiple kernels, and a variational auto-encoder of positions; neither is here, and all numbers are ours.

`webpages`: on the 16 pages that eyevis has for training; 2 CPU cores, half an hour beside other work. Test split, 12
pages: NSS 1.40, AUC 0.828, CC 0.563, 35 % of the gold standard's information. `webpages_fiwi`: on FiWI; not run. Both
begin at the same network, trained on OSIE.

Run: keras-saliency train webpages --data osie=DIR --data eyevis=DIR
"""

import dataclasses

from keras_saliency.training.recipe import Model, Recipe

PHOTOGRAPHS = Recipe(
    name="photographs",
    data="osie",
    model=Model("multilevel", backbone="efficientnet-lite0"),
    loss={"nll": 1.0, "cc": 1.0},
    area=384 * 512,
    batch=20,
    epochs=12,
    weight_decay=1.0,
    dropout=0.2,
)
EYEVIS = dataclasses.replace(
    PHOTOGRAPHS, name="webpages", data="eyevis", batch=4, epochs=20, learning_rate=3e-4, start=PHOTOGRAPHS
)
FIWI = dataclasses.replace(EYEVIS, name="webpages_fiwi", data="fiwi", batch=10, epochs=12)

RECIPES = [EYEVIS, FIWI]
