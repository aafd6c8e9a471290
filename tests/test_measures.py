import numpy as np
import pytest
import reference
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import ops

from keras_saliency import measures

SIZES = [(3, 3), (7, 12), (24, 32)]


def make_maps(kind, size, rng):
    """A map of some kind: the ones that measures stumble over."""
    random = rng.random(size)
    return {
        "random": random,
        "sparse": random * (random > 0.9),
        "peaked": random**12,
        "near-constant": 1.0 + 1e-3 * random,
        "tied": np.round(random * 3),
        "constant": np.full(size, 0.3),
        "zero": np.zeros(size),
    }[kind]


KINDS = ["random", "sparse", "peaked", "near-constant", "tied", "constant", "zero"]


def one(image):
    return np.asarray(image, "float32")[None, ..., None]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_measures_agree_with_the_reference(kind, size, dtype, rng):
    prediction = make_maps(kind, size, rng).astype(dtype)
    truth = rng.random(size).astype(dtype) ** 4
    fixations = rng.poisson(0.2, size).astype(dtype)
    log_p, log_b = (reference.log_density(rng.normal(size=size)).astype(dtype) for _ in range(2))
    batched = [part[None, ..., None] for part in (prediction, truth, fixations, log_p, log_b)]
    p, s, f, lp, lb = (ops.convert_to_tensor(part, dtype=dtype) for part in batched)
    pairs = {
        "kld": (measures.kld(s, p), reference.kld(truth, prediction)),
        "cc": (measures.cc(s, p), reference.cc(truth, prediction)),
        "sim": (measures.sim(s, p), reference.sim(truth, prediction)),
        "mse": (measures.mse(s, p), reference.mse(truth, prediction)),
        "nss": (measures.nss(f, p), reference.nss(fixations, prediction)),
        "auc": (measures.auc(f, p), reference.auc(fixations, prediction)),
        "nll": (measures.nll(f, lp), reference.nll(fixations, log_p)),
        "ig": (measures.ig(f, lp, lb), reference.ig(fixations, log_p, log_b)),
    }
    # A map of 1 +- 1e-3 in float32 is itself known to 1e-4 only.
    tolerance = 1e-10 if dtype == "float64" else 2e-4 if kind == "near-constant" else 1e-5
    for name, (value, expected) in pairs.items():
        np.testing.assert_allclose(
            ops.convert_to_numpy(value)[0], expected, rtol=tolerance, atol=tolerance / 10, err_msg=name
        )


def test_by_hand_on_three_by_three():
    prediction = [[0, 0, 0], [0, 9, 0], [0, 0, 0]]
    truth = [[0, 0, 0], [0, 1, 1], [0, 0, 0]]
    fixations = [[0, 0, 0], [0, 2, 1], [0, 0, 0]]
    p, s, f = one(prediction), one(truth), one(fixations)
    # mean 1, std sqrt(8): the peak is 8 / sqrt(8) above, the rest 1 / sqrt(8) below.
    np.testing.assert_allclose(measures.nss(f, p), [(2 * 8 - 1) / 3 / np.sqrt(8)], rtol=1e-6)
    # The peak beats eight pixels and ties with itself; the other fixation ties with eight.
    np.testing.assert_allclose(measures.auc(f, p), [(2 * 8.5 + 4) / 27], rtol=1e-6)
    np.testing.assert_allclose(measures.sim(s, p), [0.5], rtol=1e-6)
    # Covariance 7 / 9 * ... : Pearson of two indicator maps sharing one of one and two pixels.
    np.testing.assert_allclose(measures.cc(s, p), [(1 / 9 - 2 / 81) / np.sqrt((8 / 81) * (14 / 81))], rtol=1e-6)
    np.testing.assert_allclose(measures.kld(s, p), [0.5 * np.log(0.5) + 0.5 * np.log(0.5e7)], rtol=1e-5)
    uniform = np.full((1, 3, 3, 1), -np.log(9), "float32")
    np.testing.assert_allclose(measures.nll(f, uniform), [np.log(9)], rtol=1e-6)
    np.testing.assert_allclose(measures.ig(f, uniform + np.log(2).astype("float32"), uniform), [1.0], rtol=1e-6)
    np.testing.assert_allclose(measures.mse(s, p), [(64 + 1) / 9], rtol=1e-6)


