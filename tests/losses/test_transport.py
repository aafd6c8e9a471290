"""Optimal transport between densities."""

import numpy as np
import pytest
import reference
import tensorflow as tf

import keras_saliency as ks
from keras_saliency.formulas.transport import sinkhorn
from keras_saliency.losses import Sinkhorn

SHAPE = (12, 16)


def spot(row, column, shape=SHAPE):
    """All mass in one pixel."""
    map_ = np.zeros(shape)
    map_[row, column] = 1.0
    return map_


def work(truth, prediction, steps=64, **options):
    """In float64, for two maps; so many steps leave next to nothing open."""
    one, other = (np.float64(map_)[None, ..., None] for map_ in (truth, prediction))
    return float(sinkhorn(one, other, steps=steps, **options)[0])


MAPS = {
    "random": lambda rng: rng.random(SHAPE),
    "sparse": lambda rng: rng.random(SHAPE) * (rng.random(SHAPE) > 0.9),
    "peaked": lambda rng: rng.random(SHAPE) ** 12,
    "zero": lambda rng: np.zeros(SHAPE),
    "one pixel": lambda rng: spot(*rng.integers(0, SHAPE)),
}


@pytest.mark.parametrize("blur", [0.1, 0.3])
@pytest.mark.parametrize("kind", MAPS)
def test_it_is_what_transport_from_pixel_to_pixel_costs(kind, blur, rng):
    truth, prediction = rng.random(SHAPE) ** 4, MAPS[kind](rng)
    expected = reference.sinkhorn(truth, prediction, blur)
    assert work(truth, prediction, blur=blur) == pytest.approx(expected, rel=1e-3)
    # What 16 steps leave open.
    assert work(truth, prediction, steps=16, blur=blur) == pytest.approx(expected, rel=0.03)


def test_a_moved_map_costs_half_the_square_of_its_way(rng):
    for rows, columns in ((0, 1), (3, 4), (11, 15)):
        expected = (rows**2 + columns**2) / (12**2 + 16**2) / 2
        assert work(spot(0, 0), spot(rows, columns)) == pytest.approx(expected, rel=1e-6)
    rows, columns = np.indices((24, 32))
    near, far = (np.exp(-((rows - 12) ** 2 + (columns - x) ** 2) / 8) for x in (10, 20))
    # Blobs of one width, which is much below the blur.
    assert work(near, far) == pytest.approx((10 / 40) ** 2 / 2, rel=1e-2)
    # Half of the mass stays.
    assert work(spot(0, 0) + spot(0, 15), spot(0, 0)) == pytest.approx((15 / 20) ** 2 / 4, rel=0.05)


def test_it_is_a_distance(rng):
    one, other = rng.random(SHAPE) ** 4, rng.random(SHAPE) ** 4
    assert work(one, 3 * one, steps=16) == pytest.approx(0, abs=1e-15)
    assert work(one, other, steps=16) == pytest.approx(work(other, one, steps=16), rel=1e-9)
    for steps in (1, 4, 16):
        assert work(one, other, steps=steps) > 0
    assert work(spot(0, 0, (16, 16)), spot(15, 15, (16, 16))) == pytest.approx((15 / 16) ** 2 / 2, rel=1e-6)


def test_large_maps_are_gathered_in_square_cells(rng):
    for shape, cell in (((48, 64), 2), ((96, 72), 3)):
        truth, prediction = rng.random(shape) ** 4, rng.random(shape) ** 4
        small = [m.reshape(shape[0] // cell, cell, shape[1] // cell, cell).sum((1, 3)) for m in (truth, prediction)]
        assert work(truth, prediction, steps=16) == pytest.approx(work(*small, steps=16), rel=1e-9)
    # A last cell that is not full: nothing is lost.
    assert work(spot(0, 0, (33, 50)), spot(32, 49, (33, 50))) == pytest.approx(0.5, rel=0.1)


def test_sizes_need_not_be_known_and_padding_holds_no_mass(rng):
    density, prediction = rng.random((2, 40, 50, 1)), rng.random((2, 40, 50, 1))
    valid = np.ones_like(density)
    valid[1, 30:] = 0
    loss = Sinkhorn(dtype="float64", reduction=None)
    y_true = ks.pack_targets(density, np.zeros_like(density), valid)
    compiled = tf.function(loss, input_signature=[tf.TensorSpec((None,) * 3 + (n,), "float64") for n in (3, 1)])
    expected = loss(y_true, prediction)
    np.testing.assert_allclose(compiled(y_true, prediction), expected, rtol=1e-9)
    other = np.where(valid > 0, prediction, 7.0)
    np.testing.assert_allclose(loss(y_true, other), expected, rtol=1e-9)
    narrow = Sinkhorn(reduction=None)(tf.cast(y_true, "float32"), prediction.astype("float32"))
    np.testing.assert_allclose(narrow, expected, rtol=1e-3)


@pytest.mark.parametrize("from_logits", [False, True])
def test_the_gradient_is_that_of_the_converged_value(from_logits, rng):
    y_true, y_pred = ks.pack_targets(rng.random((1, 4, 5, 1))), rng.uniform(0.1, 0.9, (1, 4, 5, 1))
    loss = Sinkhorn(blur=0.3, steps=64, from_logits=from_logits, dtype="float64")
    variable = tf.Variable(y_pred)
    with tf.GradientTape() as tape:
        value = loss(tf.cast(y_true, "float64"), variable)
    gradient = tape.gradient(value, variable).numpy()
    for pixel in ((0, 0, 0, 0), (0, 2, 3, 0)):
        step = np.zeros_like(y_pred)
        step[pixel] = 1e-5
        slope = (loss(y_true, y_pred + step) - loss(y_true, y_pred - step)) / 2e-5
        np.testing.assert_allclose(gradient[pixel], slope, rtol=1e-4)
    # It points the right way after few steps, too.
    with tf.GradientTape() as tape:
        value = Sinkhorn(blur=0.3, from_logits=from_logits, dtype="float64")(tf.cast(y_true, "float64"), variable)
    few = tape.gradient(value, variable).numpy()
    assert np.vdot(few, gradient) / np.linalg.norm(few) / np.linalg.norm(gradient) > 0.99
