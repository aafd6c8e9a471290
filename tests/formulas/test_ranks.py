import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from keras_saliency.formulas import ranks
from keras_saliency.formulas.ground_truth import BLURS, gaussian_blur

SAMPLES = {
    "dense": lambda rng: rng.normal(size=5000),
    "tied": lambda rng: np.round(rng.normal(size=5000), 1),
    "one far away": lambda rng: np.append(rng.normal(size=5000), 1e30),
    "hardly varied": lambda rng: 1 + 1e-13 * rng.random(5000).round(2),
    "constant": lambda rng: np.full(5000, 3.0),
    "of huge range": lambda rng: np.append(rng.normal(size=5000), [-1.7e308, 1.7e308]),
    "single precision": lambda rng: np.round(rng.normal(size=5000), 4).astype("float32"),
    "whole numbers": lambda rng: rng.integers(0, 255, 5000),
}


@pytest.mark.filterwarnings("ignore:overflow")
@pytest.mark.parametrize("kind", SAMPLES)
def test_ranks_are_those_of_comparing_all(kind, rng):
    sample = SAMPLES[kind](rng)
    made = ranks.Ranks(sample)
    for count in (1, 30, 300, 31):  # those of one set must not depend on those of another
        values = rng.choice(sample, count)
        expected = np.stack([(sample < values[:, None]).sum(1), (sample <= values[:, None]).sum(1)])
        np.testing.assert_array_equal(made.counts(values), expected)
        weights = rng.integers(0, 4, len(sample))
        share = ranks.weight_below(sample, weights, values)
        brute = [(weights[sample < v].sum() + weights[sample <= v].sum()) / (2 * weights.sum()) for v in values]
        np.testing.assert_allclose(share, brute, rtol=1e-13)


@pytest.mark.parametrize("count", [2, 300])
def test_a_sample_with_nan_has_no_ranks(count, rng):
    sample = np.append(rng.normal(size=5000), np.nan)
    assert np.isnan(ranks.Ranks(sample).counts(sample[:count])).all()
    assert np.isnan(ranks.weight_below(sample, np.ones(len(sample)), sample[:count])).all()


@pytest.mark.parametrize("convention", BLURS)
def test_several_maps_are_blurred_as_each_alone(convention, rng):
    maps = rng.random((70, 50, 3))
    found = BLURS[convention][0](maps, 4.0)
    for i in range(3):
        np.testing.assert_allclose(found[..., i], BLURS[convention][0](maps[..., i], 4.0), atol=1e-13)
    single = BLURS[convention][0](maps.astype("float32"), 4.0)
    np.testing.assert_allclose(single, found, atol=1e-6)
    assert gaussian_blur(maps.astype("float32"), 4.0).dtype == "float32"
    assert gaussian_blur(maps[..., 0].astype("float32"), 4.0).dtype == found.dtype == "float64"


@pytest.mark.parametrize("shape", [(150, 200), (200, 90), (5, 150)])
def test_the_blur_of_evaluation_is_scipys(shape, rng):
    maps = rng.random(shape)
    np.testing.assert_allclose(gaussian_blur(maps, 9.0), gaussian_filter(maps, 9.0, mode="reflect"), atol=1e-13)
