import numpy as np
import pytest
from keras import ops
from scipy.ndimage import gaussian_filter

from keras_saliency.formulas.recording import blur_each, recorded


def reference(score, bias, gain, weight, share):
    """By the definition, a pixel after the other."""
    found = np.zeros(score.shape)
    for i in range(len(score)):
        masses = [np.exp(gain * s + weight * b) for s, b in zip(score[i].ravel(), bias.ravel(), strict=True)]
        density = [(1 - share) * mass / sum(masses) + share / len(masses) for mass in masses]
        found[i] = np.log(density).reshape(score[i].shape)
    return found


def test_it_is_a_mixture_of_the_density_and_a_uniform_one(rng):
    score, bias = rng.normal(size=(3, 5, 7, 1)), rng.normal(size=(1, 5, 7, 1))
    for numbers in [(0.6, 0.7, 0.1), (1.0, 0.0, 0.0), (0.0, 1.3, 0.5), (2.0, -0.5, 0.0)]:
        np.testing.assert_allclose(recorded(score, bias, *numbers), reference(score, bias, *numbers), rtol=1e-12)
        ours = np.array(recorded(*(part.astype("float32") for part in (score, bias)), *numbers))
        np.testing.assert_allclose(ours, reference(score, bias, *numbers), rtol=1e-5)


def test_by_hand():
    # Four pixels: three quarters of the density on one of them, and half of all spread evenly.
    score = np.log([[9.0, 1.0], [1.0, 1.0]])[None, ..., None]
    found = np.exp(recorded(score, np.zeros_like(score), 1.0, 0.0, 0.5))[0, ..., 0]
    np.testing.assert_allclose(found, [[0.5, 1 / 6], [1 / 6, 1 / 6]])


def test_without_gain_only_the_centre_bias_is_left(rng):
    score, bias = rng.normal(size=(2, 4, 6, 1)), np.log(rng.random((1, 4, 6, 1)))
    found = np.exp(recorded(score, bias, 0.0, 1.0))
    np.testing.assert_allclose(found, np.exp(bias) / np.exp(bias).sum() * np.ones((2, 1, 1, 1)))


@pytest.mark.parametrize("peak", [1e3, 1e5])
def test_far_from_the_peak_it_stays_finite(peak):
    score = np.zeros((1, 3, 3, 1))
    score[0, 1, 1] = peak
    for share in (0.0, 0.01):
        assert np.isfinite(recorded(score, np.zeros_like(score), 1.0, 0.0, share)).all()


def test_each_map_is_blurred_by_its_own_gaussian(rng):
    maps, sigmas = rng.random((3, 11, 9, 1)).astype("float32"), (0.8, 2.5)
    rows = [1, 0, 1]
    found = ops.convert_to_numpy(blur_each(*map(ops.convert_to_tensor, (maps, sigmas, rows))))
    for before, after, row in zip(maps, found, rows, strict=True):
        expected = gaussian_filter(before[..., 0], sigmas[row], mode="reflect", truncate=8)
        np.testing.assert_allclose(after[..., 0], expected, rtol=1e-4)
