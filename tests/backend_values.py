"""What losses, metrics and models give on the Keras backend of a process; as a program, for a backend of its own.

Arguments: the file of maps, the file that is written, and `few` for a part of the cases.
"""

import importlib.util
import sys
import tempfile
from pathlib import Path

import keras
import numpy as np
import quick_start  # noqa: F401
from conftest import every_loss, every_metric

import keras_saliency as ks
from keras_saliency.losses import BCE, combo

TRANSFORMERS = ("DINOV2Backbone", "DINOV3Backbone", "MiTBackbone")


def compute(parts, few):
    """All values by name, NumPy arrays, for maps `density`, `fixations`, `valid` and `prediction`."""
    truth = {name: parts[name] for name in ("density", "fixations", "valid")}
    y_true, y_pred = ks.pack_targets(**truth), parts["prediction"]
    results = {"blur": ks.maps.blur(y_pred, 1.5)}
    for from_logits in (False,) if few else (False, True):
        results |= _losses_and_metrics(truth, y_true, y_pred, from_logits)
    images = np.random.default_rng(0).uniform(0, 255, (2, 33, 48, 3)).astype("float32")
    for balance in ("uncertainty",) if few else ("uncertainty", "gradient", None):
        _train(images, y_true, balance)
    if not few:
        _train_against_a_discriminator(images, y_true)
    if not few and importlib.util.find_spec("keras_hub"):
        for name in TRANSFORMERS:
            results |= _train_on(name)
    return {name: keras.ops.convert_to_numpy(value) for name, value in results.items()}


def _losses_and_metrics(truth, y_true, y_pred, from_logits):
    empty, whole = np.zeros_like(y_pred), np.ones_like(y_pred)
    cases = {
        "masked": (y_true, y_pred),
        "zero": (ks.pack_targets(truth["density"], truth["fixations"], whole), empty),
        "no truth": (ks.pack_targets(empty, empty, whole), y_pred),
    }
    pooled = [] if from_logits else [BCE(pool=4, name="bce_pooled")]
    losses, results = [*every_loss(from_logits, sums=False), *pooled], {}
    each = _values_and_gradients(losses)
    for case, maps in cases.items():
        for loss, computed in zip(losses, each(*maps), strict=True):
            name = f"{loss.name}-{from_logits}-{case}"
            results[name], results[f"{name}-gradient"] = computed
    for name, metric in every_metric().items():
        results[f"metric-{'-'.join(name)}-{from_logits}"] = metric(from_logits=from_logits)(y_true, y_pred)
    return results


def _values_and_gradients(losses):
    if keras.backend.backend() == "jax":
        import jax

        each = [jax.value_and_grad(lambda y_pred, y_true, loss=loss: loss(y_true, y_pred)) for loss in losses]
        return jax.jit(lambda y_true, y_pred: [value(y_pred, y_true) for value in each])
    return lambda y_true, y_pred: [_value_and_gradient(loss, y_true, y_pred) for loss in losses]


def _value_and_gradient(loss, y_true, y_pred):
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


def _train(images, y_true, balance):
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


def _train_against_a_discriminator(images, y_true):
    inputs = keras.Input((32, 48, 3))
    maps = keras.layers.Conv2D(1, 3, padding="same", activation="sigmoid")(inputs)
    training = ks.models.AdversarialTraining(ks.models.SaliencyModel(inputs, maps))
    for _ in range(2):
        losses = training.step(images[:, :32], y_true[:, :32])
        assert np.isfinite(list(losses.values())).all(), losses
    assert set(losses) == {"content", "adversarial"}


def _train_on(name):
    from hub_networks import make

    model = ks.create_model(backbone=make(name), input_size=(64, 96), width=1 / 16, head="density")
    rng, results = np.random.default_rng(0), {}
    for weight in model.weights:
        if "float" in str(weight.dtype):
            weight.assign(rng.uniform(0.1, 0.2, weight.shape))
    pictures = rng.uniform(0, 255, (1, 64, 96, 3)).astype("float32")
    for size in ((64, 96), (60, 80)):
        results[f"{name}-{size}"] = model(pictures[:, : size[0], : size[1]])
    model.compile("sgd", loss="kld")
    truth = ks.pack_targets(rng.uniform(0, 1, (1, 64, 96, 1)))
    assert np.isfinite(model.train_on_batch(pictures, keras.ops.convert_to_numpy(truth))).all()
    with tempfile.TemporaryDirectory() as folder:
        model.save(Path(folder) / "model.keras")
        loaded = keras.models.load_model(Path(folder) / "model.keras")
    np.testing.assert_allclose(*(keras.ops.convert_to_numpy(m(pictures)) for m in (model, loaded)), atol=1e-6)
    return results


if __name__ == "__main__":
    np.savez(sys.argv[2], **compute(np.load(sys.argv[1]), sys.argv[3:] == ["few"]))
