"""MSI-Net (Kroner et al. 2020), as published: VGG16, images of the size that the paper has for OSIE.

Published hyper-parameters; published on SALICON, then each data set, here on OSIE. A GPU is advised; not trained here.

Run: keras-saliency train msi_net --data osie=DIR
"""

from keras_saliency.training.recipe import Model, Recipe

RECIPE = Recipe(
    name="msi_net",
    data="osie",
    model=Model("msi-net", backbone=None, head="published"),
    loss={"kld": 1.0},
    freeze_backbone=False,
    weight_decay=0.0,
    size=(240, 320),
    batch=1,
    epochs=10,
    optimizer="adam",
    learning_rate=1e-05,
    schedule="constant",
    patience=10,
    flip=False,
)
