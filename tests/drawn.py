"""Weights and an image by a rule, so that two networks can be given the same without a file.

`scripts/release_golden.py` gives them to the code of the authors, `tests/models/test_conformity.py` to ours.
"""

import math
import zlib

import numpy as np

COUNT = 24  # values that are kept of each map


def draw(name, shape):
    """The tensor of a release by its name, float32, in PyTorch's layout (out, in, height, width).

    Kernels are normal with the variance 2 / fan-in, so that ReLUs stay alive; variances lie in [0.5, 1.5]; priors,
    which are centres and deviations of Gaussians, in [0.35, 0.65]; gains vary around one, all others around zero, both
    with the deviation 0.1.
    """
    rng, kind = np.random.default_rng(zlib.crc32(name.encode())), name.rpartition(".")[2]
    if kind == "running_var":
        values = rng.uniform(0.5, 1.5, shape)
    elif kind == "priors":
        values = rng.uniform(0.35, 0.65, shape)
    elif len(shape) > 2 or (len(shape) == 2 and kind == "weight"):
        values = rng.standard_normal(shape, "float32") * math.sqrt(2 / math.prod(shape[1:]))
    else:
        values = 0.1 * rng.standard_normal(shape) + (kind == "weight")
    return values.astype("float32")


def image(size):
    """A photograph of noise over a few broad waves: `(1, height, width, 3)`, whole numbers from 0 to 255."""
    rng = np.random.default_rng(sum(size))
    y, x = (np.linspace(0, 3, side)[:, None] for side in size)
    waves = np.sin(y[:, None] * rng.uniform(1, 3, 3) + x[None] * rng.uniform(1, 3, 3) + rng.uniform(0, 6, 3))
    return np.clip(np.rint(128 + 60 * waves + rng.normal(0, 40, (*size, 3))), 0, 255)[None].astype("float32")


def digest(maps):
    """What is kept of `(height, width, channels)`: the shape, mean and deviation of all, and values at fixed places."""
    maps = np.asarray(maps, "float64")
    values = maps.ravel()[np.random.default_rng(maps.size).integers(0, maps.size, COUNT)]
    return {
        "shape": list(maps.shape),
        "mean": float(f"{maps.mean():.7g}"),
        "deviation": float(f"{maps.std():.7g}"),
        "values": [float(f"{value:.7g}") for value in values],
    }
