"""Every architecture of the table through its life: any size, saved, loaded elsewhere, served, trained."""

import os
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
from conftest import REPOSITORY, slowly
from registry import ODD, SIZE, SLOW, batch, gives_log_density, small

import keras_saliency as ks
from keras_saliency.models import ARCHITECTURES
from keras_saliency.serving.export import load_saved_model

PREDICT = """
import sys
from pathlib import Path
import quick_start
import keras, keras_saliency, numpy as np
folder, images, maps = Path(sys.argv[1]), np.load(Path(sys.argv[1]) / "images.npy"), {}
for path in sorted(folder.glob("*.keras")):
    model = keras.models.load_model(path)
    model.run_eagerly = keras.backend.backend() == "tensorflow"  # whose graph takes longer to make
    maps[path.stem] = model.predict(images, verbose=0)
np.savez(sys.argv[2], **maps)
"""


@pytest.fixture(scope="module", params=slowly(ARCHITECTURES, SLOW))
def model(request):
    """Each architecture, built once for the tests that follow."""
    keras.utils.set_random_seed(1)
    return small(request.param)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Where all models lie, and images of an odd size."""
    folder = tmp_path_factory.mktemp("models")
    np.save(folder / "images.npy", batch(np.random.default_rng(0), ODD)[0])
    return folder


@pytest.fixture(scope="module")
def expected():
    """What each model makes of these images, by name."""
    return {}


def keep(model, maps, folder, expected):
    expected[model.name] = maps
    model.save(folder / f"{model.name}.keras")


def test_images_of_any_number_and_size_are_taken(model, folder, expected, rng):
    for images, eagerly in ((batch(rng, SIZE, 1)[0], True), (np.load(folder / "images.npy"), False)):
        model.run_eagerly = eagerly  # The graph of one of both is enough.
        maps = model.predict(images, verbose=0)
        assert maps.shape == (*images.shape[:3], 1)
        assert np.isfinite(maps).all()
        if gives_log_density(model.name):
            np.testing.assert_allclose(np.exp(maps).sum((1, 2)), 1, rtol=1e-4)
        else:
            assert maps.min() >= 0
    keep(model, maps, folder, expected)


# One that gives log-densities and one that does not; what is served does not depend on what lies between.
@pytest.mark.parametrize("name", slowly(ARCHITECTURES, {*ARCHITECTURES} - {"multilevel", "mlnet"}))
def test_every_model_is_served(name, tmp_path, rng):
    model = small(name)
    ks.export_saved_model(model, tmp_path / "1")
    serve, log_density = load_saved_model(tmp_path / "1")
    assert log_density == gives_log_density(name)
    images = rng.integers(0, 256, (2, *SIZE, 3), dtype="uint8")
    maps = keras.ops.convert_to_numpy(model(images.astype("float32"), training=False))
    for image, map_ in zip(images, maps, strict=True):
        np.testing.assert_allclose(serve(tf.io.encode_png(image).numpy()), map_, rtol=1e-5, atol=1e-5)


def test_training_reaches_every_weight(model, rng):
    images, targets = batch(rng)
    # Adam's steps make any gradient visible. Two of them: SAM's attention starts at zero, and so do its gradients.
    model.compile(keras.optimizers.Adam(1e-3), loss="kld + cc", run_eagerly=True)
    before = [weight.numpy() for weight in model.trainable_weights]
    assert np.isfinite(model.fit(images, targets, epochs=2, verbose=0).history["loss"]).all()
    still = [w.path for w, old in zip(model.trainable_weights, before, strict=True) if np.array_equal(w.numpy(), old)]
    assert still == []


@pytest.mark.parametrize(
    ("backend", "tolerance"),
    [
        pytest.param("tensorflow", 1e-5, marks=pytest.mark.slow),
        pytest.param("jax", 1e-4, marks=pytest.mark.slow),
        pytest.param("torch", 1e-4, marks=pytest.mark.torch),
    ],
)
def test_every_model_loads_in_a_fresh_process(backend, tolerance, folder, expected, tmp_path):
    pytest.importorskip(backend)
    for name in set(ARCHITECTURES) - set(expected):  # where the tests above were not chosen
        model = small(name)
        keep(model, model.predict(np.load(folder / "images.npy"), verbose=0), folder, expected)
    environment = {**os.environ, "KERAS_BACKEND": backend, "PYTHONPATH": str(REPOSITORY / "tests")}
    output = tmp_path / "maps.npz"
    subprocess.run([sys.executable, "-c", PREDICT, folder, output], env=environment, check=True)
    received = np.load(output)
    assert set(received) == set(expected) == set(ARCHITECTURES)
    for name, maps in expected.items():
        np.testing.assert_allclose(received[name], maps, rtol=tolerance, atol=tolerance, err_msg=name)
