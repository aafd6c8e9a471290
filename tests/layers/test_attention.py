"""SAM's layers against float64 NumPy, written from the paper's formulas."""

import keras
import numpy as np
import pytest
from keras import ops
from scipy.signal import correlate2d
from scipy.special import expit, softmax

from keras_saliency import layers
from keras_saliency.layers.gaussian_priors import BOUNDS, INITIAL


def convolve(x, kernel, bias=0.0):
    """A convolution `(height, width, channels)` with zero padding, channel by channel."""
    pairs = [[(i, o) for i in range(kernel.shape[2])] for o in range(kernel.shape[3])]
    maps = [sum(correlate2d(x[..., i], kernel[:, :, i, o], mode="same") for i, o in pair) for pair in pairs]
    return np.stack(maps, -1) + bias


def reference_conv_lstm(x, weights, steps, attention="sum"):
    """One image through the attentive ConvLSTM, each gate by itself, nothing skipped."""
    *attend, w, w_bias, u, u_bias = weights
    filters = u.shape[-2]
    h = c = np.zeros((*x.shape[:2], filters))
    for _ in range(steps):
        attended = x
        if attention:
            state, state_bias, inputs, inputs_bias, score = attend
            e = convolve(np.tanh(convolve(h, state, state_bias) + convolve(x, inputs, inputs_bias)), score)
            attended = x * softmax(e.ravel()).reshape(e.shape) * (e.size if attention == "mean" else 1)
        cut = [slice(k * filters, (k + 1) * filters) for k in range(4)]
        i, f, g, o = (convolve(attended, w[..., s], w_bias[s]) + convolve(h, u[..., s], u_bias[s]) for s in cut)
        c = expit(f) * c + expit(i) * np.tanh(g)
        h = expit(o) * np.tanh(c)
    return h


@pytest.mark.parametrize(
    ("steps", "recompute", "attention"),
    [(1, False, "sum"), (4, False, "sum"), (4, True, "sum"), (4, True, "mean"), (4, False, None), (1, False, "mean")],
)
def test_the_attentive_conv_lstm_follows_its_formulas(steps, recompute, attention, rng):
    layer = layers.AttentiveConvLSTM(3, steps=steps, recompute=recompute, attention=attention)
    x = rng.normal(size=(2, 5, 7, 2))
    layer.build(x.shape)
    layer.set_weights([rng.normal(size=weight.shape) for weight in layer.weights])
    weights = [weight.astype("float64") for weight in layer.get_weights()]
    received = ops.convert_to_numpy(layer(x.astype("float32")))
    expected = [reference_conv_lstm(image, weights, steps, attention) for image in x]
    np.testing.assert_allclose(received, expected, rtol=1e-4, atol=1e-5)


def test_the_attentive_conv_lstm_starts_as_published():
    layer = layers.AttentiveConvLSTM()
    layer.build((None, 30, 40, 512))
    assert layer.count_params() == 23_602_688
    weights = dict(zip([w.path.partition("/")[2] for w in layer.weights], layer.get_weights(), strict=True))
    assert weights["attend_score/kernel"].max() == 0
    for name in ("attend_state", "attend_input", "input_gates"):
        np.testing.assert_allclose(weights[f"{name}/kernel"].std(), 0.05, rtol=0.01)
    assert not np.array_equal(weights["attend_state/kernel"], weights["attend_input/kernel"])
    gates = np.split(weights["state_gates/kernel"], 4, -1)
    assert not any(np.array_equal(gates[0], other) for other in gates[1:])
    for gate in gates:
        columns = gate.reshape(-1, 512)
        np.testing.assert_allclose(columns.T @ columns, np.eye(512), atol=1e-4)


def reference_priors(size, parameters):
    (height, width), e = size, size[0] / size[1]
    y, x = np.meshgrid(np.linspace((1 - e) / 2, (1 + e) / 2, height), np.linspace(0, 1, width), indexing="ij")
    maps = [np.exp(-((x - a) ** 2) / (2 * s**2) - (y - b) ** 2 / (2 * t**2)) for a, b, s, t in parameters]
    return np.stack([one / one.max() for one in maps], -1)


@pytest.mark.parametrize("policy", ["float16", "bfloat16"])
def test_the_attentive_conv_lstm_is_made_in_half_precision(policy, rng):
    layer = layers.AttentiveConvLSTM(3, steps=2, dtype=policy)
    assert keras.backend.standardize_dtype(layer(rng.random((1, 5, 6, 4))).dtype) == policy
    kernel = ops.convert_to_numpy(ops.cast(layer.state_gates.kernel, "float32"))
    for gate in np.split(kernel.reshape(-1, 12), 4, axis=1):
        np.testing.assert_allclose(gate.T @ gate, np.eye(3), atol=2e-2)


@pytest.mark.parametrize("form", ["sigmoid", "clip"])
@pytest.mark.parametrize("size", [(30, 40), (7, 5)])
def test_the_priors_are_gaussians_within_the_published_bounds(form, size, rng):
    layer = layers.GaussianPriors(form=form)
    x = rng.normal(size=(2, *size, 3)).astype("float32")
    received = ops.convert_to_numpy(layer(x))
    assert layer.count_params() == 64
    parameters = layer.get_weights()[0].astype("float64")
    bounded = BOUNDS[:, 0] + (BOUNDS[:, 1] - BOUNDS[:, 0]) * expit(parameters)
    if form == "clip":
        assert ((parameters >= INITIAL[:, 0]) & (parameters <= INITIAL[:, 1])).all()
        bounded = np.clip(parameters, *BOUNDS.T)
    np.testing.assert_allclose(received[..., :3], x)
    for image in received:
        np.testing.assert_allclose(image[..., 3:], reference_priors(size, bounded), rtol=1e-4, atol=1e-5)


def prior_gradient(form):
    import tensorflow as tf

    keras.utils.set_random_seed(0)
    layer = layers.GaussianPriors(form=form)
    x = np.zeros((1, 30, 40, 1), "float32")
    layer(x)
    weights = np.random.default_rng(0).normal(size=(1, 30, 40, 17)).astype("float32")
    with tf.GradientTape() as tape:
        value = tf.reduce_sum(weights * layer(x))
    return np.array(tape.gradient(value, layer.gaussians.value)), layer


def test_every_parameter_of_the_default_priors_learns_and_clipped_ones_do_not():
    gradient, _ = prior_gradient("sigmoid")
    assert np.abs(gradient).min() > 1e-6
    gradient, layer = prior_gradient("clip")
    parameters = layer.get_weights()[0]
    outside = (parameters < BOUNDS[:, 0]) | (parameters > BOUNDS[:, 1])
    assert outside.sum() >= 8
    assert (gradient[outside] == 0).all()
    assert (gradient[~outside] != 0).all()


def test_unknown_forms_are_listed():
    with pytest.raises(ValueError, match="Unknown form 'tanh'. Known forms: sigmoid, clip"):
        layers.GaussianPriors(form="tanh")
    with pytest.raises(ValueError, match="at least one step"):
        layers.AttentiveConvLSTM(steps=0)
    with pytest.raises(ValueError, match="Unknown attention 'max'. Known: 'sum', 'mean', None"):
        layers.AttentiveConvLSTM(attention="max")
