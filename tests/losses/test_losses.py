import keras
import numpy as np
import pytest
import reference
import tensorflow as tf
from conftest import channels_first, every_loss, make_loss, make_truth

import keras_saliency as ks
from keras_saliency import losses
from keras_saliency.losses import LOSSES

# Large enough for a perceptual loss.
SHAPE = (2, 33, 40, 1)
PERCEPTUAL = ("deep_features", "gram")
PLAIN = [name for name in LOSSES if name not in PERCEPTUAL]
EXACT = [name for name in PLAIN if name != "sinkhorn"]  # which is solved step by step, and tested in test_transport.py
REFERENCES = {
    **{
        name: lambda s, f, p, name=name: getattr(reference, name)(s, p)
        for name in (
            *("mse", "ae", "ead", "wmse", "kld", "bhattacharyya", "total_variation", "cosine", "chi2"),
            *("softmax_l1", "softmax_l2"),
        )
    },
    "bce": lambda s, f, p: reference.cross_entropy(s, p),
    "wbce": lambda s, f, p: reference.cross_entropy(s, p, 0.9, 0.1),
    "focal": lambda s, f, p: reference.cross_entropy(s, p, 0.25, 0.75, 2.0),
    "cc": lambda s, f, p: 1 - reference.cc(s, p),
    "sim": lambda s, f, p: 1 - reference.sim(s, p),
    "reverse_kld": lambda s, f, p: reference.reverse_kld(s, p),
    "nss": lambda s, f, p: -reference.nss(f, p),
    "exp_nss": lambda s, f, p: np.exp(-reference.nss(f, p)),
    "sigmoid_nss": lambda s, f, p: 1 - 1 / (1 + np.exp(-reference.nss(f, p))),
    "sfne": reference.sfne,
    "nll": lambda s, f, p: reference.nll(f, np.log(reference.density(p))),
    "ig": lambda s, f, p: -reference.ig(f, np.log(reference.density(p)), np.full(p.shape, -np.log(p.size))),
}
# They take a log-density as its density with the mass of the truth.
PIXEL_WISE = ("mse", "ae", "ead", "bce", "wbce", "focal")


def values_and_gradients(made, jit=False):
    """A function from maps to the value and gradient of each loss, compiled by XLA or as it stands."""

    def compute(y_true, y_pred):
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(y_pred)
            values = [loss(y_true, y_pred) for loss in made]
        return values, [tape.gradient(value, y_pred) for value in values]

    compiled = tf.function(compute, jit_compile=True) if jit else compute
    return lambda *maps: [[part.numpy() for part in parts] for parts in compiled(*map(tf.convert_to_tensor, maps))]


@pytest.mark.parametrize("name", EXACT)
def test_a_loss_is_the_mean_of_the_reference_over_images(name, rng):
    density, fixations = make_truth(rng, SHAPE)
    y_true, y_pred = ks.pack_targets(density, fixations), rng.random(SHAPE).astype("float32")
    images = zip(density[..., 0], fixations[..., 0], y_pred[..., 0], strict=True)
    expected = [REFERENCES[name](*image) for image in images]
    np.testing.assert_allclose(LOSSES[name]()(y_true, y_pred), np.mean(expected), rtol=1e-5)
    np.testing.assert_allclose(LOSSES[name](reduction="sum")(y_true, y_pred), np.sum(expected), rtol=1e-5)
    np.testing.assert_allclose(LOSSES[name](reduction=None)(y_true, y_pred), expected, rtol=1e-5)
    weighted = LOSSES[name]()(y_true, y_pred, sample_weight=np.array([1.0, 3.0]))
    np.testing.assert_allclose(weighted, np.dot(expected, [1, 3]) / 2, rtol=1e-5)


