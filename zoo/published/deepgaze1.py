"""DeepGaze I (Kümmerer et al. 2015): a linear readout of frozen features, here VGG19's, maximum likelihood.

Published on MIT1003, here on OSIE. Optimizer and its numbers are ours; not trained here. Published on AlexNet, whose
weights are in no package: who has them adds `--set model.backbone=alexnet --set model.weights=FILE.weights.h5`.

Run: keras-saliency train deepgaze1 --data osie=DIR
"""

from keras_saliency.training.recipe import Model, Recipe

RECIPE = Recipe(
    name="deepgaze1",
    data="osie",
    model=Model("deepgaze1", backbone=None),
    loss={"nll": 1.0},
    size=(240, 320),
    batch=16,
    epochs=20,
    optimizer="adam",
    learning_rate=0.001,
    weight_decay=0.0,
    flip=False,
)
