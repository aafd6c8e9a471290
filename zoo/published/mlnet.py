"""ML-Net (Cornia et al., ICPR 2016), as published: VGG16, maps of an eighth of the image.

Published hyper-parameters; published on SALICON, here on OSIE. A GPU is advised; not trained here.

Run: keras-saliency train mlnet --data osie=DIR
"""

from keras_saliency.training.recipe import Model, Recipe

RECIPE = Recipe(
    name="mlnet",
    data="osie",
    model=Model("mlnet", backbone=None, head="published", scale=0.125),
    loss={"wmse": 1.0},
    freeze_backbone=False,
    weight_decay=0.0,
    size=(480, 640),
    batch=10,
    epochs=20,
    optimizer="sgd",
    learning_rate=0.001,
    schedule="inverse",
    decay=0.0005,
    momentum=0.9,
    nesterov=True,
    patience=5,
    flip=False,
)
