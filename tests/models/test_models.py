import subprocess
import sys

import keras
import numpy as np
import pytest
from conftest import slowly

import keras_saliency as ks
from keras_saliency.backbones import BACKBONES
from keras_saliency.layers import LogSoftmax
from keras_saliency.models.sides import SupervisedSides


def batch(rng, size):
    density, fixations = rng.random((2, *size, 1)), rng.poisson(0.02, (2, *size, 1))
    return rng.uniform(0, 255, (2, *size, 3)).astype("float32"), ks.pack_targets(density, fixations)


# Deep networks take seconds to build and to train.
DEEP = (
    *("alexnet", "convnext-tiny", "densenet201", "efficientnet-lite0", "efficientnet-lite1", "efficientnet-lite2"),
    *("efficientnetv2", "mobilenetv2", "mobilenetv3", "resnet50", "resnet50-torch", "vgg16", "vgg19"),
)


@pytest.mark.parametrize("backbone", [*slowly(BACKBONES, DEEP), "efficientnet-lite0 of an odd size"])
def test_a_step_of_training_reaches_every_weight(backbone, rng):
    backbone, _, odd = backbone.partition(" of ")
    size = (75, 100) if odd else (64, 96)
    keras.utils.set_random_seed(0)  # In some draws a unit is dead from the start.
    model = ks.create_model(backbone=backbone, weights=None, input_size=size)
    images, targets = batch(rng, size)
    np.testing.assert_allclose(np.exp(model(images)).sum((1, 2)), 1, rtol=1e-4)
    # Adam's first step makes any gradient visible.
    model.compile(keras.optimizers.Adam(1e-2), loss=ks.combo(nll=1, cc=1, from_logits=True), run_eagerly=True)
    before = [weight.numpy() for weight in model.trainable_weights]
    assert np.isfinite(model.fit(images, targets, verbose=0).history["loss"]).all()
    still = [w.path for w, old in zip(model.trainable_weights, before, strict=True) if np.array_equal(w.numpy(), old)]
    assert still == []


def test_density_head_works_with_default_losses(eager, tiny_backbone, rng):
    model = ks.create_model(backbone=tiny_backbone, weights=None, input_size=(64, 96), head="density")
    images, targets = batch(rng, (64, 96))
    model.compile("adam", loss=ks.combo(kld=10, cc=2, nss=1), metrics=[ks.metrics.NSS(), ks.metrics.AUC()])
    history = model.fit(images, targets, verbose=0).history
    assert {"loss", "kld_loss", "cc_loss", "nss_loss", "nss", "auc"} == set(history)
    np.testing.assert_allclose(model.predict(images, verbose=0).sum((1, 2)), 1, rtol=1e-4)


def test_a_frozen_backbone_stays_as_it_is_in_training(eager, tiny_backbone, rng):
    model = ks.create_model(backbone=tiny_backbone, weights=None, input_size=(64, 96))
    backbone = model.get_layer("backbone")
    backbone.trainable = False
    before = backbone.get_weights()
    images, targets = batch(rng, (64, 96))
    model.compile("sgd", loss=ks.combo(nll=1, from_logits=True))
    model.fit(images, targets, verbose=0)
    assert all(np.array_equal(*pair) for pair in zip(before, backbone.get_weights(), strict=True))


def test_mixed_precision_ends_in_float32(eager, tiny_backbone, rng):
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = ks.create_model(backbone=tiny_backbone, weights=None, input_size=(64, 96))
        images, targets = batch(rng, (64, 96))
        model.compile("adam", loss=ks.combo(nll=1, cc=1, from_logits=True))
        assert np.isfinite(model.fit(images, targets, verbose=0).history["loss"]).all()
        assert model.predict(images, verbose=0).dtype == "float32"
    finally:
        keras.config.set_dtype_policy("float32")


def test_the_centre_bias_is_taken(tiny_backbone):
    density = np.outer(np.linspace(1, 2, 30), np.linspace(1, 5, 40))
    model = ks.create_model(backbone=tiny_backbone, weights=None, input_size=(64, 96), centre_bias=density)
    log_density = model.get_layer("decoder").get_layer("centre_bias").log_density.numpy()[0, ..., 0]
    assert log_density[-1, -1] == log_density.max() == 0
    np.testing.assert_allclose(log_density[0, 0], np.log(0.1), atol=0.15)


