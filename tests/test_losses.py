import keras
import numpy as np
import pytest
import reference
import tensorflow as tf

import keras_saliency as ks
from keras_saliency import losses
from keras_saliency.losses import LOSSES, combo

SHAPE = (2, 6, 8, 1)
REFERENCES = {
    "mse": lambda s, f, p: reference.mse(s, p),
    "kld": lambda s, f, p: reference.kld(s, p),
    "cc": lambda s, f, p: 1 - reference.cc(s, p),
    "nss": lambda s, f, p: -reference.nss(f, p),
    "nll": lambda s, f, p: reference.nll(f, np.log(reference.density(p))),
}


def truth(rng, shape=SHAPE):
    density = rng.random(shape).astype("float32")
    fixations = rng.poisson(0.4, shape).astype("float32")
    fixations[:, 0, 0] = 1
    return density, fixations


def every_loss(from_logits):
    return [loss(from_logits=from_logits) for loss in LOSSES.values()] + [
        combo(dict.fromkeys(LOSSES, 1.0), from_logits=from_logits)
    ]


def value_and_gradient(loss, jit=False):
    @tf.function(jit_compile=jit)
    def compute(y_true, y_pred):
        with tf.GradientTape() as tape:
            tape.watch(y_pred)
            value = loss(y_true, y_pred)
        return value, tape.gradient(value, y_pred)

    return lambda *maps: [part.numpy() for part in compute(*map(tf.convert_to_tensor, maps))]


@pytest.mark.parametrize("name", LOSSES)
def test_a_loss_is_the_mean_of_the_reference_over_images(name, rng):
    density, fixations = truth(rng)
    y_true, y_pred = ks.pack_targets(density, fixations), rng.random(SHAPE).astype("float32")
    images = zip(density[..., 0], fixations[..., 0], y_pred[..., 0], strict=True)
    expected = [REFERENCES[name](*image) for image in images]
    np.testing.assert_allclose(LOSSES[name]()(y_true, y_pred), np.mean(expected), rtol=1e-5)
    np.testing.assert_allclose(LOSSES[name](reduction="sum")(y_true, y_pred), np.sum(expected), rtol=1e-5)
    np.testing.assert_allclose(LOSSES[name](reduction=None)(y_true, y_pred), expected, rtol=1e-5)
    weighted = LOSSES[name]()(y_true, y_pred, sample_weight=np.array([1.0, 3.0]))
    np.testing.assert_allclose(weighted, np.dot(expected, [1, 3]) / 2, rtol=1e-5)


@pytest.mark.parametrize("name", sorted(set(LOSSES) - {"mse"}))
def test_from_logits_is_the_loss_of_the_density(name, rng):
    y_true, logits = ks.pack_targets(*truth(rng)), rng.normal(0, 2, SHAPE).astype("float32")
    plain = LOSSES[name]()(y_true, np.exp(logits))
    np.testing.assert_allclose(LOSSES[name](from_logits=True)(y_true, logits + 5), plain, rtol=1e-5)


def test_mse_from_logits_compares_the_density_divided_by_its_peak(rng):
    y_true, logits = ks.pack_targets(*truth(rng)), rng.normal(size=SHAPE).astype("float32")
    peaked = np.exp(logits - logits.max((1, 2), keepdims=True))
    np.testing.assert_allclose(
        losses.MSE(from_logits=True)(y_true, logits + 3), losses.MSE()(y_true, peaked), rtol=1e-4
    )


PREDICTIONS = {
    "zero": np.zeros(SHAPE),
    "constant": np.full(SHAPE, 0.7),
    "one-hot": np.eye(48)[:2].reshape(SHAPE),
    "tiny": np.random.default_rng(0).random(SHAPE) * 1e-30,
    "huge": np.random.default_rng(0).random(SHAPE) * 1e30,
}
TRUTHS = {
    "random": (np.random.default_rng(1).random(SHAPE), np.ones(SHAPE), np.ones(SHAPE)),
    "constant": (np.ones(SHAPE), np.ones(SHAPE), np.ones(SHAPE)),
    "one-hot": (np.eye(48)[3:5].reshape(SHAPE), np.eye(48)[3:5].reshape(SHAPE), np.ones(SHAPE)),
    "no fixations": (np.zeros(SHAPE), np.zeros(SHAPE), np.ones(SHAPE)),
    "all masked": (np.ones(SHAPE), np.ones(SHAPE), np.zeros(SHAPE)),
}


