import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import ops
from scipy.ndimage import gaussian_filter

from keras_saliency.formulas import maps
from keras_saliency.formulas.mirrored import gaussian_matrix


def batch(*images):
    return np.stack([np.asarray(image, "float32") for image in images])[..., None]


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


def test_density_by_hand():
    density = numpy(maps.to_density(batch([[1, 2, 3], [0, 0, 0], [0, 0, 4]])))[0, ..., 0]
    np.testing.assert_allclose(density, np.array([[1, 2, 3], [0, 0, 0], [0, 0, 4]]) / 10, rtol=1e-6)


@pytest.mark.parametrize("scale", [1e-30, 1.0, 1e30])
def test_density_does_not_depend_on_the_scale(scale, rng):
    values = rng.random((2, 5, 7, 1)).astype("float32")
    np.testing.assert_allclose(maps.to_density(values * np.float32(scale)), maps.to_density(values), rtol=1e-5)


def test_an_empty_map_is_uniform_and_a_negative_one_is_shifted():
    density = numpy(maps.to_density(batch(np.zeros((2, 2)), [[-1, 0], [0, 1]])))
    np.testing.assert_allclose(density[0], 0.25)
    np.testing.assert_allclose(density[1, ..., 0], [[0, 0.25], [0.25, 0.5]])


def test_density_of_padding_is_zero():
    values, valid = batch([[1, 3], [9, 9]]), batch([[1, 1], [0, 0]])
    np.testing.assert_allclose(numpy(maps.to_density(values, valid))[0, ..., 0], [[0.25, 0.75], [0, 0]])
    np.testing.assert_allclose(numpy(maps.to_density(0 * values, valid))[0, ..., 0], [[0.5, 0.5], [0, 0]])


@pytest.mark.parametrize("value", [0.0, 0.1, -3.7, 1e-30, 1e30])
def test_a_constant_map_standardizes_to_exactly_zero(value):
    assert np.all(numpy(maps.standardize(np.full((1, 13, 17, 1), value, "float32"))) == 0)


@settings(max_examples=25, deadline=None)
@given(scale=st.floats(1e-3, 1e3), shift=st.floats(-10, 10), seed=st.integers(0, 99))
def test_standardize_ignores_scale_and_shift(scale, shift, seed):
    values = np.random.default_rng(seed).random((2, 9, 11, 1))
    expected = (values - values.mean((1, 2), keepdims=True)) / values.std((1, 2), keepdims=True)
    np.testing.assert_allclose(maps.standardize(values * scale + shift), expected, rtol=1e-6, atol=1e-6)


def test_log_softmax_sums_to_one_over_valid_pixels(rng):
    logits, valid = (
        rng.normal(0, 50, (3, 4, 6, 1)).astype("float32"),
        (rng.random((3, 4, 6, 1)) < 0.7).astype("float32"),
    )
    np.testing.assert_allclose(np.sum(np.exp(numpy(maps.log_softmax(logits))), (1, 2)), 1, rtol=1e-5)
    np.testing.assert_allclose(np.sum(np.exp(numpy(maps.log_softmax(logits, valid))) * valid, (1, 2)), 1, rtol=1e-5)


@pytest.mark.parametrize("sigma", [0.0, 0.8, 3.0])
def test_blur_is_scipys_with_mirrored_borders(sigma, rng):
    values = rng.random((2, 14, 19, 1)).astype("float32")
    expected = np.stack([gaussian_filter(v, sigma, mode="reflect", truncate=8.0) for v in values[..., 0]])
    np.testing.assert_allclose(numpy(maps.blur(values, sigma))[..., 0], expected, rtol=1e-4)


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_the_matrix_of_a_blur_is_computed_in_single_precision(dtype):
    half = keras.ops.cast(gaussian_matrix(24, 2.0, dtype), "float32")
    np.testing.assert_allclose(half, gaussian_matrix(24, 2.0), rtol=2**-8, atol=1e-6)