def test_a_formula_is_compiled_with_the_form_of_the_head(tiny_backbone):
    options = {"backbone": tiny_backbone, "weights": None, "input_size": (64, 96)}
    for head in ("log-density", "density"):
        model = ks.create_model(head=head, **options)
        model.compile("sgd", loss="10 kld + nss")
        assert model.loss.weights == {"kld": 10.0, "nss": 1.0}
        assert model.loss.from_logits == (head == "log-density")
        wrong = head == "density"
        with pytest.raises(ValueError, match=f"nss has from_logits={wrong}.*make it with from_logits={not wrong}"):
            model.compile("sgd", loss="kld", metrics=[ks.metrics.NSS(from_logits=wrong)])
        if head == "log-density":
            with pytest.raises(ValueError, match="CC has from_logits=False"):
                model.compile("sgd", loss="kld", metrics=[ks.metrics.CC])
        with pytest.raises(ValueError, match=f"cc has from_logits={wrong}"):
            model.compile("sgd", loss="kld", weighted_metrics=[[ks.metrics.CC(from_logits=wrong)]])
        with pytest.raises(ValueError, match=f"combination has from_logits={wrong}"):
            model.get_layer("decoder").compile("sgd", loss=ks.combo(kld=1, from_logits=wrong))
    with pytest.raises(ValueError, match="Unknown loss 'bse'"):
        model.compile("sgd", loss="bse")


def test_any_keras_model_reports_the_terms_of_a_loss_it_is_given(rng):
    images = keras.Input((8, 9, 3))
    model = keras.Model(images, keras.layers.Conv2D(1, 1, activation="softplus")(images))
    model.compile("sgd", loss=ks.combo(kld=1, cc=1))
    model.loss_terms = model.loss
    history = model.fit(rng.random((2, 8, 9, 3)), rng.random((2, 8, 9, 1)), verbose=0).history
    assert set(history) == {"loss", "kld_loss", "cc_loss"}


def test_what_a_model_gives_is_known(tiny_backbone):
    options = {"backbone": tiny_backbone, "weights": None, "input_size": (64, 96)}
    model = ks.create_model(**options)
    images = keras.Input((64, 96, 3))
    for given, log_density in (
        (model, True),
        (ks.create_model(head="density", **options), False),
        (ks.create_model("mlnet", **options), False),
        (keras.Model(images, keras.layers.Identity()(model(images))), True),
        (keras.Model(images, keras.layers.Conv2D(1, 1, activation="relu")(images)), False),
    ):
        assert ks.models.gives_log_density(given) == log_density
    ks.models.require_log_density(model)
    with pytest.raises(ValueError, match=r"does not give a log-density. .* head=\"log-density\""):
        ks.models.require_log_density(ks.create_model(head="density", **options))
    with pytest.raises(ValueError, match="does not give saliency maps"):
        ks.models.gives_log_density(model.get_layer("backbone"))
    with pytest.raises(ValueError, match="gives neither a log-density"):
        ks.models.gives_log_density(keras.Model(images, keras.ops.mean(images, -1, keepdims=True) - 300.0))


@pytest.mark.parametrize("name", ["saliency", "density", "log_density"])
def test_the_name_of_a_layer_says_nothing_of_what_it_gives(name, tmp_path):
    keras.utils.set_random_seed(0)
    images = keras.Input((24, 32, 3))
    logits = keras.Model(images, keras.layers.Conv2D(1, 3, padding="same", name=name)(images))
    positive = keras.Model(images, keras.layers.Conv2D(1, 3, padding="same", activation="relu", name=name)(images))
    assert ks.models.gives_log_density(positive) is False
    with pytest.raises(ValueError, match="gives neither a log-density"):
        ks.export_saved_model(logits, tmp_path / "1")
    assert not (tmp_path / "1").exists()
    ks.models.SaliencyModel(images, logits.output).compile(loss=ks.combo(kld=1, from_logits=True))


