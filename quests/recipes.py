"""Which loss do the recipes take? The network of `osie_lite0`, at its own size, under three losses of docs/quest.md.

Run: keras-saliency quest quests/recipes.py --data osie=DIR
"""

from keras_saliency.losses import combo
from keras_saliency.quest import Grid, Study
from keras_saliency.zoo import find_recipe

STUDY = Study(
    "recipes",
    base=find_recipe("osie_lite0"),
    losses={name: {"loss": combo(name).weights} for name in ("nll + cc", "nll", "quest")},
    models={"multilevel": {}},
    data={"osie": {}},
    grids=(Grid(rates=(1e-3,), seeds=(0, 1)),),
)
