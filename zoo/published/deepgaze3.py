"""DeepGaze III (Kümmerer, Bethge & Wallis 2022): where the eyes go next, on frozen DenseNet-201, maximum likelihood.

29,741 parameters, of which 20,697 are those of the spatial network, which is trained before. Published on SALICON, then
MIT1003, in images of 768x1024 which the network sees at half their size, in four stages and ten copies; here on OSIE,
in two stages, one copy. Of the optimizer, the learning rate, which falls to a tenth every three epochs, and the batch
are published; weight decay is none. That features are repeated, not interpolated, is as far as we know. Not trained
here.

Run: keras-saliency train deepgaze3 --data osie=DIR
"""

import dataclasses

from keras_saliency.training.recipe import Model, Recipe

SPATIAL = Recipe(
    name="spatial",
    data="osie",
    model=Model("deepgaze3", backbone=None),
    loss={"nll": 1.0},
    area=384 * 512,
    batch=4,
    epochs=12,
    optimizer="adam",
    schedule="steps",
    decay=0.1,
    decay_epochs=3,
    weight_decay=0.0,
    flip=False,
)
RECIPE = dataclasses.replace(SPATIAL, name="deepgaze3", histories=8, start=SPATIAL)
