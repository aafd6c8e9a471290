"""The same values, gradients and training on every Keras backend, each in a process of its own."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

COMPUTE = """
import importlib.util
import sys
import quick_start
import keras, numpy as np
import keras_saliency as ks
from conftest import every_loss, every_metric
from keras_saliency.losses import BCE, combo

few = sys.argv[3:] == ["few"]
parts = np.load(sys.argv[1])
truth = {name: parts[name] for name in ("density", "fixations", "valid")}
y_true, y_pred = ks.pack_targets(**truth), parts["prediction"]
empty, whole = np.zeros_like(y_pred), np.ones_like(y_pred)
cases = {
    "masked": (y_true, y_pred),
    "zero": (ks.pack_targets(truth["density"], truth["fixations"], whole), empty),
    "no truth": (ks.pack_targets(empty, empty, whole), y_pred),
}

def values_and_gradients(losses):
    if keras.backend.backend() == "jax":
        import jax
        each = [jax.value_and_grad(lambda y_pred, y_true, loss=loss: loss(y_true, y_pred)) for loss in losses]
        return jax.jit(lambda y_true, y_pred: [compute(y_pred, y_true) for compute in each])
    return lambda y_true, y_pred: [value_and_gradient(loss, y_true, y_pred) for loss in losses]

def value_and_gradient(loss, y_true, y_pred):
    y_pred = keras.ops.convert_to_tensor(y_pred)
    if keras.backend.backend() == "torch":
        y_pred.requires_grad_()
        value = loss(y_true, y_pred)
        value.backward()
        return value, y_pred.grad
    import tensorflow as tf
    with tf.GradientTape() as tape:
        tape.watch(y_pred)
        value = loss(y_true, y_pred)
    return value, tape.gradient(value, y_pred)

results = {}
for from_logits in (False,) if few else (False, True):
    pooled = [] if from_logits else [BCE(pool=4, name="bce_pooled")]
    losses = [*every_loss(from_logits, sums=False), *pooled]
    compute = values_and_gradients(losses)
    for case, maps in cases.items():
        for loss, computed in zip(losses, compute(*maps), strict=True):
            name = f"{loss.name}-{from_logits}-{case}"
            results[name], results[f"{name}-gradient"] = computed
    for name, metric in every_metric().items():
        results[f"metric-{'-'.join(name)}-{from_logits}"] = metric(from_logits=from_logits)(y_true, y_pred)
results["blur"] = ks.maps.blur(y_pred, 1.5)

images = np.random.default_rng(0).uniform(0, 255, (2, 33, 48, 3)).astype("float32")
for balance in ("uncertainty",) if few else ("uncertainty", "gradient", None):
    keras.utils.set_random_seed(0)
    if balance:  # of one layer, for it is the balance that is compiled here
        inputs = keras.Input((33, 48, 3))
        maps = keras.layers.Conv2D(1, 3, padding="same")(keras.layers.Rescaling(1 / 255)(inputs))
        model = ks.models.SaliencyModel(inputs, ks.layers.LogSoftmax()(maps))
    else:
        model = ks.create_model(backbone="vgg-cnn-m", weights=None, input_size=(33, 48))
    loss = combo(nll=1, cc=1, from_logits=True, balance=balance)
    metrics = [make(from_logits=True, name="-".join(key)) for key, make in every_metric().items()]
    model.compile("sgd", loss=loss, metrics=[ks.metrics.AUC(from_logits=True)] if balance else metrics)
    history = model.fit(images, keras.ops.convert_to_numpy(y_true), epochs=2, verbose=0).history
    names = ["auc"] if balance else [metric.name for metric in metrics]
    assert {"loss", "nll_loss", "cc_loss", *names} <= set(history), history
    assert np.isfinite(list(history.values())).all()
    assert history["nll_loss"][1] > 0
    if balance == "uncertainty":
        assert history["nll_weight"][1] < history["nll_weight"][0] < 1.001
    if balance == "gradient":
        assert loss.balance is None and loss.weights["cc"] != 1

