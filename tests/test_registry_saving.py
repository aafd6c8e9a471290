"""Every architecture of the table: saved, loaded elsewhere, served, and run on another backend."""

import os
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf
from registry import ODD, SIZE, batch, gives_log_density, small

import keras_saliency as ks
from keras_saliency.export import load_saved_model
from keras_saliency.models import ARCHITECTURES

PREDICT = """
import sys
from pathlib import Path
import keras, keras_saliency, numpy as np
folder = Path(sys.argv[1])
inputs = np.load(folder / "images.npz")
maps = {}
for path in sorted(folder.glob("*.keras")):
    model = keras.models.load_model(path)
    for key in inputs:
        maps[f"{path.stem}/{key}"] = keras.ops.convert_to_numpy(model(inputs[key], training=False))
np.savez(sys.argv[2], **maps)
"""


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """A folder with every model, the images, and what each model makes of them, by name and size."""
    folder, rng = tmp_path_factory.mktemp("models"), np.random.default_rng(0)
    images = {"as_made": batch(rng)[0], "odd": batch(rng, ODD)[0]}
    np.savez(folder / "images.npz", **images)
    maps = {}
    for name in ARCHITECTURES:
        model = small(name)
        model.save(folder / f"{name}.keras")
        for key, batch_ in images.items():
            maps[f"{name}/{key}"] = np.array(model(batch_, training=False))
    return folder, maps


def predict_elsewhere(folder, output, backend):
    environment = {**os.environ, "KERAS_BACKEND": backend}
    subprocess.run([sys.executable, "-c", PREDICT, str(folder), str(output)], env=environment, check=True)
    return np.load(output)


@pytest.mark.parametrize(("backend", "tolerance"), [("tensorflow", 1e-5), ("jax", 1e-4)])
def test_every_model_loads_in_a_fresh_process(backend, tolerance, saved, tmp_path):
    pytest.importorskip(backend)
    folder, maps = saved
    received = predict_elsewhere(folder, tmp_path / "maps.npz", backend)
    assert set(received) == set(maps)
    for key, expected in maps.items():
        np.testing.assert_allclose(received[key], expected, rtol=tolerance, atol=tolerance, err_msg=key)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_every_model_is_served(name, tmp_path, rng):
    model = small(name)
    ks.export_saved_model(model, tmp_path / "1")
    serve, log_density = load_saved_model(tmp_path / "1")
    assert log_density == gives_log_density(name)
    images = rng.integers(0, 256, (2, *SIZE, 3), dtype="uint8")
    expected = np.array(model(images.astype("float32"), training=False))
    if not log_density:
        expected = expected / np.maximum(expected.max((1, 2), keepdims=True), 1e-30)
    np.testing.assert_allclose(serve([tf.io.encode_png(image).numpy() for image in images]), expected, atol=1e-5)
