"""What the tests of all architectures share."""

import numpy as np

import keras_saliency as ks
from keras_saliency.models import ARCHITECTURES

SIZE, ODD = (64, 96), (75, 101)
# Those that take seconds to build and to run, or differ little from another in what these tests look at.
SLOW = (
    *("sam-vgg", "sam-resnet", "msi-net", "simplenet", "eml-net", "dva", "salicon", "salgan", "salnet"),
    *("deepgaze1", "deepgaze2", "deepgaze3", "unisal", "attentive", "asnet", "dsclrcn"),
)


def small(name, **options):
    """An architecture as published, but for a narrow decoder, random weights and a small image."""
    # DeepGaze's readout is narrow as it is, and one channel of ReLU is dead in every other draw.
    width = 1.0 if ARCHITECTURES[name].decode.__name__ == "readout" else 1 / 16
    return ks.create_model(name, **{"weights": None, "input_size": SIZE, "width": width, **options})


def gives_log_density(name):
    return ARCHITECTURES[name].finish is None


def batch(rng, size=SIZE, count=2):
    """Images and packed targets."""
    shape = (count, *size, 1)
    density, fixations = rng.random(shape), rng.poisson(0.02, shape)
    fixations[:, 5, 5] += 1
    return rng.uniform(0, 255, (*shape[:-1], 3)).astype("float32"), np.array(ks.pack_targets(density, fixations))
