"""Which loss? All losses, published combinations and balanced ones, on two networks, two data sets and several seeds.

What it is to find out, and how it is analysed, was written down before it was run: docs/quest/plan.md.

Run: keras-saliency quest quests/losses.py --data osie=DIR --data scene=DIR --out docs/quest
"""

from keras_saliency.losses import PRESETS, combo
from keras_saliency.quest import Grid, Study
from keras_saliency.training.recipe import Model, Recipe

# Without those that are others by another name: sim, softmax_l1 (total_variation) and ig (nll).
SINGLE = (
    *("mse", "ae", "ead", "wmse"),
    *("kld", "reverse_kld", "bhattacharyya", "bce", "wbce", "focal", "nll"),
    *("total_variation", "cosine", "chi2", "softmax_l2"),
    *("nss", "exp_nss", "sigmoid_nss", "sfne", "cc"),
    "sinkhorn",
)
# Their weights as published; simplenet is tempsal, too.
PUBLISHED = (
    *("sam", "eml-net", "simplenet", "unisal", "salfbnet"),
    *("transalnet", "mds-vitnet", "salnas", "sum", "tavakoli"),
)
ONE_FAMILY = ("nll + kld", "cc + nss")
# Every term with an equal share of the gradient.
BALANCED = (
    *("kld + cc", "kld + nss", "nll + cc", "nll + nss", "bhattacharyya + nss", "total_variation + nss"),
    *("nll + ae", "nll + sinkhorn", "kld + nss + mse", "nll + cc + ae", "nll + cc + sinkhorn", "kld + cc + nss"),
    *ONE_FAMILY,
)
LEARNED = ("nll + cc", "kld + cc + nss")  # the weights by uncertainty
PERCEPTUAL = ("deep_features", "gram", "nll + cc + deep_features", "kld + nss + mse + deep_features", "nll + cc + gram")


SEEN_BY = {name: {"backbone": "efficientnet-lite0"} for name in ("deep_features", "gram")}
NEVER_NEGATIVE = {"nss": {"relative": True}}  # or no weight can be learned

COMPARED = (*SINGLE, *PUBLISHED, *BALANCED, *(f"{name}, learned" for name in LEARNED))
ELSEWHERE = (*SINGLE, "sam", *BALANCED)  # on the second network
RATES = (3e-3, 1e-2)
# By the rule of the plan: the best two combinations and single losses on OSIE's validation split, the better first.
FINALISTS = ("sam", "kld + nss", "nll", "sigmoid_nss", "mse")
WHOLE = ("sam", "nll", "mse")
# Trainings that told no more of an image than the centre bias does, by network, data and seed: again at the lower rate.
BROKEN = {
    ("multilevel", "scene", 1): ("mse", "focal", "softmax_l2"),
    ("multilevel", "scene", 2): ("focal",),
    ("attentive", "osie", 1): ("softmax_l2",),
    ("attentive", "osie", 2): ("mse", "focal", "cosine", "softmax_l2", "nll + kld"),
    ("attentive", "osie", 3): ("sigmoid_nss",),
    ("attentive", "osie", 4): ("nll", "sigmoid_nss"),
    ("attentive", "scene", 0): ("mse", "wbce", "sinkhorn", "kld + cc", "nll + cc", "kld + cc + nss", "nll + 1 cc"),
    ("attentive", "scene", 1): ("mse", "cosine", "softmax_l2", "sinkhorn"),
    ("attentive", "scene", 2): (
        *("mse", "focal", "total_variation", "sinkhorn", "nll + cc", "nll + nss"),
        *("total_variation + nss", "nll + ae", "kld + nss + mse", "nll + cc + ae"),
        *("nll + 0.5 nss", "nll + 1 cc"),
    ),
}
PERCEPTUAL_RATE = 1e-2
# When all else was there: `nll` with a little of another, and the finalist that has the lower rate with `attentive`.
LITTLE = {"nll + 0.5 nss": {"nll": 1.0, "nss": 0.5}, "nll + 1 cc": {"nll": 1.0, "cc": 1.0}}
AFTERWARDS = {**dict.fromkeys(LITTLE, ("multilevel", "attentive")), "sam": ("attentive",)}
FEW = ("mse", "kld", "nll", "cc", "nss", "sam", "nll + cc", "kld + cc + nss")


def losses(names, **changes):
    """What recipes change for sums of losses, each with a weight of one."""
    return {name: {"loss": dict.fromkeys(name.split(" + "), 1.0), **changes} for name in names}


STUDY = Study(
    "losses",
    base=Recipe("base", "osie", Model("multilevel", width=0.25), {"kld": 1.0}, area=192 * 256, weight_decay=1.0),
    losses={
        **losses(SINGLE),
        **{name: {"loss": combo(PRESETS[name]).weights} for name in PUBLISHED},
        **losses(BALANCED, balance="gradient"),
        **{
            f"{name}, learned": {
                **changes,
                "balance": "uncertainty",
                "loss_options": NEVER_NEGATIVE if "nss" in name else {},
            }
            for name, changes in losses(LEARNED).items()
        },
        **{
            name: {**changes, "balance": "gradient", "loss_options": {k: v for k, v in SEEN_BY.items() if k in name}}
            for name, changes in losses(PERCEPTUAL).items()
        },
        **{name: {"loss": weights} for name, weights in LITTLE.items()},
    },
    models={"multilevel": {}, "attentive": {"model": {"name": "attentive", "width": 0.125}}},
    data={"osie": {"epochs": 8}, "scene": {"epochs": 10}},  # 200 steps each
    grids=(
        # Those first that tell the finalists; one network, then the other.
        Grid(COMPARED, ("multilevel",), ("osie",), rates=RATES),
        Grid(COMPARED, ("multilevel",), ("osie",), seeds=(0, 1, 2)),
        Grid(COMPARED, ("multilevel",), ("scene",), seeds=(0, 1, 2)),
        Grid(
            WHOLE,
            ("multilevel",),
            seeds=(0, 1, 2),
            # The last stage of the recipe "recommended".
            then={"freeze_backbone": False, "freeze": ("*_bn",), "epochs": 3, "batch": 10, "learning_rate": 1e-4},
        ),
        Grid(ELSEWHERE, ("attentive",), ("osie",), rates=RATES),
        Grid(ELSEWHERE, ("attentive",), ("osie", "scene"), seeds=(0, 1, 2)),
        Grid(FINALISTS, seeds=(3, 4)),
        *(
            Grid(FEW, ("multilevel",), ("osie",), seeds=(0, 1, 2), changes={"images": images, "epochs": epochs})
            for images, epochs in ((50, 67), (150, 25))  # 200 steps
        ),
        Grid(PERCEPTUAL, ("multilevel",), ("osie",), seeds=(0, 1, 2), rates=(PERCEPTUAL_RATE,)),
        # What has another rate than the perceptual one that it is compared with.
        Grid(("kld + nss + mse",), ("multilevel",), ("osie",), (0, 1, 2), changes={"learning_rate": PERCEPTUAL_RATE}),
        *(
            # As a change, or the other losses would be compared with it, too.
            Grid(names, (model,), (data,), (seed,), rates=RATES[:1], changes={"learning_rate": RATES[0]})
            for (model, data, seed), names in BROKEN.items()
        ),
        *(
            Grid((name,), models, seeds=(0, 1, 2), rates=RATES[1:], changes={"learning_rate": RATES[1]})
            for name, models in AFTERWARDS.items()
        ),
    ),
)
