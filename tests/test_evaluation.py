import keras
import numpy as np
import pytest
import reference
from scipy.ndimage import gaussian_filter

from keras_saliency import baselines, evaluation, layers
from keras_saliency.data import Fixations, Sample, Samples


@pytest.fixture(scope="module")
def fitted(tiny):
    bias = baselines.CentreBias(tiny.train, tiny.validation)
    return bias, baselines.GoldStandard(tiny.validation, bias)


def test_scores_agree_with_the_reference(tiny, rng):
    sample = tiny.test[0]
    log_p, log_b = (reference.log_density(rng.normal(size=sample.size)) for _ in range(2))
    scores = evaluation.score(log_p, evaluation.ground_truth(sample, log_b))
    counts = sample.fixations.counts(sample.size)
    truth = gaussian_filter(counts, sample.sigma, mode="reflect")
    expected = {
        "nss": reference.nss(counts, np.exp(log_p)),
        "auc": reference.auc(counts, log_p),
        "cc": reference.cc(truth, np.exp(log_p)),
        "sim": reference.sim(truth, np.exp(log_p)),
        "kld": reference.kld(truth, np.exp(log_p), 2.2204e-16),
        "ig": reference.ig(counts, log_p, log_b),
        "expected_ig": np.sum(sample.density * (log_p - log_b)) / np.log(2),
    }
    assert scores == pytest.approx(expected, rel=1e-9)


def test_a_broken_map_is_named(tiny):
    sample = tiny.test[0]
    truth = evaluation.ground_truth(sample, baselines.uniform(sample.size))
    with pytest.raises(ValueError, match=f"map of {sample.name} must have the size"):
        evaluation.score(np.zeros((3, 4)), truth)
    with pytest.raises(ValueError, match=f"map of {sample.name} has NaN or infinite values"):
        evaluation.score(np.full(sample.size, np.nan), truth)


def gaussian_samples(count, spread, rng):
    """Images whose fixations are drawn around the centre, in shares of the side."""
    samples = []
    for i in range(count):
        x, y = np.clip(rng.normal(0.5, spread, (2, 60)), 0.001, 0.999) * [[80], [60]]
        rows = np.stack([x, y, np.arange(60) % 6, np.arange(60)], 1)
        samples.append(Sample(f"s{i}", b"", (60, 80), Fixations.from_rows(rows), 3.0))
    return Samples(samples)


def test_centre_bias_finds_the_gaussian_that_made_the_fixations(rng):
    bias = baselines.CentreBias(gaussian_samples(40, 0.1, rng), gaussian_samples(20, 0.1, rng))
    y, x = (np.mgrid[:60, :80] + 0.5) / [[[60]], [[80]]]
    truth = np.exp(-((x - 0.5) ** 2 + (y - 0.5) ** 2) / (2 * 0.1**2))
    log_density = bias.log_density((60, 80))
    np.testing.assert_allclose(np.exp(log_density).sum(), 1)
    assert 0.5 * np.abs(np.exp(log_density) - truth / truth.sum()).sum() < 0.08
    assert bias.density.min() > 0


def test_gold_standard_predicts_each_observer_from_the_others_only(fitted, tiny):
    _, gold = fitted
    sample = tiny.test[0]
    observers, log_densities = gold.log_densities(sample)
    np.testing.assert_allclose(np.exp(log_densities).sum((1, 2)), 1, rtol=1e-4)
    others = sample.fixations[sample.fixations.observer != observers[0]]
    bias = np.exp(gold.centre_bias.log_density(sample.size))
    kernel = gaussian_filter(others.counts(sample.size), gold.bandwidth * sample.sigma, mode="reflect") / len(others)
    expected = gold.weights[0] * kernel + gold.weights[1] * bias + gold.weights[2] / bias.size
    # The kernels stand at the fixations themselves, not at the centres of their pixels.
    assert np.corrcoef(np.exp(log_densities[0]).ravel(), expected.ravel())[0, 1] > 0.99
    np.testing.assert_allclose(gold.weights.sum(), 1)


def test_mixture_weights_are_found(rng):
    from keras_saliency.baselines.gold_standard import _fit_mixture

    chosen = rng.random(20_000) < 0.7
    likelihoods = np.where(chosen, [[0.9], [0.1]], [[0.1], [0.9]])
    weights, value = _fit_mixture(likelihoods)
    shares = np.linspace(0, 1, 201)
    best = max(np.sum(np.log(np.array([share, 1 - share]) @ likelihoods)) for share in shares)
    assert value >= best - 1e-3
    assert weights.sum() == pytest.approx(1)


def uniform_model(size):
    images = keras.Input((*size, 3))
    flat = keras.layers.Conv2D(1, 1, kernel_initializer="zeros")(images)
    return keras.Model(images, layers.LogSoftmax()(flat))


def test_evaluate_ranks_the_baselines(tiny):
    seen = []
    scored = evaluation.evaluate(uniform_model((60, 80)), tiny, progress=seen.append)
    assert seen == [1, 2, 3, 4]
    rows = {"model": scored.summary, **scored.baselines}
    means = {row: {name: value["mean"] for name, value in values.items()} for row, values in rows.items()}
    assert set(means) == {"model", "uniform", "centre_bias", "gold_standard", "truth"}
    for name in evaluation.METRICS:
        assert means["model"][name] == pytest.approx(means["uniform"][name], abs=1e-5)
    assert means["truth"]["ig"] > means["gold_standard"]["ig"] > means["centre_bias"]["ig"] == 0
    assert means["gold_standard"]["explained_information"] == means["truth"]["known_information"] == 1
    assert means["uniform"]["auc"] == 0.5
    assert means["gold_standard"]["cc"] is None
    for values in rows.values():
        for interval in values.values():
            assert interval["mean"] is None or interval["low"] <= interval["mean"] <= interval["high"]
    assert len(scored.per_image["model"]) == len(tiny.test)


def test_the_interval_is_that_of_the_mean(rng):
    values = rng.normal(3, 2, 400)
    interval = evaluation._interval(values)
    assert interval["mean"] == pytest.approx(values.mean())
    half = 1.96 * values.std() / 20
    assert interval["high"] - interval["low"] == pytest.approx(2 * half, rel=0.1)
    assert evaluation._interval(2 * values, values)["mean"] == pytest.approx(2)
    assert evaluation._interval([1.0])["low"] is None


def test_predictions_come_in_order_at_native_size(tiny):
    pairs = [
        pair for pairs in evaluation.predict_native(uniform_model((75, 100)), tiny.test, batch=3) for pair in pairs
    ]
    assert [sample.name for sample, _ in pairs] == [sample.name for sample in tiny.test]
    for sample, log_density in pairs:
        assert log_density.shape == sample.size
        np.testing.assert_allclose(np.exp(log_density).sum(), 1, rtol=1e-5)