def test_whatever_keras_compiles_and_fits_is_compiled_and_fitted(rng):
    x, y = rng.random((4, 8, 9, 3)), rng.random((4, 8, 9, 1))
    images = keras.Input((8, 9, 3))
    one = keras.layers.Conv2D(1, 3, padding="same", activation="sigmoid", name="one")(images)
    two = keras.layers.Conv2D(1, 3, padding="same", activation="sigmoid", name="two")(images)
    losses = {
        "texts of Keras": (["mean_squared_error", "binary_crossentropy"], {"one_loss", "two_loss"}),
        "of both": ({"one": ks.losses.KLD(), "two": "mae"}, {"one_loss", "two_loss"}),
        "combinations": (
            [ks.combo(kld=1, cc=1), ks.combo(kld=1, balance="uncertainty")],
            {"one_loss", "two_loss", "one_kld_loss", "one_cc_loss", "two_kld_loss", "two_kld_weight"},
        ),
    }
    for loss, logged in losses.values():
        model = ks.models.SaliencyModel(images, [one, two])
        # By position, as in Keras: optimizer, loss, loss_weights, metrics; x, y, batch_size, epochs, verbose.
        model.compile("sgd", loss, [1.0, 2.0], [["mae"], [ks.metrics.CC()]], run_eagerly=True)
        history = model.fit(x, [y, y], 2, 2, 0).history
        assert set(history) == {"loss", "one_mae", "two_cc"} | logged
        assert len(history["loss"]) == 2
        total = history["one_loss"][0] + 2 * history["two_loss"][0]
        np.testing.assert_allclose(history["loss"][0], total, rtol=1e-5)
    number = keras.layers.Dense(1, name="number")(keras.layers.GlobalAveragePooling2D()(images))
    log_density = LogSoftmax(name="log_density")(one)
    model = ks.models.SaliencyModel(images, [log_density, number])
    model.compile("sgd", {"log_density": "mse", "number": "mse"})  # of this package for maps alone
    assert model.loss["log_density"].from_logits and model.loss["number"] == "mse"
    model.fit(x, [y, np.ones((4, 1))], verbose=0)
    with pytest.raises(ValueError, match="kld has from_logits=False"):
        model.compile("sgd", [ks.losses.KLD(), "mse"])
    model = ks.models.SaliencyModel(images, one)
    model.compile("sgd", "binary_crossentropy")
    assert model.loss is keras.losses.binary_crossentropy
    with pytest.raises(ValueError, match="Unknown loss 'kdl'"):
        model.compile("sgd", "kdl")
    with pytest.raises(ValueError, match="single loss of a model"):
        ks.models.SaliencyModel(images, [one, two]).compile("sgd", [ks.combo(kld=1, balance="gradient"), "mse"])


@pytest.mark.parametrize("monitor", ["val_kld_loss", "cc_loss"])
def test_callbacks_know_the_direction_of_the_terms_of_a_loss(monitor, rng, tmp_path):
    x, y = rng.random((4, 8, 9, 3)), rng.random((4, 8, 9, 1))
    images = keras.Input((8, 9, 3))
    model = ks.models.SaliencyModel(images, keras.layers.Conv2D(1, 3, padding="same", activation="sigmoid")(images))
    model.compile("sgd", "kld + cc", run_eagerly=True)
    watching = [
        keras.callbacks.EarlyStopping(monitor),
        keras.callbacks.ReduceLROnPlateau(monitor),
        keras.callbacks.ModelCheckpoint(tmp_path / "best.keras", monitor, save_best_only=True),
        keras.callbacks.EarlyStopping(monitor, mode="max"),
    ]
    # By position, as in Keras: batch_size, epochs, verbose, callbacks, validation_split.
    history = model.fit(x, y, 2, 1, 0, watching, 0.5).history
    assert {"loss", "kld_loss", "cc_loss", "val_loss", "val_kld_loss", "val_cc_loss"} <= set(history)
    assert [callback.monitor_op(1.0, 2.0) for callback in watching] == [True, True, True, False]
    assert (tmp_path / "best.keras").is_file()