@pytest.mark.parametrize("sides", [0.01, 0.1, 0.3, 0.6, 1.0, 2.0, 3.5, 10.0, 1e4])
def test_blur_keeps_mass_and_constants_however_wide_it_is(sides, rng):
    sigma, sharp = 20 * sides, np.zeros((1, 20, 30, 1))
    sharp[0, 1, 2] = 1  # near a corner, where most leaves the map
    blurred = numpy(maps.blur(sharp, sigma))
    expected = gaussian_filter(sharp[0, ..., 0], min(sigma, 400.0), mode="reflect", truncate=9.0)
    np.testing.assert_allclose(blurred[0, ..., 0], expected, rtol=1e-9, atol=1e-14)
    np.testing.assert_allclose(np.sum(blurred), 1, rtol=1e-13)
    values = rng.random((2, 20, 30, 1)).astype("float32")
    np.testing.assert_allclose(np.sum(maps.blur(values, sigma), (1, 2)), np.sum(values, (1, 2)), rtol=2e-6)
    np.testing.assert_allclose(maps.blur(np.full((1, 20, 30, 1), 0.3, "float32"), sigma), 0.3, rtol=2e-6)


@pytest.mark.parametrize("sides", [0.0, 0.001, 0.6, 3.0, 1e4])
def test_the_gradient_of_a_blur_is_finite_however_wide_it_is(sides, rng):
    values, sigma = tf.constant(rng.random((1, 8, 9, 1)), "float32"), tf.Variable(8 * sides)
    with tf.GradientTape() as tape:
        tape.watch(values)
        energy = tf.reduce_sum(tf.square(maps.blur(values, sigma)))
    slopes = [numpy(slope) for slope in tape.gradient(energy, [values, sigma])]
    assert all(np.isfinite(slope).all() for slope in slopes)
    if sides == 0.6:
        sharp = numpy(values).astype("float64")
        below, above = (np.sum(numpy(maps.blur(sharp, 4.8 + step)) ** 2) for step in (-1e-3, 1e-3))
        np.testing.assert_allclose(slopes[1], (above - below) / 2e-3, rtol=1e-3)


def test_targets_round_trip(rng):
    parts = [rng.random((2, 3, 4, 1)).astype("float32") for _ in range(3)]
    for count in (1, 2, 3):
        target = maps.unpack_targets(maps.pack_targets(*parts[:count]))
        for part, given_part in zip(target, [*parts[:count], None, None], strict=False):
            assert (part is None) == (given_part is None)
            if part is not None:
                np.testing.assert_array_equal(part, given_part)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: maps.as_maps(np.zeros((2, 3, 4)), "y_pred"), r"y_pred must have the shape"),
        (lambda: maps.pack_targets(np.zeros((1, 3, 4, 1)), np.zeros((1, 4, 3, 1))), "fixations must have the shape of"),
        (lambda: maps.pack_targets(np.zeros((1, 3, 4, 1)), valid=np.ones((1, 3, 4, 1))), "needs fixations when valid"),
        (lambda: maps.pack_targets(np.full((1, 3, 4, 1), np.nan)), "density has NaN or infinite values, first at"),
        (lambda: maps.unpack_targets(np.zeros((1, 3, 4, 4))), "one to three channels"),
        (lambda: maps.unpack_targets(np.zeros((1, 3, 4, 1)), "NSS"), "NSS needs fixation counts .* pack_targets"),
    ],
)
def test_a_wrong_shape_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_maps_are_float32_under_any_policy_and_float64_is_kept():
    assert keras.backend.standardize_dtype(maps.as_maps(np.zeros((1, 2, 2, 1), "float16")).dtype) == "float32"
    assert keras.backend.standardize_dtype(maps.as_maps(np.zeros((1, 2, 2, 1), "float64")).dtype) == "float64"


def test_a_blur_of_a_size_not_yet_known_is_that_of_a_known_one(rng):
    images = rng.random((2, 6, 9, 1)).astype("float32")
    blur = tf.function(lambda images: maps.blur(images, 1.5), input_signature=[tf.TensorSpec((None, None, None, 1))])
    np.testing.assert_allclose(blur(images), maps.blur(images, 1.5), rtol=1e-5)
