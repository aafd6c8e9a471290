import keras
import numpy as np
import pytest
import reference
import reference_mit as mit
import tensorflow as tf
from conftest import NEGATIVES, channels_first, every_metric

import keras_saliency as ks
from keras_saliency.metrics import METRICS

SHAPE = (5, 7, 9, 1)
EVERY = every_metric()
all_metrics = pytest.mark.parametrize("metric", EVERY.values(), ids=map("-".join, EVERY))


def packed(rng):
    density = rng.random(SHAPE).astype("float32")
    return density, rng.poisson(0.5, SHAPE).astype("float32")


def others():
    counts = np.zeros(SHAPE[1:3])
    for y, x in NEGATIVES:
        counts[int(y * SHAPE[1]), int(x * SHAPE[2])] += 1
    return counts


def uniform_log_density(p):
    return np.full(p.shape, -np.log(p.size))


def log_density(p):
    return np.log(reference.density(p))


# What each metric computes for one image: density, fixation counts, prediction.
EXPECTED = {
    ("nss", "tuebingen"): lambda s, f, p: reference.nss(f, p),
    ("auc", "tuebingen"): lambda s, f, p: reference.auc(f, p),
    ("sauc", "tuebingen"): lambda s, f, p: reference.sauc(f, p, others()),
    ("cc", "tuebingen"): lambda s, f, p: reference.cc(s, p),
    ("sim", "tuebingen"): lambda s, f, p: reference.sim(s, p),
    ("kld", "tuebingen"): lambda s, f, p: mit.kldiv(p, s),
    ("ig", "tuebingen"): lambda s, f, p: reference.ig(f, log_density(p), uniform_log_density(p)),
    ("log_likelihood", "tuebingen"): lambda s, f, p: -reference.nll(f, log_density(p)),
    ("nss", "mit"): lambda s, f, p: mit.nss(p, f),
    ("auc", "mit"): lambda s, f, p: mit.auc_judd(p, f),
    # The area is linear in the share of negatives, so its mean over all splits is that at their exact share.
    ("auc_borji", "mit"): lambda s, f, p: mit.area_in_steps(mit.stretched(p)[f > 0], mit.stretched(p).ravel(), 0.1),
    ("sauc", "mit"): lambda s, f, p: mit.area_in_steps(mit.stretched(p)[f > 0], mit.stretched(p)[others() > 0], 0.1),
    ("cc", "mit"): lambda s, f, p: mit.cc(p, s),
    ("sim", "mit"): lambda s, f, p: mit.similarity(p, s),
    ("kld", "mit"): lambda s, f, p: mit.kldiv(p, s),
    # The uniform baseline stays uniform when it is stretched.
    ("ig", "mit"): lambda s, f, p: (
        np.mean(np.log2(mit.EPSILON + mit.summed(mit.stretched(p)))[f > 0]) + np.log2(p.size)
    ),
    ("emd", "mit"): lambda s, f, p: 0.0,  # one pixel is left of so small a map
}


def test_every_metric_is_expected():
    assert set(EXPECTED) == set(EVERY)
    assert set(METRICS) == {name for name, _ in EVERY}


@pytest.mark.parametrize("key", EVERY, ids="-".join)
def test_two_uneven_batches_equal_one_joined_batch_and_the_reference(key, rng):
    density, fixations = packed(rng)
    y_true, y_pred = ks.pack_targets(density, fixations), rng.random(SHAPE).astype("float32")
    joined, streamed = EVERY[key](), EVERY[key]()
    joined.update_state(y_true, y_pred)
    streamed.update_state(y_true[:1], y_pred[:1])
    streamed.update_state(y_true[1:], y_pred[1:])
    np.testing.assert_allclose(streamed.result(), joined.result(), rtol=1e-6)
    images = zip(density[..., 0], fixations[..., 0], y_pred[..., 0].astype("float64"), strict=True)
    expected = np.mean([EXPECTED[key](*image) for image in images])
    np.testing.assert_allclose(joined.result(), expected, rtol=1e-5, atol=1e-6)


@all_metrics
def test_from_logits_scores_the_density(metric, rng):
    y_true, logits = ks.pack_targets(*packed(rng)), rng.normal(size=SHAPE).astype("float32")
    np.testing.assert_allclose(
        metric(from_logits=True)(y_true, logits + 4), metric()(y_true, np.exp(logits)), rtol=1e-5
    )


