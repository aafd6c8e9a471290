"""The same values, gradients and training on every Keras backend, each in a process of its own."""

import os
import subprocess
import sys
from pathlib import Path

import backend_values
import numpy as np
import pytest


@pytest.fixture(scope="module")
def maps(tmp_path_factory):
    """The file of the maps from which every backend computes."""
    rng = np.random.default_rng(0)
    shape = (2, 33, 48, 1)
    valid = np.ones(shape, "float32")
    valid[0, 20:] = 0
    file = tmp_path_factory.mktemp("backends") / "maps.npz"
    np.savez(
        file,
        density=rng.random(shape).astype("float32"),
        fixations=rng.poisson(0.2, shape).astype("float32"),
        valid=valid,
        prediction=rng.random(shape).astype("float32"),
    )
    return file


@pytest.mark.parametrize("backend", ["jax", pytest.param("torch", marks=pytest.mark.torch)])
@pytest.mark.parametrize("cases", ["few", pytest.param("all", marks=pytest.mark.slow)])
def test_a_backend_gives_what_tensorflow_gives(backend, cases, maps, tmp_path):
    pytest.importorskip(backend)
    environment = {**os.environ, "KERAS_BACKEND": backend}
    program = Path(backend_values.__file__)
    subprocess.run([sys.executable, program, maps, tmp_path / "values.npz", cases], env=environment, check=True)
    received, expected = np.load(tmp_path / "values.npz"), backend_values.compute(np.load(maps), cases == "few")
    assert set(received) == set(expected)
    for name, values in expected.items():
        assert np.isfinite(values).all(), name
        # The gradient by a peak that falls out again, and below by a sum, are large sums that cancel.
        cancels = name.startswith(("kld_sam", "kld_msi-net")) and name.endswith("gradient")
        tolerance = (1e-3 if cancels else 1e-5) * max(np.abs(values).max(), 1e-4)
        np.testing.assert_allclose(received[name], values, rtol=1e-5, atol=tolerance, err_msg=name)
