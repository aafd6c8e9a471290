import functools

import keras
import numpy as np
import pytest
from conftest import channels_first
from keras import ops
from scipy.ndimage import gaussian_filter

from keras_saliency import layers
from keras_saliency.backbones.intensity_contrast import IntensityContrast


def test_centre_bias_adds_the_weighted_log_density(rng):
    layer = layers.CentreBias()
    inputs = rng.normal(size=(2, 6, 8, 1)).astype("float32")
    layer(inputs)
    density = rng.random((6, 8)) + 0.1
    layer.set_density(density)
    layer.weight.assign(0.5)
    added = ops.convert_to_numpy(layer(inputs)) - inputs
    expected = 0.5 * np.log(density / density.max())
    np.testing.assert_allclose(added[0, ..., 0], expected, rtol=1e-4, atol=1e-5)
    assert [w.path for w in layer.trainable_weights] == [layer.weight.path]


def test_a_narrow_centre_bias_stays_finite():
    layer = layers.CentreBias()
    layer.build((None, 6, 8, 1))
    x = np.linspace(-1, 1, 8)
    layer.set_density(np.exp(-np.broadcast_to(x**2, (6, 8)) / 0.01))  # less than float32 has, beside the peak
    assert np.isfinite(layer.log_density).all()


@pytest.mark.parametrize("density", [np.zeros((3, 4)), np.full((3, 4), np.nan), np.ones((3, 4, 1))])
def test_centre_bias_refuses_what_is_no_positive_density(density):
    layer = layers.CentreBias()
    layer.build((None, 6, 8, 1))
    with pytest.raises(ValueError, match="finite, positive density"):
        layer.set_density(density)


def test_learned_blur_blurs_and_learns_its_width(rng):
    layer = layers.LearnedBlur(sigma=1.7)
    inputs = rng.random((1, 12, 15, 1)).astype("float32")
    expected = gaussian_filter(inputs[0, ..., 0], 1.7, mode="reflect", truncate=8)
    np.testing.assert_allclose(ops.convert_to_numpy(layer(inputs))[0, ..., 0], expected, rtol=1e-4)
    with pytest.raises(ValueError, match="positive sigma"):
        layers.LearnedBlur(sigma=0)


def test_the_head_of_a_recording_takes_what_was_found(rng):
    layer = layers.RecordingHead((6, 8))
    inputs = rng.normal(size=(2, 12, 16, 1)).astype("float32")
    log_softmax = inputs - np.log(np.exp(inputs).sum((1, 2, 3), keepdims=True))
    np.testing.assert_allclose(layer(inputs), log_softmax, atol=1e-5)  # as it is made
    numbers = {"gain": 0.5, "blur": 0.1, "centre_weight": 0.8, "uniform_share": 0.2}
    density = rng.random((6, 8)) + 0.1
    layer.set(numbers, density)
    assert layer.numbers == pytest.approx(numbers)
    blurred = np.stack(
        [gaussian_filter(each, 0.1 * np.sqrt(12 * 16), mode="reflect", truncate=8) for each in inputs[..., 0]]
    )
    bias = ops.image.resize(np.log(density)[..., None].astype("float32"), (12, 16))
    logits = np.exp(0.5 * blurred + 0.8 * np.array(bias)[..., 0])
    expected = np.log(0.8 * logits / logits.sum((1, 2), keepdims=True) + 0.2 / (12 * 16))
    np.testing.assert_allclose(ops.convert_to_numpy(layer(inputs))[..., 0], expected, atol=1e-4)
    for wrong in ({"gain": -1.0}, {"blur": np.nan}, {"centre_weight": np.inf}, {"uniform_share": 1.0}):
        with pytest.raises(ValueError, match=f"{min(wrong)} of a RecordingHead is out of range"):
            layer.set({**numbers, **wrong}, density)
    for wrong in (np.zeros((6, 8)), np.ones((6, 9))):
        with pytest.raises(ValueError, match="finite, positive density"):
            layer.set(numbers, wrong)
    assert layer.numbers == pytest.approx(numbers)