CHANCE = {"nss": 0.0, "auc": 0.5, "auc_borji": 0.5, "sauc": 0.5, "cc": 0.0, "ig": 0.0}


@pytest.mark.parametrize("key", [key for key in EVERY if key[0] in CHANCE], ids="-".join)
def test_a_constant_prediction_is_at_chance(key, rng):
    y_true = ks.pack_targets(*packed(rng))
    for constant in (0.0, 0.2):
        value = EVERY[key]()(y_true, np.full(SHAPE, constant, "float32"))
        np.testing.assert_allclose(value, CHANCE[key[0]], atol=1e-6)


@all_metrics
def test_nan_is_not_hidden(metric, rng):
    y_pred = rng.random(SHAPE).astype("float32")
    y_pred[2, 3, 4] = np.nan
    for from_logits in (False, True):
        assert np.isnan(metric(from_logits=from_logits)(ks.pack_targets(*packed(rng)), y_pred))


@all_metrics
def test_metrics_are_channels_last_however_keras_is_configured(metric, rng):
    y_true, y_pred = ks.pack_targets(*packed(rng)), rng.random(SHAPE).astype("float32")
    options = {"baseline": rng.random((3, 5)) + 0.1} if metric.func is ks.metrics.IG else {}
    expected = metric(**options)(y_true, y_pred)
    with channels_first():
        assert metric(**options)(y_true, y_pred) == expected


@all_metrics
def test_images_without_fixations_are_skipped(metric, rng):
    density, fixations = packed(rng)
    y_pred = rng.random(SHAPE).astype("float32")
    alone = metric()(ks.pack_targets(density[:3], fixations[:3]), y_pred[:3])
    density[3:], fixations[3:] = 0, 0
    np.testing.assert_allclose(metric()(ks.pack_targets(density, fixations), y_pred), alone, rtol=1e-6)
    assert metric()(ks.pack_targets(density[3:], fixations[3:]), y_pred[3:]) == 0


@all_metrics
def test_an_image_of_padding_alone_is_skipped(metric, rng):
    density, fixations = packed(rng)
    valid = np.ones(SHAPE, "float32")
    valid[3:] = 0
    y_pred = rng.random(SHAPE).astype("float32")
    alone = metric()(ks.pack_targets(density[:3], fixations[:3]), y_pred[:3])
    np.testing.assert_allclose(metric()(ks.pack_targets(density, fixations, valid), y_pred), alone, rtol=1e-5)


@all_metrics
def test_sample_weights_weigh_images(metric, rng):
    y_true, y_pred = ks.pack_targets(*packed(rng)), rng.random(SHAPE).astype("float32")
    weighted = metric()(y_true, y_pred, sample_weight=[0, 0, 1, 0, 0])
    np.testing.assert_allclose(weighted, metric()(y_true[2:3], y_pred[2:3]), rtol=1e-6)
    for shape in ((1,), (1, 1), (1, 1, 1, 1), ()):
        np.testing.assert_allclose(
            metric()(y_true[2:3], y_pred[2:3], sample_weight=np.full(shape, 3.0)), weighted, rtol=1e-6
        )
    for shape in ((1,), (1, 1), ()):
        np.testing.assert_allclose(
            metric()(y_true, y_pred, sample_weight=np.full(shape, 3.0)), metric()(y_true, y_pred), rtol=1e-6
        )
    for shape in (SHAPE[1:3], SHAPE[1:]):
        with pytest.raises(ValueError, match=r"one number for each image.*the validity mask: pack_targets"):
            metric()(y_true[2:3], y_pred[2:3], sample_weight=np.ones((1, *shape)))


@all_metrics
def test_config_round_trips(metric):
    made = metric(from_logits=True, name="mine", dtype="float32")
    again = keras.metrics.deserialize(keras.metrics.serialize(made))
    assert type(again) is type(made)
    assert again.get_config() == made.get_config()


def test_what_a_metric_cannot_do_is_said():
    with pytest.raises(ValueError, match=r"EMD is defined in the convention 'mit'. Received: convention='tuebingen'"):
        ks.metrics.EMD(convention="tuebingen")
    for wrong in ([[0.1, 1.0]], [[0.1, -0.1]], [0.1, 0.2], np.zeros((0, 2))):
        with pytest.raises(ValueError, match="negatives of SAUC must be fixations"):
            ks.metrics.SAUC(wrong)
    with pytest.raises(ValueError, match="ceiling of IG must be positive"):
        ks.metrics.IG(ceiling=0.0)


