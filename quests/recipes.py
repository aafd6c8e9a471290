"""What does the second term cost? The network of `osie_lite0` at its own size, with the loss of the recipes and `nll`.

Run: keras-saliency quest quests/recipes.py --data osie=DIR --out docs/quest
"""

from keras_saliency.losses import combo
from keras_saliency.quest import Grid, Study
from keras_saliency.zoo import find_recipe

STUDY = Study(
    "recipes",
    base=find_recipe("osie_lite0"),
    losses={name: {"loss": combo(name).weights} for name in ("nll + cc", "nll")},
    models={"multilevel": {}},
    data={"osie": {}},
    grids=(Grid(rates=(1e-3,), seeds=(0, 1)),),
)
