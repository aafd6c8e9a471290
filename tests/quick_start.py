"""Imported first by the processes of the tests that start a backend of their own."""

import keras
import numpy as np


def _uniform(key, shape=(), dtype="float32", minval=0.0, maxval=1.0, **options):
    return jax.numpy.asarray(np.random.default_rng(0).uniform(minval, maxval, shape), dtype)


if keras.backend.backend() == "jax":
    import jax

    # JAX compiles a program for each shape of initial weights, which takes longer than all else; NumPy does not.
    jax.random.uniform = _uniform
