"""The same values, gradients and training on the JAX backend, in a process of its own."""

import os
import subprocess
import sys

import numpy as np
import pytest

from keras_saliency.losses import LOSSES
from keras_saliency.metrics import METRICS

pytest.importorskip("jax")

COMPUTE = """
import sys
import keras, numpy as np
import keras_saliency as ks
from keras_saliency.losses import LOSSES, combo
from keras_saliency.metrics import METRICS

parts = np.load(sys.argv[1])
y_true = ks.pack_targets(parts["density"], parts["fixations"], parts["valid"])
y_pred = keras.ops.convert_to_tensor(parts["prediction"])

def gradient(loss):
    if keras.backend.backend() == "jax":
        import jax
        return jax.jit(jax.grad(lambda p: loss(y_true, p)))(y_pred)
    import tensorflow as tf
    with tf.GradientTape() as tape:
        tape.watch(y_pred)
        value = loss(y_true, y_pred)
    return tape.gradient(value, y_pred)

results = {}
for from_logits in (False, True):
    for name, loss in LOSSES.items():
        loss = loss(from_logits=from_logits)
        results[f"{name}-{from_logits}"] = loss(y_true, y_pred)
        results[f"{name}-{from_logits}-gradient"] = gradient(loss)
    for name, metric in METRICS.items():
        results[f"metric-{name}-{from_logits}"] = metric(from_logits=from_logits)(y_true, y_pred)
results["blur"] = ks.maps.blur(y_pred, 1.5)
keras.utils.set_random_seed(0)
model = ks.create_model(backbone="vgg16", weights=None, input_size=(33, 48))
images = np.random.default_rng(0).uniform(0, 255, (2, 33, 48, 3))
model.compile("sgd", loss=combo(nll=1, cc=1, from_logits=True), metrics=[ks.metrics.AUC(from_logits=True)])
history = model.fit(images, y_true, epochs=2, verbose=0).history
assert {"loss", "nll_loss", "cc_loss", "auc"} == set(history), history
assert np.isfinite(list(history.values())).all()
assert history["nll_loss"][1] > 0
np.savez(sys.argv[2], **{name: keras.ops.convert_to_numpy(value) for name, value in results.items()})
"""


def test_jax_gives_what_tensorflow_gives(rng, tmp_path):
    shape = (2, 33, 48, 1)
    valid = np.ones(shape, "float32")
    valid[0, 20:] = 0
    np.savez(
        tmp_path / "maps.npz",
        density=rng.random(shape).astype("float32"),
        fixations=rng.poisson(0.2, shape).astype("float32"),
        valid=valid,
        prediction=rng.random(shape).astype("float32"),
    )
    results = {}
    for backend in ("tensorflow", "jax"):
        output = tmp_path / f"{backend}.npz"
        subprocess.run(
            [sys.executable, "-c", COMPUTE, tmp_path / "maps.npz", output],
            env={**os.environ, "KERAS_BACKEND": backend},
            check=True,
        )
        results[backend] = np.load(output)
    assert set(results["jax"]) == set(results["tensorflow"])
    assert len(results["jax"]) == 4 * len(LOSSES) + 2 * len(METRICS) + 1
    for name, expected in results["tensorflow"].items():
        tolerance = 1e-5 * max(np.abs(expected).max(), 1e-6)
        np.testing.assert_allclose(results["jax"][name], expected, rtol=1e-5, atol=tolerance, err_msg=name)
