"""DSCLRCN (Liu & Han, TIP 2018): ResNet-50, LSTMs along rows and columns, minus the NSS.

Published hyper-parameters, and published on SALICON, here on OSIE. There, images went through one by one and twenty
made a step, pretrained layers had a tenth of the learning rate, and AlexNet, here from random weights, knew places. A
GPU is needed; not trained here.

Run: keras-saliency train dsclrcn --data osie=DIR
"""

from keras_saliency.training.recipe import Model, Recipe

RECIPE = Recipe(
    name="dsclrcn",
    data="osie",
    model=Model("dsclrcn", backbone=None),
    loss={"nss": 1.0},
    freeze_backbone=False,
    freeze=("*_bn",),
    weight_decay=0.0005,
    size=(480, 640),
    batch=20,
    epochs=10,
    optimizer="sgd",
    learning_rate=0.01,
    schedule="steps",
    decay=0.4,
    momentum=0.9,
    flip=False,
)