@pytest.mark.parametrize("jit", [False, True])
@pytest.mark.parametrize("from_logits", [False, True])
def test_value_and_gradient_are_finite_on_degenerate_maps(jit, from_logits):
    for loss in every_loss(from_logits):
        compute = value_and_gradient(loss, jit)
        for truth_name, parts in TRUTHS.items():
            y_true = ks.pack_targets(*(part.astype("float32") for part in parts))
            for prediction_name, y_pred in PREDICTIONS.items():
                if loss.name in ("mse", "combination") and prediction_name == "huge" and not from_logits:
                    continue  # the square of 1e30 is no float32
                value, gradient = compute(y_true, y_pred.astype("float32"))
                case = f"{loss.name}, {truth_name} truth, {prediction_name} prediction"
                assert np.isfinite(value), case
                assert np.isfinite(gradient).all(), case


def check_slopes(loss, y_true, y_pred, pixels, tolerance):
    """Compares the gradient at some pixels with finite differences."""
    _, gradient = value_and_gradient(loss)(y_true, y_pred)
    for pixel in pixels:
        step = np.zeros_like(y_pred)
        step[pixel] = 1e-6
        slope = (loss(y_true, y_pred + step) - loss(y_true, y_pred - step)).numpy() / 2e-6
        np.testing.assert_allclose(gradient[pixel], slope, rtol=1e-4, atol=tolerance)


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("from_logits", [False, True])
def test_gradients_are_those_of_finite_differences(name, from_logits, rng):
    density, fixations = truth(rng, (1, 4, 5, 1))
    y_pred = rng.uniform(0.5, 1.5, (1, 4, 5, 1))
    loss, y_true = LOSSES[name](from_logits=from_logits, dtype="float64"), ks.pack_targets(density, fixations)
    y_true = tf.cast(y_true, "float64")
    peak = np.unravel_index(np.argmax(y_pred), y_pred.shape)
    check_slopes(loss, y_true, y_pred, [(0, 0, 0, 0), (0, 2, 3, 0), peak], tolerance=1e-8)


def test_an_image_without_fixations_is_not_averaged(rng):
    density, fixations = truth(rng)
    y_pred = rng.random(SHAPE).astype("float32")
    alone = [loss(ks.pack_targets(density[:1], fixations[:1]), y_pred[:1]) for loss in every_loss(False)]
    density[1], fixations[1] = 0, 0
    both = [loss(ks.pack_targets(density, fixations), y_pred) for loss in every_loss(False)]
    np.testing.assert_allclose(both, alone, rtol=1e-6)


def test_nan_is_not_hidden(rng):
    y_true = ks.pack_targets(*truth(rng))
    for from_logits in (False, True):
        for loss in every_loss(from_logits):
            for jit in (False, True):
                compute = value_and_gradient(loss, jit)
                for base in (np.zeros(SHAPE, "float32"), rng.random(SHAPE).astype("float32")):
                    base[1, 2, 3] = np.nan
                    assert np.isnan(compute(y_true, base)[0]), loss.name


@pytest.mark.parametrize("name", LOSSES)
def test_gradients_of_maps_with_negative_values(name, rng):
    shape = (1, 4, 5, 1)
    density, fixations, y_pred = rng.random(shape), rng.poisson(1.0, shape).astype("float64"), rng.normal(size=shape)
    lowest = np.unravel_index(np.argmin(y_pred), shape)
    # There the probability is zero, and a logarithm too steep for finite differences.
    density[lowest] = fixations[lowest] = 0
    loss, y_true = LOSSES[name](dtype="float64"), ks.pack_targets(density, fixations)
    check_slopes(loss, y_true, y_pred, [lowest, (0, 1, 1, 0), (0, 3, 2, 0)], tolerance=1e-7)


def test_each_term_is_averaged_over_its_own_images(rng):
    density, fixations = truth(rng)
    fixations[1] = 0
    y_true, y_pred = ks.pack_targets(density, fixations), rng.random(SHAPE).astype("float32")
    expected = losses.KLD()(y_true, y_pred) + losses.NSS()(y_true, y_pred)
    np.testing.assert_allclose(combo(kld=1, nss=1)(y_true, y_pred), expected, rtol=1e-6)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_is_computed_in_float32(dtype, rng):
    y_true = ks.pack_targets(*truth(rng, (1, 240, 320, 1)))
    y_pred = tf.cast(rng.random((1, 240, 320, 1)), dtype)
    for loss in every_loss(False):
        np.testing.assert_allclose(
            loss(tf.cast(y_true, dtype), y_pred),
            loss(tf.cast(tf.cast(y_true, dtype), "float32"), tf.cast(y_pred, "float32")),
            rtol=1e-6,
        )


