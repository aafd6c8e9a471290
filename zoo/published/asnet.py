"""ASNet's branch of fixations (Wang et al., CVPR 2018): maps of a sixteenth of the image.

Size, batch and epochs are published; published on SALICON, here on OSIE, where the branches of salient objects, which
were trained with it, are left out. Loss, from memory, optimizer and its numbers are ours. A GPU is advised; not trained
here.

Run: keras-saliency train asnet --data osie=DIR
"""

from keras_saliency.training.recipe import Model, Recipe

RECIPE = Recipe(
    name="asnet",
    data="osie",
    model=Model("asnet", backbone=None, head="published", scale=1 / 16),
    loss={"kld": 1.0},
    freeze_backbone=False,
    weight_decay=0.0,
    size=(224, 224),
    batch=4,
    epochs=12,
    optimizer="adam",
    learning_rate=0.0001,
)
