"""Earth mover's distance between two maps, solved exactly by POT (Python Optimal Transport)."""

import itertools
import math
import os

import keras
import numpy as np
from PIL import Image

from keras_saliency.formulas.maps import Map
from keras_saliency.formulas.types import Maps, Values

REDUCTION = 32  # by which the MIT benchmark shrinks both maps first
CELLS = 8704  # of the grid at most, those of 4096x2160 pixels, which take half a minute
PIVOTS = 10**9  # of the simplex at most: no grid of so few cells comes near it


def emd(density: Maps | Map, prediction: Maps | Map) -> Values:
    """The least work that turns one map into the other: mass times Euclidean distance, in pixels of the shrunk maps.

    Both maps are shrunk to 1/32 (antialiased bicubic, sides rounded up) and divided by their sums, so that no mass is
    left over. Where that leaves more than 8,704 cells, beyond 4096x2160 pixels, they are shrunk by the least multiple
    of 32 that does not; the unit stays, and the value is that of the coarser grid. Lower is better; zero for equal
    maps; an all-zero map is read as uniform. On the TensorFlow backend the graph calls NumPy, which XLA cannot compile.
    Source: Rubner, Tomasi & Guibas (2000); Pele & Werman (2008); the MIT saliency benchmark.

    Args:
        density: A map `(batch, height, width, 1)` or `Map`.
        prediction: The map, or `Map`, to compare with it.

    Returns:
        `(batch,)`; it has no gradient.

    Raises:
        RuntimeError: If the least work is not found, which has not been seen.
    """
    maps = [Map.of(part).density for part in (density, prediction)]
    if all(isinstance(part, np.ndarray) for part in maps):
        return _emd_of_arrays(*maps)
    return _ON_HOST[keras.backend.backend()](*maps)


def _emd_of_arrays(truth, prediction):
    # POT would load every framework that is installed.
    for name in ("TENSORFLOW", "JAX", "PYTORCH", "CUPY"):
        os.environ.setdefault(f"POT_BACKEND_DISABLE_{name}", "1")
    whole = tuple(-(-side // REDUCTION) for side in truth.shape[1:3])
    grids = ([-(-side // factor) for side in whole] for factor in itertools.count(1))
    grid = next(sides for sides in grids if math.prod(sides) <= CELLS)
    places = np.indices(grid).reshape(2, -1).T * np.divide(whole, grid)
    masses = [[_shrink(map_[..., 0], grid[::-1]) for map_ in part] for part in (truth, prediction)]
    return np.array([_least_work(*pair, places) for pair in zip(*masses, strict=True)], truth.dtype)


def _least_work(here, there, places):
    """Mass times distance between two distributions over `(cells, 2)` places."""
    import ot

    if not np.isfinite(here + there).all():
        return np.nan
    # By the triangle inequality it costs nothing to leave where it is what both have at a place. What is left to be
    # solved has a quarter of the arcs, or fewer.
    surplus = here - there
    gives, takes = surplus > 0, surplus < 0
    if not (gives.any() and takes.any()):
        return 0.0
    masses = surplus[gives], -surplus[takes]
    shares = (mass / mass.sum() for mass in masses)
    distances = ot.dist(places[gives], places[takes], "euclidean")
    work, log = ot.emd2(*shares, distances, numItermax=PIVOTS, log=True)
    if log["warning"] is not None:
        raise RuntimeError(
            f"EMD is not solved on {len(places)} cells after {PIVOTS} pivots ({log['warning']}). Score smaller maps."
        )
    return work * masses[0].sum()


def _shrink(density, size):
    image = Image.fromarray((density * density.size).astype("float32"))
    shrunk = np.maximum(np.asarray(image.resize(size, Image.Resampling.BICUBIC), "float64").ravel(), 0.0)
    # Nothing is left of an image that is padding alone.
    return shrunk / shrunk.sum() if shrunk.sum() != 0 else np.full(shrunk.size, 1 / shrunk.size)


def _in_tensorflow(truth, prediction):
    import tensorflow as tf

    return tf.ensure_shape(tf.numpy_function(_emd_of_arrays, (truth, prediction), truth.dtype), truth.shape[:1])


def _in_jax(truth, prediction):
    import jax

    form = jax.ShapeDtypeStruct(truth.shape[:1], truth.dtype)
    return jax.pure_callback(lambda *maps: _emd_of_arrays(*map(np.asarray, maps)), form, truth, prediction)


def _in_torch(truth, prediction):
    arrays = (keras.ops.convert_to_numpy(part) for part in (truth, prediction))
    return keras.ops.convert_to_tensor(_emd_of_arrays(*arrays))


_ON_HOST = {"tensorflow": _in_tensorflow, "jax": _in_jax, "torch": _in_torch}