@pytest.mark.parametrize(
    ("name", "other", "factor"),
    [("sim", "total_variation", 1), ("softmax_l1", "total_variation", 2), ("ig", "nll", 1 / np.log(2))],
)
def test_losses_that_train_as_others_do(name, other, factor, rng):
    """Of log-densities, each image has a gradient that is a multiple of that of another loss, the same for all."""
    y_true, logits = ks.pack_targets(*make_truth(rng, SHAPE)), rng.normal(0, 2, SHAPE).astype("float32")
    made = [LOSSES[one](from_logits=True) for one in (name, other)]
    _, (field, same) = values_and_gradients(made)(y_true, logits)
    np.testing.assert_allclose(field, factor * same, rtol=1e-3, atol=1e-6 * np.abs(field).max())


@pytest.mark.parametrize("name", PLAIN)
def test_from_logits_is_the_loss_of_the_density(name, rng):
    y_true, logits = ks.pack_targets(*make_truth(rng, SHAPE)), rng.normal(0, 2, SHAPE).astype("float32")
    if name == "ead":
        logits = logits / 10  # for differences below one
    maps = np.exp(logits)
    if name in PIXEL_WISE:
        maps = maps / maps.sum((1, 2), keepdims=True) * y_true.numpy()[..., :1].sum((1, 2), keepdims=True)
    plain = {"softmax_l1": 2 * losses.TotalVariation()(y_true, maps)}.get(name)
    if name == "softmax_l2":
        s, p = (part / part.sum((1, 2), keepdims=True) for part in (y_true.numpy()[..., :1], maps))
        plain = np.mean(np.sqrt(np.sum((s - p) ** 2, (1, 2))))
    plain = LOSSES[name]()(y_true, maps) if plain is None else plain
    np.testing.assert_allclose(LOSSES[name](from_logits=True)(y_true, logits + 5), plain, rtol=2e-5)


def test_losses_are_channels_last_however_keras_is_configured(tiny_backbone, rng):
    density, fixations = make_truth(rng, (2, 40, 36, 1))
    valid = np.ones_like(density)
    valid[1, 30:] = 0
    y_true, y_pred = ks.pack_targets(density, fixations, valid), rng.random(density.shape).astype("float32")

    def values(taps):
        features = losses.DeepFeatures(tiny_backbone, None, taps)  # other taps make another network
        made = [*(LOSSES[name]() for name in PLAIN), losses.BCE(pool=4), features]
        return [loss(y_true, y_pred) for loss in made]

    expected = values(("stage1",))
    with channels_first():
        received = values(["stage1", "stage1"])
    received[-1] = received[-1] / 2
    np.testing.assert_allclose(received, expected, rtol=1e-5)


PREDICTIONS = {
    "zero": np.zeros(SHAPE),
    "constant": np.full(SHAPE, 0.7),
    "one-hot": np.eye(1320)[[3, 700]].reshape(SHAPE),
    "tiny": np.random.default_rng(0).random(SHAPE) * 1e-30,
    "huge": np.random.default_rng(0).random(SHAPE) * 1e30,
}
TRUTHS = {
    "random": (np.random.default_rng(1).random(SHAPE), np.ones(SHAPE), np.ones(SHAPE)),
    "constant": (np.ones(SHAPE), np.ones(SHAPE), np.ones(SHAPE)),
    "one-hot": (np.eye(1320)[[60, 1000]].reshape(SHAPE), np.eye(1320)[[60, 1000]].reshape(SHAPE), np.ones(SHAPE)),
    "no fixations": (np.zeros(SHAPE), np.zeros(SHAPE), np.ones(SHAPE)),
    "all masked": (np.ones(SHAPE), np.ones(SHAPE), np.zeros(SHAPE)),
}