def test_each_recording_has_a_head_of_its_own(rng):
    layer = layers.RecordingHead((6, 8), ["lab", "field"])
    inputs = rng.normal(size=(3, 12, 16, 1)).astype("float32")
    layer(inputs)
    found = {
        None: {"gain": 0.5, "blur": 0.1, "centre_weight": 0.8, "uniform_share": 0.2},
        "lab": {"gain": 1.5, "blur": 0.02, "centre_weight": 0.3, "uniform_share": 0.1},
        "field": {"gain": 0.0, "blur": 0.0, "centre_weight": 1.0, "uniform_share": 0.0},
    }
    alone = {}
    for name, numbers in found.items():
        density = rng.random((6, 8)) + 0.1
        layer.set(numbers, density, name)
        assert layer.numbers_of(name) == pytest.approx(numbers)
        alone[name] = layers.RecordingHead((6, 8))
        alone[name](inputs)
        alone[name].set(numbers, density)
    np.testing.assert_allclose(layer(inputs), alone[None](inputs), atol=1e-5)
    by_number = ops.convert_to_numpy(layer(inputs, ops.convert_to_tensor([1, 0, 2])))
    for got, name, each in zip(by_number, ("field", "lab", None), inputs, strict=True):
        np.testing.assert_allclose(got, ops.convert_to_numpy(alone[name](each[None]))[0], atol=1e-5)
    of_lab = layers.RecordingHead((6, 8), ["lab", "field"], "lab")
    of_lab.build(inputs.shape)
    of_lab.set_weights(layer.get_weights())
    np.testing.assert_allclose(of_lab(inputs), alone["lab"](inputs), atol=1e-5)
    assert of_lab.numbers == layer.numbers_of("lab")
    again = keras.layers.deserialize(keras.layers.serialize(of_lab))
    assert (again.recordings, again.recording) == (("lab", "field"), "lab")
    with pytest.raises(ValueError, match="Unknown recording 'sea'. Known recordings: lab, field"):
        layers.RecordingHead((6, 8), ["lab", "field"], "sea")


def test_learned_prior_starts_as_identity_and_is_pulled_back_to_it(rng):
    layer = layers.LearnedPrior((2, 2))
    inputs = rng.random((1, 4, 6, 1)).astype("float32")
    np.testing.assert_allclose(layer(inputs), inputs, rtol=1e-6)
    layer.prior.assign(np.ones((1, 2, 2, 1)))
    np.testing.assert_allclose(layer(inputs), 2 * inputs, rtol=1e-6)
    np.testing.assert_allclose(layer.losses[0], 1.0, rtol=1e-6)


OF_MAPS = [
    *(layers.CentreBias, layers.GreyValues, layers.LearnedBlur, layers.LearnedPrior, layers.LogSoftmax),
    *(layers.MinMax, layers.RecordingHead),
]
OF_FEATURES = [
    functools.partial(layers.AttentiveConvLSTM, 3, steps=2, kernel_size=5, recompute=True),
    functools.partial(layers.GaussianPriors, 4, "clip"),
    functools.partial(layers.CropLike, 3),
    functools.partial(layers.GroupedConv2D, 6, 3, groups=3, padding="same"),
    functools.partial(layers.L2Normalization, 9.0),
    functools.partial(layers.MatchSize, "nearest", "density"),
    functools.partial(layers.RepeatedConvLSTM, 3, steps=2, kernel_size=5),
    functools.partial(layers.TheanoMaxPooling2D, pool_size=2, strides=1),
    functools.partial(layers.UnitConv2D, 4, 3, padding="same"),
    functools.partial(layers.Zoom, (2.0, 0.5), "nearest"),
]


@pytest.mark.parametrize("make", OF_MAPS + OF_FEATURES)
def test_layers_round_trip(make):
    layer = make(name="mine", dtype="mixed_bfloat16")
    again = keras.layers.deserialize(keras.layers.serialize(layer))
    assert again.get_config() == layer.get_config()


@pytest.mark.parametrize("make", [*OF_MAPS, *OF_FEATURES, layers.LocalResponseNormalization, IntensityContrast])
def test_layers_are_channels_last_however_keras_is_configured(make, rng):
    inputs = rng.random((2, 6, 8, 1 if make in OF_MAPS else 3)).astype("float32")
    if getattr(make, "func", make) in (layers.CropLike, layers.MatchSize):
        inputs = [inputs, inputs[:, :5, 1:]]
    layer = make()
    expected = layer(inputs)
    with channels_first():
        again = make()
        symbolic = again(keras.tree.map_structure(lambda part: keras.Input(batch_shape=part.shape), inputs))
        again.set_weights(layer.get_weights())
        received = [one(inputs) for one in (layer, again)]
    assert symbolic.shape == expected.shape
    for maps in received:
        np.testing.assert_array_equal(maps, expected)


def test_a_centre_bias_is_set_however_keras_is_configured(rng):
    density = rng.random((3, 5)) + 0.1
    layer = layers.CentreBias()
    layer.build((None, 6, 8, 1))
    layer.set_density(density)
    expected = layer.log_density.numpy()
    with channels_first():
        layer.set_density(density)
    np.testing.assert_array_equal(layer.log_density, expected)


@pytest.mark.parametrize("make", OF_MAPS)
def test_layers_of_maps_run_in_float32_under_a_mixed_policy(make, rng):
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        again = make()
    finally:
        keras.config.set_dtype_policy("float32")
    assert keras.backend.standardize_dtype(again(rng.random((1, 6, 8, 1)).astype("float32")).dtype) == "float32"


