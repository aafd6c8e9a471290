"""DSCLRCN's layers against float64 NumPy, written from the paper's formulas."""

import keras
import numpy as np
import pytest
from keras import ops
from scipy.special import expit

from keras_saliency.layers import DSCLSTM, L2Normalization

UNITS = 3


def drawn(layer, features, context, rng):
    """Draws the weights of a layer: kernel and bias of the input, and the kernels of the state and of the context."""
    layer.build([features.shape, context.shape])
    layer.set_weights([rng.normal(0, 0.5, weight.shape) for weight in layer.weights])
    return [weight.astype("float64") for weight in layer.get_weights()]


def reference_line(line, context, weights):
    """One line, position by position."""
    kernel, bias, of_state, of_context = weights
    h, c, outputs = np.zeros(UNITS), np.zeros(UNITS), []
    for step, x in enumerate(line):
        gates = x @ kernel + bias + h @ of_state + (context @ of_context if step == 0 else 0)
        i, f, o, g = np.split(gates, 4)
        c = expit(f + 1) * c + expit(i) * np.tanh(g)
        h = expit(o) * np.tanh(c)
        outputs.append(h)
    return np.array(outputs)


def reference(features, context, weights):
    """Rows of images, from both ends."""
    both = lambda row, scene: np.concatenate(  # noqa: E731
        [reference_line(row, scene, weights), reference_line(row[::-1], scene, weights)[::-1]], axis=-1
    )
    return np.array([[both(row, scene) for row in image] for image, scene in zip(features, context, strict=True)])


@pytest.mark.parametrize("size", [(4, 6), (1, 6), (6, 1)])
def test_the_lines_of_an_image_are_read_from_both_ends(size, rng):
    features, context = rng.normal(size=(2, *size, 5)), rng.normal(size=(2, 4))
    layer = DSCLSTM(UNITS)
    weights = drawn(layer, features, context, rng)
    received = layer([features.astype("float32"), context.astype("float32")])
    np.testing.assert_allclose(received, reference(features, context, weights), rtol=1e-4, atol=1e-5)
    columns = DSCLSTM(UNITS, "vertical")
    drawn(columns, features, context, rng)
    columns.set_weights(layer.get_weights())
    turned = features.swapaxes(1, 2)
    received = ops.transpose(columns([turned.astype("float32"), context.astype("float32")]), (0, 2, 1, 3))
    np.testing.assert_allclose(received, reference(features, context, weights), rtol=1e-4, atol=1e-5)


def test_a_mirrored_image_gives_the_mirrored_map_with_its_halves_swapped(rng):
    features, context = (rng.normal(size=shape).astype("float32") for shape in ((2, 4, 6, 5), (2, 4)))
    layer = DSCLSTM(UNITS)
    maps, of_mirrored = (ops.convert_to_numpy(layer([x, context])) for x in (features, features[:, :, ::-1]))
    swapped = np.concatenate([maps[..., UNITS:], maps[..., :UNITS]], axis=-1)
    np.testing.assert_allclose(of_mirrored, swapped[:, :, ::-1], rtol=1e-5, atol=1e-6)


def test_the_context_enters_at_the_first_step_alone(rng):
    features, context = (rng.normal(size=shape).astype("float32") for shape in ((1, 4, 6, 5), (1, 4)))
    layer = DSCLSTM(UNITS)
    layer.build([features.shape, context.shape])
    kernel, _, of_state, of_context = layer.get_weights()
    # Gates that see nothing forget all: what the first step knew does not pass on.
    forgetting = np.repeat([0.0, -50.0, 0.0, 0.0], UNITS)
    layer.set_weights([0 * kernel, forgetting, 0 * of_state, of_context])
    maps = ops.convert_to_numpy(layer([features, context]))
    assert (maps[:, :, 0, :UNITS] != 0).all() and (maps[:, :, -1, UNITS:] != 0).all()
    np.testing.assert_allclose(maps[:, :, 1:, :UNITS], 0, atol=1e-6)
    np.testing.assert_allclose(maps[:, :, :-1, UNITS:], 0, atol=1e-6)


@pytest.mark.parametrize(("channels", "parameters"), [(512, 393_728), (256, 262_656)])
def test_an_lstm_has_the_published_number_of_weights_and_draws_them_as_published(channels, parameters):
    layer = DSCLSTM()
    layer.build([(None, 60, 80, channels), (None, 128)])
    assert layer.count_params() == parameters
    kernel, bias, of_state, of_context = layer.get_weights()
    assert not bias.any()
    for weights in (kernel, of_state, of_context):
        assert np.abs(weights).max() <= 0.2
        np.testing.assert_allclose(weights.std(), 0.2 / np.sqrt(3), rtol=0.01)
    assert not np.array_equal(of_state, of_context)


@pytest.mark.parametrize("shape", [(2, 5, 7, 3), (2, 6)])
def test_normalised_features_have_the_scale_as_their_norm(shape, rng):
    layer, inputs = L2Normalization(9.0), rng.normal(0, 50, shape).astype("float32")
    norms = lambda maps: np.sqrt((ops.convert_to_numpy(maps).astype("float64") ** 2).reshape(2, -1).sum(1))  # noqa: E731
    np.testing.assert_allclose(norms(layer(inputs)), 9.0, rtol=1e-5)
    layer.scale.assign(0.5)
    np.testing.assert_allclose(norms(layer(inputs)), 0.5, rtol=1e-5)
    assert layer.count_params() == 1
    assert (ops.convert_to_numpy(layer(0 * inputs)) == 0).all()
    # The squares leave float16, what is divided by their root does not.
    assert np.isfinite(L2Normalization(9.0, dtype="float16")(np.full((1, 4), 300.0))).all()


def test_unknown_directions_are_listed():
    with pytest.raises(ValueError, match="Unknown direction 'diagonal'. Known directions: horizontal, vertical"):
        DSCLSTM(direction="diagonal")


def test_it_round_trips():
    layer = DSCLSTM(5, "vertical", dtype="mixed_bfloat16")
    assert keras.layers.deserialize(keras.layers.serialize(layer)).get_config() == layer.get_config()