def test_negatives_fall_on_the_pixels_that_they_came_from(rng):
    pixels = np.stack([rng.integers(7, size=200), rng.integers(9, size=200)], 1)
    density, fixations = packed(rng)
    y_pred = rng.random(SHAPE).astype("float32")
    counts = np.zeros(SHAPE[1:3])
    np.add.at(counts, tuple(pixels.T), 1)
    expected = np.mean([reference.sauc(f, p, counts) for f, p in zip(fixations[..., 0], y_pred[..., 0], strict=True)])
    metric = ks.metrics.SAUC(pixels / (7, 9))
    np.testing.assert_allclose(metric(ks.pack_targets(density, fixations), y_pred), expected, rtol=1e-5)


@pytest.mark.parametrize("share", [1 - 1e-6, 1 - 1e-7, np.nextafter(1.0, 0.0)])
@pytest.mark.parametrize("axis", [0, 1])
def test_negatives_at_the_very_end_of_an_axis_fall_on_its_last_pixel(axis, share, rng):
    shape = (1, 33, 1920, 1) if axis else (1, 1920, 33, 1)
    y_true, y_pred = ks.pack_targets(np.ones(shape), rng.poisson(0.01, shape)), rng.random(shape).astype("float32")
    end, centre = ([[value if i == axis else 0.5 for i in (0, 1)]] for value in (share, 1 - 0.5 / 1920))
    metric = ks.metrics.SAUC(end)
    assert metric(y_true, y_pred) == ks.metrics.SAUC(centre)(y_true, y_pred)
    assert keras.metrics.deserialize(keras.metrics.serialize(metric))(y_true, y_pred) == metric.result()


def test_explained_information_is_a_share_of_the_ceiling(rng):
    y_true, y_pred = ks.pack_targets(*packed(rng)), rng.random(SHAPE).astype("float32")
    gain = ks.metrics.IG()(y_true, y_pred)
    np.testing.assert_allclose(ks.metrics.IG(ceiling=2.5, name="explained")(y_true, y_pred), gain / 2.5, rtol=1e-6)


def test_ig_over_a_baseline(rng):
    baseline = rng.random((7, 9)) + 0.1
    y_true, y_pred = ks.pack_targets(*packed(rng)), np.repeat(baseline[None, ..., None], 5, 0)
    metric = ks.metrics.IG(baseline)
    np.testing.assert_allclose(metric(y_true, y_pred.astype("float32")), 0, atol=1e-5)
    again = keras.metrics.deserialize(keras.metrics.serialize(metric))
    np.testing.assert_allclose(again.baseline, baseline, rtol=1e-6)
    for wrong in (np.ones((3, 4, 1)), -np.ones((3, 4)), np.full((3, 4), np.nan)):
        with pytest.raises(ValueError, match="baseline of IG must be a finite, non-negative density"):
            ks.metrics.IG(wrong)


def test_metrics_that_need_fixations_say_so():
    with pytest.raises(ValueError, match="auc needs fixation counts"):
        ks.metrics.AUC()(np.ones(SHAPE, "float32"), np.ones(SHAPE, "float32"))


@pytest.mark.slow
def test_the_metrics_are_the_same_under_xla(rng):
    # Large enough that the area is counted and not sorted. EMD calls NumPy, which XLA cannot.
    shape = (2, 160, 200, 1)
    y_true = ks.pack_targets(rng.random(shape).astype("float32"), rng.poisson(0.004, shape).astype("float32"))
    y_pred = tf.constant(rng.normal(size=shape).astype("float32"))
    metrics = [make(from_logits=True) for (name, _), make in EVERY.items() if name != "emd"]

    def values(y_true, y_pred):
        pair = ks.maps.unpack_pair(y_true, y_pred, from_logits=True)
        return [metric.measure(*pair) for metric in metrics]

    compiled = [tf.function(values, jit_compile=jit)(y_true, y_pred) for jit in (False, True)]
    for metric, plain, by_xla in zip(metrics, *compiled, strict=True):
        np.testing.assert_allclose(by_xla, plain, rtol=1e-5, atol=1e-5, err_msg=metric.name)
