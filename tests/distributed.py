"""One device against two, in a process of its own: prints the largest difference of every case, or of a few (`few`)."""

import contextlib
import dataclasses
import sys
import tempfile
from pathlib import Path

import quick_start  # noqa: F401
import tensorflow as tf

cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)

import keras  # noqa: E402
import numpy as np  # noqa: E402
import pytest  # noqa: E402
from conftest import every_loss, every_metric, make_truth  # noqa: E402

import keras_saliency as ks  # noqa: E402
from keras_saliency.data import synthetic  # noqa: E402
from keras_saliency.evaluation.sources import ModelSource  # noqa: E402
from keras_saliency.training.devices import mirrored, share_among  # noqa: E402
from keras_saliency.training.recipe import Model  # noqa: E402
from keras_saliency.training.run import train_with_stages  # noqa: E402
from keras_saliency.writing.progress import make_console  # noqa: E402

# Batches of four and a last one of three, of which the second device gets one; one image has no fixations, one no
# density.
SHAPE, BATCH = (7, 32, 36, 1), 4
STRATEGY = mirrored(*(device.name for device in tf.config.list_logical_devices("CPU")))
rng = np.random.default_rng(0)
x = rng.uniform(0, 255, (*SHAPE[:3], 3)).astype("float32")
density, fixations = make_truth(rng, SHAPE)
fixations[2] = density[5] = 0
y = ks.pack_targets(density, fixations, np.ones(SHAPE, "float32")).numpy()
weights = rng.random(7)


def difference(one, two):
    pairs = zip(keras.tree.flatten(one), keras.tree.flatten(two), strict=True)
    return max(float(np.max(np.abs(np.subtract(a, b)) / (1e-3 + np.abs(a)))) for a, b in pairs)


def gradients(loss):
    """The value that Keras would log, and the gradient by the prediction, of the last batch."""
    images = [slice(4, 6), slice(6, 7)]

    def compute(rows):
        y_pred = tf.constant(x[rows, ..., :1] / 255)
        with tf.GradientTape() as tape:
            tape.watch(y_pred)
            value = loss(y[rows], y_pred, sample_weight=weights[rows])
        return value, tape.gradient(value, y_pred)

    value, gradient = compute(slice(4, 7))
    rows = STRATEGY.experimental_distribute_values_from_function(
        lambda context: tf.constant([images[context.replica_id_in_sync_group].start, 0])
    )
    parts = {}

    def replica(_):
        i = tf.distribute.get_replica_context().replica_id_in_sync_group
        parts[int(i)] = compute(images[int(i)])

    STRATEGY.run(replica, (rows,))
    # As Keras logs it: unscaled by the number of replicas, and weighted by their images.
    logged = sum(2 * parts[i][0] * (images[i].stop - images[i].start) for i in parts) / 3
    return difference([value, gradient], [logged, np.concatenate([parts[0][1], parts[1][1]])])


def fit(scope, loss, metrics, eagerly):
    with scope:
        keras.utils.set_random_seed(0)
        images = keras.Input((*SHAPE[1:3], 3))
        hidden = keras.layers.Rescaling(1 / 255)(images)
        maps = keras.layers.Conv2D(1, 3, padding="same", activation="sigmoid", kernel_regularizer="l2")(hidden)
        model = ks.models.SaliencyModel(images, maps)
        model.compile(keras.optimizers.SGD(0.05), loss, metrics=metrics, run_eagerly=eagerly)
    model.evaluate(x[:2], y[:2], BATCH, 0)
    options = {"shuffle": False, "verbose": 0, "sample_weight": weights, "validation_data": (x, y)}
    history = model.fit(x, y, BATCH, **options).history
    return [*(history[name] for name in sorted(history)), *model.get_weights()], model


for made in (*every_loss(sums=False), ks.losses.MSE(reduction="sum", name="mse_sum")):
    print(f"loss {made.name}", gradients(made), sep="\t")
every = {f"metric {'-'.join(key)}": make for key, make in every_metric().items()}
few = sys.argv[1:] == ["few"]
cases = {
    "MSE": (ks.losses.MSE, {}),
    "a few metrics": (lambda: ks.combo(kld=1, nss=1), {"nss": ks.metrics.NSS, "cc": ks.metrics.CC}),
    "combination": (lambda: ks.combo(kld=1, nss=1), every),
    "gradient": (lambda: ks.combo(kld=1, mse=2, balance="gradient"), {}),
    "uncertainty": (lambda: ks.combo(kld=1, cc=2, balance="uncertainty"), {}),
}
for name, (make, metrics) in list(cases.items())[: 2 if few else None]:
    eagerly = name in ("a few metrics", "combination", "uncertainty")
    one, two = (
        fit(scope, make(), [metric(name=key) for key, metric in metrics.items()], eagerly)
        for scope in (contextlib.nullcontext(), STRATEGY.scope())
    )
    print(f"fit {name}", difference(one[0], two[0]), sep="\t")
data = synthetic.read(splits={"train": 7, "validation": 5, "test": 3})
maps = [[p.values for p in ModelSource(model, "model", 2).predictions(data.test)] for model in (one[1], two[1])]
print("ModelSource", difference(*maps), sep="\t")

if few:
    sys.exit()
# Recipes: batches of four, and of three and one, on cached features.
# Not Adam, which takes the rounding of a gradient that is almost zero for a gradient.
options = {"size": (48, 64), "batch": 4, "epochs": 2, "optimizer": "sgd"}
recipe = ks.Recipe("small", "synthetic", Model("icf", None), {"nll": 1.0, "kld": 1.0}, **options)
with tempfile.TemporaryDirectory() as folder:
    trained = []
    for devices in (1, 2):
        with share_among(devices):
            train_with_stages(recipe, lambda name: data, Path(folder) / f"{devices}", make_console(False))
        trained.append(ks.load(Path(folder) / f"{devices}").model)
    print("recipe", difference(*(model.get_weights() for model in trained)), sep="\t")
    refused = {"devices must be from 1 to 2": (recipe, 3), "evenly among 2": (dataclasses.replace(recipe, batch=3), 2)}
    for message, (other, devices) in refused.items():
        with pytest.raises(ValueError, match=message):
            ks.train(other, data, Path(folder) / message, verbose=False, devices=devices)
