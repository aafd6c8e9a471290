"""Models for pictures of any recording, trained on four data sets, with a head for each; they come with the package.

OSIE, its mouse data, Scene and eyevis. Multi-level decoder; all of the network but its first three stages is trained.

`general`: two networks, each of which looks at two sizes. `fast`: one network without its last stage. The first network
of `general` alone, for the table of what is not seen: `general_but_SET`, trained without a data set, which calibrates
the average head, too, and `general_only_SET`, trained on nothing else.

`scripts/train_general.py` trains all of them, has `fast` learn the maps of `general`, finds the numbers of the heads on
validation splits and on what is left out, and writes the weights into the package: hours on 2 CPU cores.

Run: keras-saliency train general --data osie=DIR --data scene=DIR --data eyevis=DIR
"""

import dataclasses

from keras_saliency.training.recipe import Model, Recipe

# What is left out together: the same photographs.
SETS = {"osie": ("osie", "osie-mouse"), "scene": ("scene",), "eyevis": ("eyevis",)}
LITE0, LITE2 = "efficientnet-lite0", "efficientnet-lite2"
AREA = 384 * 512


def member(backbone: str, data: tuple[str, ...], taps: tuple[str, ...] | None = None) -> Recipe:
    """Two stages: the decoder, then all of the network but its first layers, which stay as they are."""
    mouse = {"osie-mouse": 0.5} if "osie-mouse" in data else {}
    decoder = Recipe(
        name=f"{backbone}-decoder",
        data=data,
        model=Model("multilevel", backbone=backbone, taps=taps),
        loss={"nll": 1.0, "cc": 1.0},
        area=AREA,
        batch=20,
        epochs=6,
        weight_decay=1.0,
        dropout=0.2,
        heads=True,
        data_weights=mouse,
    )
    return dataclasses.replace(
        decoder,
        name=backbone,
        batch=10,
        epochs=8,
        learning_rate=2e-4,
        freeze_backbone=False,
        frozen_to="stage3_out",
        freeze=("*_bn",),
        start=decoder,
    )


def mixture(name: str, data: tuple[str, ...], *backbones: str) -> Recipe:
    """A network on each of the backbones, each of which looks at two sizes."""
    members = tuple(member(backbone, data) for backbone in backbones)
    return Recipe(name=name, data=data, area=AREA, members=members, sizes=(1.5, 0.75))


def all_but(left: str | None) -> tuple[str, ...]:
    """The data sets without one, and what is left out with it."""
    return tuple(part for name, parts in SETS.items() if name != left for part in parts)


GENERAL = mixture("general", all_but(None), LITE0, LITE2)
BUT = {name: mixture(f"general_but_{name}", all_but(name), LITE0) for name in SETS}
ONLY = {name: mixture(f"general_only_{name}", (name,), LITE0) for name in SETS}
# Maps of photographs that it has from `general` already, so without the mouse data.
SMALL = member(LITE0, tuple(SETS), ("stage3_out", "stage4_out", "stage5_out", "stage6_out"))
PUPIL = dataclasses.replace(SMALL, loss={"kld": 1.0, "nll": 1.0, "cc": 1.0})
FAST = dataclasses.replace(GENERAL, name="fast", data=PUPIL.data, members=(PUPIL,), sizes=(1.1, 0.55))
RECIPES = [GENERAL, FAST, *BUT.values(), *ONLY.values()]
