import keras
import numpy as np
import pytest
import reference

import keras_saliency as ks
from keras_saliency.metrics import METRICS

SHAPE = (5, 7, 9, 1)


def packed(rng):
    density = rng.random(SHAPE).astype("float32")
    return density, rng.poisson(0.5, SHAPE).astype("float32")


def expected(name, density, fixations, prediction):
    values = {
        "nss": lambda s, f, p: reference.nss(f, p),
        "auc": lambda s, f, p: reference.auc(f, p),
        "cc": lambda s, f, p: reference.cc(s, p),
        "sim": lambda s, f, p: reference.sim(s, p),
        "kld": lambda s, f, p: reference.kld(s, p, 2.2204e-16),
        "ig": lambda s, f, p: reference.ig(f, np.log(reference.density(p)), np.full(p.shape, -np.log(p.size))),
    }
    images = zip(density[..., 0], fixations[..., 0], prediction[..., 0], strict=True)
    return np.mean([values[name](*image) for image in images])


@pytest.mark.parametrize("name", METRICS)
def test_two_uneven_batches_equal_one_joined_batch_and_the_reference(name, rng):
    density, fixations = packed(rng)
    y_true, y_pred = ks.pack_targets(density, fixations), rng.random(SHAPE).astype("float32")
    joined, streamed = METRICS[name](), METRICS[name]()
    joined.update_state(y_true, y_pred)
    streamed.update_state(y_true[:1], y_pred[:1])
    streamed.update_state(y_true[1:], y_pred[1:])
    np.testing.assert_allclose(streamed.result(), joined.result(), rtol=1e-6)
    np.testing.assert_allclose(joined.result(), expected(name, density, fixations, y_pred), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", METRICS)
def test_from_logits_scores_the_density(name, rng):
    y_true, logits = ks.pack_targets(*packed(rng)), rng.normal(size=SHAPE).astype("float32")
    np.testing.assert_allclose(
        METRICS[name](from_logits=True)(y_true, logits + 4), METRICS[name]()(y_true, np.exp(logits)), rtol=1e-5
    )


@pytest.mark.parametrize(("name", "value"), {"nss": 0.0, "auc": 0.5, "cc": 0.0, "ig": 0.0}.items())
def test_a_constant_prediction_is_at_chance(name, value, rng):
    y_true = ks.pack_targets(*packed(rng))
    for constant in (0.0, 0.2):
        np.testing.assert_allclose(METRICS[name]()(y_true, np.full(SHAPE, constant, "float32")), value, atol=1e-6)


@pytest.mark.parametrize("name", METRICS)
def test_nan_is_not_hidden(name, rng):
    y_pred = rng.random(SHAPE).astype("float32")
    y_pred[2, 3, 4] = np.nan
    for from_logits in (False, True):
        assert np.isnan(METRICS[name](from_logits=from_logits)(ks.pack_targets(*packed(rng)), y_pred))


@pytest.mark.parametrize("name", METRICS)
def test_images_without_fixations_are_skipped(name, rng):
    density, fixations = packed(rng)
    y_pred = rng.random(SHAPE).astype("float32")
    alone = METRICS[name]()(ks.pack_targets(density[:3], fixations[:3]), y_pred[:3])
    density[3:], fixations[3:] = 0, 0
    np.testing.assert_allclose(METRICS[name]()(ks.pack_targets(density, fixations), y_pred), alone, rtol=1e-6)
    assert METRICS[name]()(ks.pack_targets(density[3:], fixations[3:]), y_pred[3:]) == 0


@pytest.mark.parametrize("name", METRICS)
def test_sample_weights_weigh_images(name, rng):
    y_true, y_pred = ks.pack_targets(*packed(rng)), rng.random(SHAPE).astype("float32")
    weighted = METRICS[name]()(y_true, y_pred, sample_weight=[0, 0, 1, 0, 0])
    np.testing.assert_allclose(weighted, METRICS[name]()(y_true[2:3], y_pred[2:3]), rtol=1e-6)


@pytest.mark.parametrize("metric", [*METRICS.values()])
def test_config_round_trips(metric):
    made = metric(from_logits=True, name="mine", dtype="float32")
    again = keras.metrics.deserialize(keras.metrics.serialize(made))
    assert type(again) is metric
    assert again.get_config() == made.get_config()


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
