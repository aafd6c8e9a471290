"""Recipes and settings: valid values, and what a hand or a program may give in their place."""

import json
import math

VALUES = (
    *(0, -1, 1, 3, 10**8, 2**70, 10**400, 0.0, -0.5, 1e-3, 1e308, math.nan, math.inf, True, None),
    *("", "x", "../../x", "adamw", "steps", "x" * 5000, "a\nb"),
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
    nothing, both = dict.fromkeys(KEYS), {"schedule": "steps", "decay": 0}
    hostile = [{"loss": {"kld": math.nan}}, {"model": {"width": 10**400}}, both, {"x" * 5000: 1}]
    hostile += [{key: value} for key, value in nothing.items()]
    return valid, [("recipe.json", json.dumps(fields).encode()) for fields in hostile]


def settings():
    """Texts of the form KEY=VALUE, a line each."""
    texts = ["epochs", "=", "epochs=", "=3", "loss.=1", "model..name=x", "x" * 5000, "x" * 5000 + "=1", "size={[]: 1}"]
    texts += ["epochs=" + text * times for text, times in (("(", 300), ("9", 5000), ("-", 100_000), ("1+", 5000))]
    return [("settings.txt", b"epochs=3")], [("settings.txt", text.encode()) for text in texts]


def other_recipe(data, rng):
    """Up to three fields with other values."""
    del data
    return json.dumps({rng.choice(KEYS): rng.choice(VALUES) for _ in range(rng.choice((1, 1, 2, 3)))}).encode()


def other_settings(data, rng):
    """Up to three settings with other values."""
    del data
    return "\n".join(f"{rng.choice(KEYS)}={rng.choice(VALUES)}" for _ in range(rng.choice((1, 1, 2, 3)))).encode()