@pytest.mark.parametrize(
    ("jit", "from_logits"),
    [(False, False), (False, True), *(pytest.param(True, logits, marks=pytest.mark.slow) for logits in (False, True))],
)
def test_value_and_gradient_are_finite_on_degenerate_maps(jit, from_logits):
    made = every_loss(from_logits, sums=False)
    compute = values_and_gradients(made, jit)
    y_pred = np.concatenate(list(PREDICTIONS.values())).astype("float32")
    for truth_name, parts in TRUTHS.items():
        y_true = ks.pack_targets(*(np.concatenate([part.astype("float32")] * len(PREDICTIONS)) for part in parts))
        for loss, value, gradient in zip(made, *compute(y_true, y_pred), strict=True):
            # The value is a mean over all images; of which it is not finite, the gradient tells.
            cases = zip(PREDICTIONS, np.split(gradient, len(PREDICTIONS)), strict=True)
            failing = [name for name, part in cases if not np.isfinite(part).all()]
            assert np.isfinite(value) and not failing, f"{loss.name}, {truth_name} truth, {failing} predictions"
            if truth_name == "all masked" and not loss.name.startswith("bce"):
                assert not gradient.any(), loss.name


def check_slopes(made, y_true, y_pred, pixels, tolerance):
    """Compares the gradients at some pixels with finite differences."""
    _, gradients = values_and_gradients(made)(y_true, y_pred)
    for pixel in pixels:
        step = np.zeros_like(y_pred)
        step[pixel] = 1e-6
        for loss, gradient in zip(made, gradients, strict=True):
            slope = (loss(y_true, y_pred + step) - loss(y_true, y_pred - step)).numpy() / 2e-6
            np.testing.assert_allclose(gradient[pixel], slope, rtol=2e-4, atol=tolerance, err_msg=loss.name)


def in_float64(name, from_logits=False):
    return LOSSES[name](from_logits=from_logits, dtype="float64")


@pytest.mark.parametrize("from_logits", [False, True])
def test_gradients_are_those_of_finite_differences(from_logits, rng):
    density, fixations = make_truth(rng, (1, 4, 5, 1))
    # Within (0, 1), where a pixel can be a probability.
    y_pred = rng.uniform(0.1, 0.9, (1, 4, 5, 1))
    y_true = tf.cast(ks.pack_targets(density, fixations), "float64")
    peak = np.unravel_index(np.argmax(y_pred), y_pred.shape)
    made = [in_float64(name, from_logits) for name in EXACT]
    check_slopes(made, y_true, y_pred, [(0, 0, 0, 0), (0, 2, 3, 0), peak], tolerance=1e-8)


def test_gradients_of_maps_with_negative_values(rng):
    shape = (1, 4, 5, 1)
    density, fixations, y_pred = rng.random(shape), rng.poisson(1.0, shape).astype("float64"), rng.normal(size=shape)
    lowest = np.unravel_index(np.argmin(y_pred), shape)
    # There the probability is zero, and a logarithm or a root too steep for finite differences.
    density[lowest] = fixations[lowest] = 0
    y_true = ks.pack_targets(density, fixations)
    made = [in_float64(name) for name in EXACT]
    check_slopes(made, y_true, y_pred, [lowest, (0, 1, 1, 0), (0, 3, 2, 0)], tolerance=1e-7)


@pytest.mark.parametrize("formula", ["mse", "kld + cc"])
def test_weights_are_those_of_images_and_not_of_pixels(formula, rng):
    loss = ks.combo(formula)
    y_true, y_pred = ks.pack_targets(rng.random((1, 4, 6, 1))), rng.random((1, 4, 6, 1)).astype("float32")
    value = loss(y_true, y_pred)
    for shape in ((1,), (1, 1), (1, 1, 1, 1), ()):
        np.testing.assert_allclose(loss(y_true, y_pred, sample_weight=np.full(shape, 3.0)), 3 * value, rtol=1e-6)
    model = keras.Sequential([keras.Input((4, 6, 1)), keras.layers.Identity()])
    model.compile(loss=loss)
    for shape in ((1, 4, 6), (1, 4, 6, 1)):
        for weigh in (loss, lambda *pair, sample_weight: model.evaluate(*pair, 1, 0, sample_weight)):
            with pytest.raises(ValueError, match=r"one number for each image.*the validity mask: pack_targets"):
                weigh(y_true, y_pred, sample_weight=np.ones(shape))


