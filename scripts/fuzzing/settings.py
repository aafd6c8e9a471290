"""Recipes and settings: valid values, and what a hand or a program may give in their place."""

import json
import math

VALUES = (
    *(0, -1, 1, 3, 10**8, 2**70, 0.0, -0.5, 1e-3, 1e308, math.nan, math.inf, True, None, "", "x", "../../x", "adamw"),
    *([], [1, 2], [0, 0], [240, 320], [-1, 5], [1e9, 2], {}, {"kld": 1.0}, {"kld": "x"}, {"cc": -1}, {"kld": math.nan}),
)
KEYS = (
    *("name", "data", "loss", "loss.kld", "loss.cc", "size", "batch", "epochs", "optimizer", "learning_rate"),
    *("schedule", "decay", "decay_epochs", "momentum", "nesterov", "weight_decay", "clip_norm", "patience"),
    *("freeze_backbone", "freeze", "supervise_sides", "flip", "seed", "start", "members", "model", "model.name"),
    *(
        "model.backbone",
        "model.weights",
        "model.head",
        "model.stride",
        "model.width",
        "model.scale",
        "nothing",
        "a.b.c",
    ),
)


def recipes():
    """JSON objects from field to value."""
    valid = [("recipe.json", json.dumps({"epochs": 3, "loss": {"kld": 1.0}}).encode())]
    return valid, [("recipe.json", json.dumps({key: value}).encode()) for key in ("loss", "model") for value in VALUES]


def settings():
    """Texts of the form KEY=VALUE, a line each."""
    texts = ("epochs", "=", "epochs=", "=3", "epochs=" + "(" * 300, "epochs=" + "9" * 5000, "loss.=1", "model..name=x")
    return [("settings.txt", b"epochs=3")], [("settings.txt", text.encode()) for text in texts]


def other_recipe(data, rng):
    """Up to three fields with other values."""
    del data
    return json.dumps({rng.choice(KEYS): rng.choice(VALUES) for _ in range(rng.randint(1, 3))}).encode()


def other_settings(data, rng):
    """Up to three settings with other values."""
    del data
    return "\n".join(f"{rng.choice(KEYS)}={rng.choice(VALUES)}" for _ in range(rng.randint(1, 3))).encode()