def test_a_loss_that_needs_fixations_says_so(rng):
    with pytest.raises(ValueError, match="nll needs fixation counts .* pack_targets"):
        losses.NLL()(np.ones(SHAPE, "float32"), np.ones(SHAPE, "float32"))


def test_targets_of_another_size_are_refused_and_of_another_dtype_are_not(rng):
    density, fixations = truth(rng)
    y_true, y_pred = ks.pack_targets(density, fixations), rng.random(SHAPE).astype("float32")
    wide = ks.pack_targets(density.astype("float64"), fixations.astype("float64"))
    for loss in every_loss(False):
        np.testing.assert_allclose(loss(wide, y_pred), loss(y_true, y_pred), rtol=1e-6)
        with pytest.raises(ValueError, match="y_true and y_pred must have the same height and width"):
            loss(y_true, y_pred[:, :3])


def test_combo_is_the_weighted_sum(rng):
    y_true, y_pred = ks.pack_targets(*truth(rng)), rng.random(SHAPE).astype("float32")
    expected = 10 * losses.KLD()(y_true, y_pred) + 2 * losses.CC()(y_true, y_pred) + losses.NSS()(y_true, y_pred)
    for same in (combo(kld=10, cc=2, nss=1), combo("10 kld + 2*cc + nss"), combo({"kld": 10, "cc": 2, "nss": 1})):
        np.testing.assert_allclose(same(y_true, y_pred), expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: combo(kdl=1), "Unknown loss 'kdl'. Known losses: mse, kld, nll, cc, nss"),
        (lambda: combo(kld=1, nss=-1), "weight of nss must be positive"),
        (lambda: combo(), "needs losses"),
        (lambda: combo("10 kld - cc"), "Cannot read the term"),
        (lambda: combo("kld", cc=1), "not both"),
        (lambda: losses.Combination([losses.KLD(), losses.KLD()], [1, 1]), "different names"),
        (lambda: losses.Combination([losses.KLD(), losses.CC(from_logits=True)], [1, 1]), "agree on from_logits"),
    ],
)
def test_a_wrong_combination_is_explained(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize("loss", [*LOSSES.values()])
def test_config_round_trips(loss):
    made = loss(from_logits=True, reduction="sum", name="mine", dtype="bfloat16")
    again = keras.losses.deserialize(keras.losses.serialize(made))
    assert type(again) is loss
    assert again.get_config() == made.get_config()
    assert again.dtype == "bfloat16"


def small_model():
    images = keras.Input((*SHAPE[1:3], 3))
    return ks.models.SaliencyModel(images, keras.layers.Conv2D(1, 3, padding="same", activation="softplus")(images))


def test_a_compiled_combination_reports_its_terms_and_survives_saving(rng, tmp_path):
    y_true, images = ks.pack_targets(*truth(rng, (5, *SHAPE[1:]))), rng.random((5, *SHAPE[1:3], 3))
    model = small_model()
    model.compile("adam", loss=combo(kld=10, cc=2, nss=1), metrics=[ks.metrics.NSS(), ks.metrics.KLD()])
    history = model.fit(images, y_true, batch_size=2, epochs=2, verbose=0, validation_data=(images, y_true)).history
    for name in ("loss", "kld_loss", "cc_loss", "nss_loss", "nss", "kld"):
        assert len(history[name]) == len(history[f"val_{name}"]) == 2
    last = {name: values[-1] for name, values in history.items()}
    np.testing.assert_allclose(last["val_nss_loss"], -last["val_nss"], rtol=1e-5)
    np.testing.assert_allclose(
        last["val_loss"], 10 * last["val_kld_loss"] + 2 * last["val_cc_loss"] + last["val_nss_loss"], rtol=1e-5
    )
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    expected = model.evaluate(images, y_true, verbose=0, return_dict=True)
    assert loaded.evaluate(images, y_true, verbose=0, return_dict=True) == pytest.approx(expected, rel=1e-6)
    assert "kld_loss" in expected


def test_recompiling_leaves_no_stale_terms(rng):
    y_true, images = ks.pack_targets(*truth(rng)), rng.random((2, *SHAPE[1:3], 3))
    model = small_model()
    for loss in (combo(kld=1), combo(cc=1)):
        model.compile("sgd", loss=loss)
        history = model.fit(images, y_true, verbose=0).history
    assert set(history) == {"loss", "cc_loss"}