def test_an_image_without_fixations_is_not_averaged(rng):
    density, fixations = make_truth(rng, SHAPE)
    y_pred = rng.random(SHAPE).astype("float32")
    made = every_loss()
    alone = [loss(ks.pack_targets(density[:1], fixations[:1]), y_pred[:1]) for loss in made]
    density[1], fixations[1] = 0, 0
    both = [loss(ks.pack_targets(density, fixations), y_pred) for loss in made]
    np.testing.assert_allclose(both, alone, rtol=1e-5)


@pytest.mark.parametrize("jit", [False, pytest.param(True, marks=pytest.mark.slow)])
@pytest.mark.parametrize("from_logits", [False, True])
def test_nan_is_not_hidden(jit, from_logits, rng):
    y_true = ks.pack_targets(*make_truth(rng, SHAPE)).numpy()
    made = every_loss(from_logits)

    def compute(y_true, y_pred):
        return [loss(y_true, y_pred) for loss in made]

    compute = tf.function(compute, jit_compile=True) if jit else compute
    for base in (np.zeros(SHAPE, "float32"), rng.random(SHAPE).astype("float32")):
        base[1, 2, 3] = np.nan
        for loss, value in zip(made, compute(*map(tf.constant, (y_true, base))), strict=True):
            assert np.isnan(value), loss.name
    broken = y_true.copy()
    broken[1, 2, 3] = np.nan
    whole = rng.random(SHAPE).astype("float32")
    for loss, value in zip(made, compute(*map(tf.constant, (broken, whole))), strict=True):
        assert np.isnan(value), f"{loss.name}, NaN in the truth"


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_is_computed_in_float32(dtype, rng):
    y_true = ks.pack_targets(*make_truth(rng, (1, 240, 320, 1)))
    y_pred = tf.cast(rng.random((1, 240, 320, 1)), dtype)
    for loss in every_loss(sums=False):
        np.testing.assert_allclose(
            loss(tf.cast(y_true, dtype), y_pred),
            loss(tf.cast(tf.cast(y_true, dtype), "float32"), tf.cast(y_pred, "float32")),
            rtol=1e-6,
        )


def test_a_loss_that_needs_fixations_says_so(rng):
    with pytest.raises(ValueError, match="nll needs fixation counts .* pack_targets"):
        losses.NLL()(np.ones(SHAPE, "float32"), np.ones(SHAPE, "float32"))


def test_targets_of_another_size_are_refused_and_of_another_dtype_are_not(rng):
    density, fixations = make_truth(rng, SHAPE)
    y_true, y_pred = ks.pack_targets(density, fixations), rng.random(SHAPE).astype("float32")
    wide = ks.pack_targets(density.astype("float64"), fixations.astype("float64"))
    for loss in every_loss():
        np.testing.assert_allclose(loss(wide, y_pred), loss(y_true, y_pred), rtol=1e-6)
        with pytest.raises(ValueError, match="y_true and y_pred must have the same height and width"):
            loss(y_true, y_pred[:, :3])


OPTIONS = {
    "wmse": {"alpha": 1.3},
    "wbce": {"weight": 0.7},
    "focal": {"alpha": 0.4, "gamma": 1.0},
    "sinkhorn": {"blur": 0.2, "steps": 3},
    "nss": {"relative": True},
    "ig": {"baseline": [[1.0, 2.0]]},
}


@pytest.mark.parametrize("name", LOSSES)
def test_config_round_trips(name):
    convention = next(iter(LOSSES[name].conventions), None)
    shared = {"from_logits": True, "convention": convention, "reduction": "sum", "name": "mine", "dtype": "bfloat16"}
    made = make_loss(name, **shared, **OPTIONS.get(name, {}))
    again = keras.losses.deserialize(keras.losses.serialize(made))
    assert type(again) is LOSSES[name]
    assert again.get_config() == made.get_config()
    assert {**shared, **OPTIONS.get(name, {})}.items() <= again.get_config().items()


