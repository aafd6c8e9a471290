"""Earth mover's distance between two maps, solved exactly by POT (Python Optimal Transport)."""

import os

import keras
import numpy as np
from PIL import Image

from keras_saliency.formulas.maps import Map
from keras_saliency.formulas.types import Maps, Values

REDUCTION = 32  # by which the MIT benchmark shrinks both maps first


def emd(density: Maps | Map, prediction: Maps | Map) -> Values:
    """The least work that turns one map into the other: mass times Euclidean distance, in pixels of the shrunk maps.

    Both maps are shrunk to 1/32 (antialiased bicubic, sides rounded up) and divided by their sums, so that no mass is
    left over. Lower is better; zero for equal maps; an all-zero map is read as uniform. On the TensorFlow backend the
    graph calls NumPy, which XLA cannot compile. Source: Rubner, Tomasi & Guibas (2000); Pele & Werman (2008); the MIT
    saliency benchmark.

    Args:
        density: A map `(batch, height, width, 1)` or `Map`.
        prediction: The map, or `Map`, to compare with it.

    Returns:
        `(batch,)`; it has no gradient.
    """
    maps = [Map.of(part).density for part in (density, prediction)]
    if all(isinstance(part, np.ndarray) for part in maps):
        return _emd_of_arrays(*maps)
    return _ON_HOST[keras.backend.backend()](*maps)


def _emd_of_arrays(truth, prediction):
    # POT would load every framework that is installed.
    for name in ("TENSORFLOW", "JAX", "PYTORCH", "CUPY"):
        os.environ.setdefault(f"POT_BACKEND_DISABLE_{name}", "1")
    import ot

    height, width = (-(-side // REDUCTION) for side in truth.shape[1:3])
    places = np.stack(np.mgrid[:height, :width], -1).reshape(-1, 2).astype("float64")
    distances = ot.dist(places, places, "euclidean")
    masses = [[_shrink(map_[..., 0], (width, height)) for map_ in part] for part in (truth, prediction)]
    pairs = zip(*masses, strict=True)
    return np.array([ot.emd2(s, p, distances) if np.isfinite(s + p).all() else np.nan for s, p in pairs], truth.dtype)


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
