"""The weights that a release is given, by name, in the order in which it asked for them."""

import torch
from drawn import draw

# name -> shape, and whether the release convolves by the kernel turned over, as Theano does.
ASKED: dict[str, tuple[tuple[int, ...], bool]] = {}


def tensor(name, shape, flipped=False):
    """Draws a tensor and notes it."""
    ASKED[name] = tuple(int(side) for side in shape), flipped
    return torch.from_numpy(draw(name, ASKED[name][0]))