# Values of the authors' own formulas in float64, on one map and on one where their constants matter.
I = np.arange(20)  # noqa: E741
S, P = ((values).reshape(1, 4, 5, 1) for values in (I * 7 % 11 / 10, (I * 5 + 3) % 13 / 4))
F = np.zeros((1, 4, 5, 1))
F[0, [1, 3, 0], [2, 0, 4], 0] = 2, 1, 1
SPARSE = np.where(P > 2, P, 0.0)
GOLDEN = [
    ("kld", "sam", S, P, 1.3619889835492311),
    ("kld", "sam", S, SPARSE, 8.21495209081236),
    ("kld", "sam", S * 1e-6, P * 1e-6, 1.33818172159975),
    ("kld", "msi-net", S, P, 1.3619889771197722),
    ("kld", "msi-net", S, SPARSE, 8.214952085317858),
    ("kld", "msi-net", S * 1e-6, P * 1e-6, 1.3413583504548074),
    ("kld", "eml-net", S, P, 1.1505090999514331),
    ("kld", "eml-net", S, SPARSE, 6.734718158862083),
    ("cc", "sam", S, P, -0.4358799380213556),
    ("cc", "eml-net", S, P, 0.5641200619786446),
    ("nss", "sam", S, P, -0.7865995664263381),
    ("nss", "sam", S, 1 + 1e-7 * P, -0.3738592168492052),
    ("nss", "eml-net", S, P, 1.718272053465332),
    ("wmse", "mlnet", S, P, 0.3740566728795895),
]


@pytest.mark.parametrize(("name", "convention", "density", "y_pred", "expected"), GOLDEN)
def test_conventions_give_what_the_authors_formulas_give(name, convention, density, y_pred, expected):
    loss = LOSSES[name](convention=convention, dtype="float64")
    np.testing.assert_allclose(loss(ks.pack_targets(density, F), y_pred), expected, rtol=1e-8)


def test_every_convention_has_a_golden_value():
    golden = {(name, convention) for name, convention, *_ in GOLDEN}
    assert golden == {(name, convention) for name, loss in LOSSES.items() for convention in loss.conventions}


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: losses.KLD(convention="mlnet"), "kld has no convention 'mlnet'. Known conventions: sam, msi-net"),
        (lambda: losses.MSE(convention="sam"), "Known conventions: none"),
        (lambda: losses.WMSE(alpha=1.0), "alpha of wmse must be above one"),
        (lambda: losses.WBCE(weight=1.0), "weight of wbce must be between zero and one"),
        (lambda: losses.Focal(gamma=-1.0), "gamma not negative"),
        (lambda: losses.Sinkhorn(blur=0.05), "blur of sinkhorn must be from 0.08 to 1, and steps at least 1"),
        (lambda: losses.Sinkhorn(steps=0), "steps at least 1"),
        (lambda: losses.IG(baseline=np.ones(3)), "baseline of IG must be a finite"),
    ],
)
def test_wrong_arguments_are_explained(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_the_baseline_of_ig_is_subtracted(rng):
    y_true, y_pred = ks.pack_targets(*make_truth(rng, SHAPE)), rng.random(SHAPE).astype("float32")
    baseline = rng.random(SHAPE[1:3])
    gain = losses.IG(baseline=baseline)(y_true, y_pred)
    np.testing.assert_allclose(gain, -ks.metrics.IG(baseline=baseline)(y_true, y_pred), rtol=1e-5)


def test_a_fixation_map_predicted_exactly_is_the_least_relative_nss(rng):
    density, fixations = make_truth(rng, SHAPE)
    loss = losses.NSS(relative=True)
    np.testing.assert_allclose(loss(ks.pack_targets(density, fixations), 3 * fixations), 0.0, atol=1e-6)
    assert loss(ks.pack_targets(density, fixations), density) > 0