if not few:
    inputs = keras.Input((32, 48, 3))
    maps = keras.layers.Conv2D(1, 3, padding="same", activation="sigmoid")(inputs)
    training = ks.models.AdversarialTraining(ks.models.SaliencyModel(inputs, maps))
    for _ in range(2):
        losses = training.step(images[:, :32], y_true[:, :32])
        assert np.isfinite(list(losses.values())).all(), losses
    assert set(losses) == {"content", "adversarial"}

if not few and importlib.util.find_spec("keras_hub"):
    from hub_networks import make
    for name in ("DINOV2Backbone", "DINOV3Backbone", "MiTBackbone"):
        model = ks.create_model(backbone=make(name), input_size=(64, 96), width=1 / 16, head="density")
        rng = np.random.default_rng(0)
        for weight in model.weights:
            if "float" in str(weight.dtype):
                weight.assign(rng.uniform(0.1, 0.2, weight.shape))
        pictures = rng.uniform(0, 255, (1, 64, 96, 3)).astype("float32")
        for size in ((64, 96), (60, 80)):
            results[f"{name}-{size}"] = model(pictures[:, : size[0], : size[1]])
        model.compile("sgd", loss="kld")
        truth = ks.pack_targets(rng.uniform(0, 1, (1, 64, 96, 1)))
        assert np.isfinite(model.train_on_batch(pictures, keras.ops.convert_to_numpy(truth))).all()
        model.save(f"{sys.argv[2]}.keras")
        loaded = keras.models.load_model(f"{sys.argv[2]}.keras")
        np.testing.assert_allclose(*(keras.ops.convert_to_numpy(m(pictures)) for m in (model, loaded)), atol=1e-6)
np.savez(sys.argv[2], **{name: keras.ops.convert_to_numpy(value) for name, value in results.items()})
"""


@pytest.fixture(scope="module")
def compute(tmp_path_factory):
    """Gives what a backend computes from the same maps."""
    folder = tmp_path_factory.mktemp("backends")
    rng = np.random.default_rng(0)
    shape = (2, 33, 48, 1)
    valid = np.ones(shape, "float32")
    valid[0, 20:] = 0
    np.savez(
        folder / "maps.npz",
        density=rng.random(shape).astype("float32"),
        fixations=rng.poisson(0.2, shape).astype("float32"),
        valid=valid,
        prediction=rng.random(shape).astype("float32"),
    )

    def run(backend, cases):
        output = folder / f"{backend}-{cases}.npz"
        if not output.exists():
            path = os.pathsep.join([str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")])
            environment = {**os.environ, "KERAS_BACKEND": backend, "PYTHONPATH": path}
            command = [sys.executable, "-c", COMPUTE, folder / "maps.npz", output, cases]
            subprocess.run(command, env=environment, check=True)
        return np.load(output)

    return run


@pytest.mark.parametrize("backend", ["jax", pytest.param("torch", marks=pytest.mark.torch)])
@pytest.mark.parametrize("cases", ["few", pytest.param("all", marks=pytest.mark.slow)])
def test_a_backend_gives_what_tensorflow_gives(backend, cases, compute):
    pytest.importorskip(backend)
    received, expected = compute(backend, cases), compute("tensorflow", cases)
    assert set(received) == set(expected)
    for name, values in expected.items():
        assert np.isfinite(values).all(), name
        # The gradient by a peak that falls out again, and below by a sum, are large sums that cancel.
        cancels = name.startswith(("kld_sam", "kld_msi-net")) and name.endswith("gradient")
        tolerance = (1e-3 if cancels else 1e-5) * max(np.abs(values).max(), 1e-4)
        np.testing.assert_allclose(received[name], values, rtol=1e-5, atol=tolerance, err_msg=name)