@pytest.mark.parametrize("formula", ["kld + 2 mse", "mse"])
def test_the_maps_of_single_depths_count_in_training_alone(formula, tiny_backbone, rng):
    images, y_true = rng.random((2, 8, 9, 3)), rng.random((2, 8, 9, 1)).astype("float32")
    inputs = keras.Input((8, 9, 3))
    options = {"padding": "same", "activation": "sigmoid", "kernel_regularizer": keras.regularizers.L2(1.0)}
    model = SupervisedSides(inputs, [keras.layers.Conv2D(1, 3, **options)(inputs) for _ in range(3)])
    loss = ks.combo(formula)
    model.compile(keras.optimizers.SGD(0.0), loss, metrics=[ks.metrics.CC()])
    maps = model.predict(images, verbose=0)
    values = [float(loss(y_true, one)) for one in maps]
    squares = sum(float((weight**2).sum()) for weight in model.get_weights())  # of the kernels; biases are zero
    fused = {f"{term.name}_loss": float(term(y_true, maps[0])) for term in loss.losses}
    fused["cc"] = float(ks.metrics.CC()(y_true, maps[0]))
    expected = {"loss": sum(values) + squares, "val_loss": values[0] + squares}
    expected |= {f"{split}{name}": value for split in ("", "val_") for name, value in fused.items()}
    history = model.fit(images, y_true, verbose=0, validation_data=(images, y_true)).history
    assert {name: value for name, (value,) in history.items()} == pytest.approx(expected, rel=1e-5)
    for several in (["mse", "mse", "mse"], "mean_absolute_error"):
        with pytest.raises(ValueError, match="takes one keras.losses.Loss"):
            model.compile("sgd", several)
    options = {"backbone": tiny_backbone, "weights": None, "input_size": (64, 96), "width": 0.125}
    log_densities = ks.models.with_sides(ks.create_model("dva", head="log-density", **options))
    log_densities.compile("sgd", formula)
    assert log_densities.loss.from_logits
    with pytest.raises(ValueError, match="kld has from_logits=False"):
        log_densities.compile("sgd", ks.losses.KLD())


def test_models_are_mixed_in_log_space_or_refused(tiny_backbone):
    options = {"backbone": tiny_backbone, "weights": None, "input_size": (64, 96)}
    with pytest.raises(ValueError, match="must see pictures alike, by one view or at one size"):
        ks.models.mix([ks.create_model(**options), ks.create_model(**{**options, "input_size": (64, 64)})])
    with pytest.raises(ValueError, match="does not give a log-density"):
        ks.models.mix([ks.create_model(head="density", **options)])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"name": "sam-net"}, "Unknown model 'sam-net'. Known models: asnet, attentive, .*sam, sam-resnet"),
        ({"head": "logits"}, "Unknown head 'logits' of multilevel. Known heads: log-density, density."),
        ({"name": "mlnet", "head": "logits"}, "Known heads: log-density, density, published."),
        ({"name": "mlnet", "centre_bias": np.ones((6, 8))}, "The published head of mlnet has no centre bias"),
        ({"backbone": "vgg"}, "Unknown backbone 'vgg'"),
    ],
)
def test_unknown_names_are_listed(arguments, message):
    with pytest.raises(ValueError, match=message):
        ks.create_model(**arguments)


LOAD = """
import sys, keras_saliency, keras, numpy as np
model = keras.models.load_model(sys.argv[1])
np.save(sys.argv[3], model.predict(np.load(sys.argv[2]), verbose=0))
assert model.loss.weights == {"kld": 10.0, "nss": 1.0}
"""


@pytest.mark.slow  # tests/test_package.py has one more
def test_a_saved_model_loads_in_a_fresh_process(tiny_backbone, rng, tmp_path):
    model = ks.create_model(backbone=tiny_backbone, input_size=(64, 96))
    model.compile("adam", loss=ks.combo(kld=10, nss=1, from_logits=True), metrics=[ks.metrics.IG(from_logits=True)])
    images, targets = batch(rng, (64, 96))
    model.fit(images, targets, verbose=0)
    paths = [str(tmp_path / name) for name in ("model.keras", "images.npy", "maps.npy")]
    model.save(paths[0])
    np.save(paths[1], images)
    subprocess.run([sys.executable, "-c", LOAD, *paths], check=True)
    np.testing.assert_allclose(np.load(paths[2]), model.predict(images, verbose=0), atol=1e-5)
