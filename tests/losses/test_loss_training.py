"""Each loss trains a network: thirty steps lower it, and a metric that it does not optimise gets better."""

import keras
import numpy as np
import pytest
from conftest import slowly

import keras_saliency as ks
from keras_saliency.losses import LOSSES

SIZE = (48, 64)
PERCEPTUAL = ("deep_features", "gram")
# How far the loss falls in thirty steps, as a share of where it starts; of losses below zero, in their own units.
FALLS = {
    "mse": 0.6,
    "ae": 0.5,
    "ead": 0.5,
    "wmse": 0.7,
    "kld": 0.7,
    "reverse_kld": 0.7,
    "bhattacharyya": 0.7,
    "bce": 0.3,
    "wbce": 0.35,
    "focal": 0.4,
    "nll": 0.2,
    "total_variation": 0.5,
    "cosine": 0.7,
    "chi2": 0.7,
    "softmax_l1": 0.5,
    "softmax_l2": 0.4,
    "nss": 3.0,
    "exp_nss": 0.9,
    "sigmoid_nss": 0.8,
    "sfne": 0.8,
    "cc": 0.7,
    "sim": 0.5,
    "ig": 2.5,
    "sinkhorn": 0.7,
    "deep_features": 0.5,
    "gram": 0.4,
}


@pytest.fixture(scope="module")
def batch(tiny):
    """Eight synthetic images and their targets."""
    ((images, y_true),) = tiny.train.pipeline(size=SIZE, batch=8)
    return images, y_true


def network():
    """A few convolutions and a log-density, the same at each call."""
    keras.utils.set_random_seed(0)
    images = keras.Input((*SIZE, 3))
    x = keras.layers.Rescaling(1 / 128, offset=-1)(images)
    for channels in (16, 16):
        x = keras.layers.Conv2D(channels, 5, strides=2, padding="same", activation="relu")(x)
    x = keras.layers.Conv2D(1, 5, padding="same")(x)
    x = keras.layers.Resizing(*SIZE)(x)
    return ks.models.SaliencyModel(images, ks.layers.LogSoftmax(name="log_density")(x))


QUICK = ("kld",)


@pytest.mark.parametrize("name", slowly(LOSSES, set(LOSSES) - set(QUICK)))
def test_thirty_steps_lower_a_loss_and_improve_another_metric(name, batch):
    images, y_true = batch
    other = "cc" if LOSSES[name].needs_fixations else "nss"
    metric = {"cc": ks.metrics.CC, "nss": ks.metrics.NSS}[other](from_logits=True)
    model = network()
    loss = LOSSES[name](from_logits=True, **({"weights": "hed"} if name in PERCEPTUAL else {}))
    model.compile(keras.optimizers.Adam(0.01), loss=loss, metrics=[metric])
    history = model.fit(images, y_true, batch_size=8, epochs=31, verbose=0).history
    first, last = history["loss"][0], history["loss"][-1]
    assert first - last >= FALLS[name] * (1.0 if name in ("nss", "ig") else first)
    assert history[other][-1] > history[other][0] + 0.3
    assert np.isfinite(history["loss"]).all()


def test_every_loss_has_its_fall():
    assert list(FALLS) == list(LOSSES)