@settings(max_examples=30, deadline=None)
@given(scale=st.floats(0.01, 100), shift=st.floats(0, 10), seed=st.integers(0, 999))
def test_laws(scale, shift, seed):
    rng = np.random.default_rng(seed)
    p, s = (rng.random((1, 9, 12, 1)).astype("float32") for _ in range(2))
    f = rng.poisson(0.3, p.shape).astype("float32")
    for measure, truth in ((measures.cc, s), (measures.nss, f)):
        np.testing.assert_allclose(measure(truth, scale * p + shift), measure(truth, p), rtol=2e-3, atol=1e-4)
    np.testing.assert_allclose(measures.auc(f, p**3), measures.auc(f, p), rtol=1e-6)
    assert float(measures.kld(s, p)[0]) >= 0
    assert 0 <= float(measures.sim(s, p)[0]) <= 1
    for measure, own in ((measures.kld, 0.0), (measures.sim, 1.0), (measures.cc, 1.0)):
        np.testing.assert_allclose(measure(s, s), [own], atol=2e-5)


def test_a_batch_is_the_stack_of_its_images(rng):
    p, s = (rng.random((5, 6, 7, 1)).astype("float32") for _ in range(2))
    f = rng.poisson(0.3, p.shape).astype("float32")
    for measure, truth in (
        (measures.kld, s),
        (measures.cc, s),
        (measures.sim, s),
        (measures.nss, f),
        (measures.auc, f),
    ):
        singles = [float(measure(truth[i : i + 1], p[i : i + 1])[0]) for i in range(5)]
        np.testing.assert_allclose(measure(truth, p), singles, rtol=1e-5)


@pytest.mark.parametrize("fill", [0.0, 7.0, -1e6])
def test_padding_changes_nothing(fill, rng):
    p, s = (rng.random((2, 6, 7, 1)).astype("float32") for _ in range(2))
    f = rng.poisson(0.5, p.shape).astype("float32")
    valid = np.ones_like(p)
    border = ((0, 0), (2, 1), (0, 3), (0, 0))
    pp, ps, pf = (np.pad(part, border, constant_values=fill) for part in (p, s, f))
    mask = np.pad(valid, border)
    logits = {"plain": np.log(p), "padded": np.pad(np.log(p), border, constant_values=fill)}
    for measure, plain, padded in (
        (measures.kld, s, ps),
        (measures.cc, s, ps),
        (measures.sim, s, ps),
        (measures.mse, s, ps),
        (measures.nss, f, pf),
        (measures.auc, f, pf),
    ):
        np.testing.assert_allclose(measure(padded, pp, mask), measure(plain, p), rtol=1e-5, err_msg=measure.__name__)
    np.testing.assert_allclose(measures.nll(pf, logits["padded"], mask), measures.nll(f, logits["plain"]), rtol=1e-5)


def test_auc_of_image_is_auc(rng):
    for kind in KINDS:
        prediction = make_maps(kind, (15, 20), rng)
        fixations = rng.poisson(0.1, (15, 20))
        values = np.repeat(prediction.ravel(), fixations.ravel())
        batched = (ops.convert_to_tensor(part[None, ..., None].astype("float64")) for part in (fixations, prediction))
        np.testing.assert_allclose(measures.auc_of_image(values, prediction), measures.auc(*batched)[0], rtol=1e-12)


def test_sums_of_a_large_image_do_not_overflow():
    p = np.full((1, 480, 640, 1), 100.0, "float16")
    from keras_saliency.maps import Prediction

    density = Prediction(p).density
    np.testing.assert_allclose(np.sum(density), 1.0, rtol=1e-4)