@pytest.mark.parametrize(("gives", "normalise"), [("map", None), ("density", ops.exp), ("log-density", None)])
def test_match_size_resizes_and_normalises_again(gives, normalise, rng):
    inputs = layers.LogSoftmax()(rng.normal(size=(2, 6, 8, 1)).astype("float32"))
    inputs = normalise(inputs) if normalise else inputs
    layer = layers.MatchSize(gives=gives)
    assert layer([inputs, np.zeros((2, 6, 8, 3), "float32")]) is inputs
    like = np.zeros((2, 13, 15, 3), "float32")
    resized = ops.image.resize(inputs, (13, 15))
    received = ops.convert_to_numpy(layer([inputs, like]))
    if gives == "map":
        np.testing.assert_array_equal(received, resized)
    else:
        mass = (np.exp(received) if gives == "log-density" else received).sum((1, 2))
        np.testing.assert_allclose(mass, 1, rtol=1e-5)
        difference = received - resized if gives == "log-density" else received / resized
        np.testing.assert_allclose(difference, difference[:, :1, :1] * np.ones_like(received), rtol=1e-3, atol=1e-5)
    assert layer.compute_output_shape([(None, 6, 8, 1), (None, 13, None, 3)]) == (None, 13, None, 1)


def test_zoom_rounds_to_whole_pixels(rng):
    layer = layers.Zoom((1.9, 25 / 13))
    assert layer(rng.random((2, 10, 13, 3))).shape == (2, 19, 25, 3)
    assert layer.compute_output_shape((None, 10, None, 3)) == (None, 19, None, 3)
    inputs = rng.random((2, 10, 13, 3)).astype("float32")
    np.testing.assert_array_equal(layers.Zoom((1, 1))(inputs), inputs)
    assert layers.Zoom((0.5, 0.5), multiple=16)(np.zeros((1, 80, 96, 2))).shape == (1, 32, 48, 2)
    twice = layers.Zoom((2, 2), "nearest")(inputs)
    np.testing.assert_array_equal(twice, inputs.repeat(2, 1).repeat(2, 2))
    with pytest.raises(ValueError, match="two positive factors"):
        layers.Zoom((2, 0))


def test_a_map_is_cut_to_another_or_resized_where_it_is_too_small(rng):
    layer, like = layers.CropLike(2), np.zeros((1, 5, 6, 3), "float32")
    inputs = rng.random((1, 8, 9, 2)).astype("float32")
    np.testing.assert_array_equal(layer([inputs, like]), inputs[:, 2:7, 2:8])
    np.testing.assert_allclose(layer([inputs[:, :5], like]), ops.image.resize(inputs[:, 2:5, 2:8], (5, 6)), rtol=1e-5)
    assert layer.compute_output_shape([(None, None, 9, 2), (None, None, 6, 3)]) == (None, None, 6, 2)


@pytest.mark.parametrize("strides", [1, 2])
def test_theano_pools_what_is_above_and_on_the_left(strides, rng):
    inputs = rng.random((1, 6, 7, 2)).astype("float32")
    layer = layers.TheanoMaxPooling2D(pool_size=2, strides=strides)
    padded = np.pad(inputs, [(0, 0), (1, 0), (1, 0), (0, 0)])
    expected = np.max([padded[:, i : i + 6 : strides, j : j + 7 : strides] for i in (0, 1) for j in (0, 1)], 0)
    np.testing.assert_array_equal(layer(inputs), expected)
    assert layer.compute_output_shape((None, 6, None, 2)) == (None, expected.shape[1], None, 2)
    with pytest.raises(ValueError, match="has the padding 'before'. Received: 'same'"):
        layers.TheanoMaxPooling2D(padding="same")


def test_grey_values_are_black_at_the_lowest_and_white_at_the_highest():
    grey = layers.GreyValues()(np.array([-3, -127 / 128, 0, 1, 3], "float32"))
    np.testing.assert_allclose(grey, [0, 0, 127 / 255, 1, 1], atol=1e-6)


def test_min_max_stretches_and_a_constant_map_becomes_zero(rng):
    inputs = rng.normal(size=(2, 4, 5, 1)).astype("float32")
    inputs[1] = 3.0
    received = ops.convert_to_numpy(layers.MinMax()(inputs))
    np.testing.assert_allclose(received[0], (inputs[0] - inputs[0].min()) / np.ptp(inputs[0]), rtol=1e-6)
    assert (received[1] == 0).all()


def test_the_prior_gives_what_relus_before_and_after_the_product_give(rng):
    layer = layers.LearnedPrior((2, 2))
    inputs = rng.normal(size=(2, 4, 6, 1)).astype("float32")
    layer(inputs)
    layer.prior.assign(rng.normal(size=(1, 2, 2, 1)) * 2)
    factor = ops.image.resize(1.0 + layer.prior, (4, 6))
    np.testing.assert_allclose(ops.relu(layer(inputs)), ops.relu(ops.relu(inputs) * factor), rtol=1e-6)


def test_layers_of_a_size_take_inputs_of_another(rng):
    layer = layers.CentreBias()
    layer(rng.random((1, 6, 8, 1)).astype("float32"))
    zeros = np.zeros((1, 12, 16, 1), "float32")
    resized = ops.image.resize(layer.log_density, (12, 16))
    np.testing.assert_allclose(layer(zeros), resized, rtol=1e-6)
