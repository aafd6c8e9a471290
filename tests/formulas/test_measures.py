import functools

import numpy as np
import pytest
import reference
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import ops

from keras_saliency.formulas import maps, measures, roc

TENSOR = ops.convert_to_tensor
FORMULAS = {**vars(measures), **vars(roc)}
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


# Measures of a density and a prediction, and their references.
OF_MAPS = {
    **{
        name: getattr(reference, name)
        for name in (
            *("mse", "ae", "ead", "wmse", "kld", "bhattacharyya", "total_variation", "cosine", "chi2"),
            *("softmax_l1", "softmax_l2", "cc", "sim"),
        )
    },
    "bce": reference.cross_entropy,
    "wbce": functools.partial(reference.cross_entropy, salient=0.9, empty=0.1),
    "focal": functools.partial(reference.cross_entropy, salient=0.25, empty=0.75, gamma=2.0),
}
# Never negative, zero for equal maps.
DISTANCES = set(OF_MAPS) - {"wmse", "bce", "wbce", "focal", "cc", "sim"}
KINDS = ["random", "sparse", "peaked", "near-constant", "tied", "constant", "zero"]


def one(image):
    return np.asarray(image, "float32")[None, ..., None]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("dtype", "as_given"), [("float32", TENSOR), ("float64", TENSOR), ("float64", np.asarray)])
def test_measures_agree_with_the_reference(kind, size, dtype, as_given, rng):
    prediction = make_maps(kind, size, rng).astype(dtype)
    truth = rng.random(size).astype(dtype) ** 4
    fixations = rng.poisson(0.2, size).astype(dtype)
    log_p, log_b = (reference.log_density(rng.normal(size=size)).astype(dtype) for _ in range(2))
    batched = [part[None, ..., None] for part in (prediction, truth, fixations, log_p, log_b)]
    p, s, f, lp, lb = (as_given(part) for part in batched)
    pairs = {
        **{name: (getattr(measures, name)(s, p), function(truth, prediction)) for name, function in OF_MAPS.items()},
        "nss": (measures.nss(f, p), reference.nss(fixations, prediction)),
        "auc": (roc.auc(f, p), reference.auc(fixations, prediction)),
        "nll": (measures.nll(f, lp), reference.nll(fixations, log_p)),
        "ig": (measures.ig(f, lp, lb), reference.ig(fixations, log_p, log_b)),
    }
    # A map of 1 +- 1e-3 in float32 is itself known to 1e-4 only.
    tolerance = 1e-10 if dtype == "float64" else 2e-4 if kind == "near-constant" else 1e-5
    for name, (value, expected) in pairs.items():
        assert isinstance(value, np.ndarray) == (as_given is np.asarray), name
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
    np.testing.assert_allclose(roc.auc(f, p), [(2 * 8.5 + 4) / 27], rtol=1e-6)
    np.testing.assert_allclose(measures.sim(s, p), [0.5], rtol=1e-6)
    # Covariance 7 / 9 * ... : Pearson of two indicator maps sharing one of one and two pixels.
    np.testing.assert_allclose(measures.cc(s, p), [(1 / 9 - 2 / 81) / np.sqrt((8 / 81) * (14 / 81))], rtol=1e-6)
    # Of the density, one half is found and one half is missed: 0.5 log 0.5 + 0.5 log(0.5 / 1e-7), each plus 1e-7.
    np.testing.assert_allclose(measures.kld(s, p), [0.5 * np.log(0.5) + 0.5 * np.log(0.5e7)], rtol=1e-5)
    np.testing.assert_allclose(measures.total_variation(s, p), [0.5], rtol=1e-6)
    np.testing.assert_allclose(measures.bhattacharyya(s, p), [-np.log(np.sqrt(0.5))], rtol=1e-5)
    np.testing.assert_allclose(measures.cosine(s, p), [1 - np.sqrt(0.5)], rtol=1e-6)
    np.testing.assert_allclose(measures.chi2(s, p), [0.25 + 0.25e7], rtol=1e-6)
    uniform = np.full((1, 3, 3, 1), -np.log(9), "float32")
    np.testing.assert_allclose(measures.nll(f, uniform), [np.log(9)], rtol=1e-6)
    np.testing.assert_allclose(measures.ig(f, uniform + np.log(2).astype("float32"), uniform), [1.0], rtol=1e-6)
    np.testing.assert_allclose(measures.mse(s, p), [(64 + 1) / 9], rtol=1e-6)
    np.testing.assert_allclose(measures.ae(s, p), [(8 + 1) / 9], rtol=1e-6)
    np.testing.assert_allclose(measures.ead(s, p), [(np.expm1(8) + np.expm1(1)) / 9], rtol=1e-6)
    # Divided by its peak the prediction hits one salient pixel and misses the other, where 1.1 - 1 = 0.1.
    np.testing.assert_allclose(measures.wmse(s, p), [1 / 0.1 / 9], rtol=1e-5)
    half = np.full((1, 3, 3, 1), 0.5, "float32")
    np.testing.assert_allclose(measures.bce(s, half), [np.log(2)], rtol=1e-6)
    np.testing.assert_allclose(measures.wbce(s, half), [(2 * 0.9 + 7 * 0.1) / 9 * np.log(2)], rtol=1e-6)
    np.testing.assert_allclose(measures.focal(s, half), [(2 * 0.25 + 7 * 0.75) / 9 / 4 * np.log(2)], rtol=1e-6)
    # A softmax of one pixel above eight equal ones.
    one_up = np.log(np.where(np.array(prediction) > 0, 8.0, 1.0))[None, ..., None].astype("float32")
    zeros = np.zeros_like(one_up)
    np.testing.assert_allclose(measures.softmax_l1(zeros, one_up), [2 * (1 / 2 - 1 / 9)], rtol=1e-6)
    np.testing.assert_allclose(measures.softmax_l2(zeros, one_up), [(1 / 2 - 1 / 9) * np.sqrt(1 + 1 / 8)], rtol=1e-6)


@settings(max_examples=30, deadline=None)
@given(scale=st.floats(0.01, 100), shift=st.floats(0, 10), seed=st.integers(0, 999))
def test_laws(scale, shift, seed):
    rng = np.random.default_rng(seed)
    p, s = (rng.random((1, 9, 12, 1)).astype("float32") for _ in range(2))
    f = rng.poisson(0.3, p.shape).astype("float32")
    for measure, truth in ((measures.cc, s), (measures.nss, f)):
        np.testing.assert_allclose(measure(truth, scale * p + shift), measure(truth, p), rtol=2e-3, atol=1e-4)
    np.testing.assert_allclose(roc.auc(f, p**3), roc.auc(f, p), rtol=1e-6)
    assert 0 <= float(measures.sim(s, p)[0]) <= 1
    for name in OF_MAPS:
        if name in DISTANCES:
            assert float(getattr(measures, name)(s, p)[0]) >= 0
            np.testing.assert_allclose(getattr(measures, name)(s, s), [0.0], atol=1e-6, err_msg=name)
    for measure in (measures.sim, measures.cc):
        np.testing.assert_allclose(measure(s, s), [1.0], rtol=1e-5)


@pytest.mark.parametrize("name", OF_MAPS)
def test_distances_vanish_on_equal_maps_of_real_size(name, rng):
    s = make_maps("peaked", (240, 320), rng)[None, ..., None].astype("float32")
    if name in DISTANCES:
        np.testing.assert_allclose(getattr(measures, name)(s, s), [0.0], atol=2e-6)


@pytest.mark.parametrize("batch", [1, 5, 8])
def test_a_batch_is_the_stack_of_its_images(batch, rng):
    p, s = (rng.random((batch, 6, 7, 1)).astype("float32") for _ in range(2))
    f = rng.poisson(0.3, p.shape).astype("float32")
    for name in (*OF_MAPS, "sim_published", "nss", "auc", "auc_judd", "auc_by_steps"):
        measure, truth = FORMULAS[name], f if name.startswith(("nss", "auc")) else s
        singles = [float(measure(truth[i : i + 1], p[i : i + 1])[0]) for i in range(batch)]
        np.testing.assert_allclose(measure(truth, p), singles, rtol=1e-5, err_msg=name)


@pytest.mark.parametrize("fill", [0.0, 7.0, -1e6])
def test_padding_changes_nothing(fill, rng):
    p, s = (rng.random((2, 6, 7, 1)).astype("float32") for _ in range(2))
    f = rng.poisson(0.5, p.shape).astype("float32")
    valid = np.ones_like(p)
    border = ((0, 0), (2, 1), (0, 3), (0, 0))
    pp, ps, pf = (np.pad(part, border, constant_values=fill) for part in (p, s, f))
    mask = np.pad(valid, border)
    logits = {"plain": np.log(p), "padded": np.pad(np.log(p), border, constant_values=fill)}
    for name in (
        *(*OF_MAPS, "kld_published", "sim_published", "nss", "nss_published"),
        *("auc", "auc_judd", "auc_by_steps"),
    ):
        measure, of_fixations = FORMULAS[name], name.startswith(("nss", "auc"))
        plain, padded = (f, pf) if of_fixations else (s, ps)
        constants = {"kld_published": {"by_peak": True, "sum_epsilon": 1e-7}, "nss_published": {"epsilon": 1e-7}}
        constants = constants.get(name, {})
        np.testing.assert_allclose(
            measure(padded, pp, mask, **constants), measure(plain, p, **constants), rtol=1e-5, err_msg=name
        )
    np.testing.assert_allclose(measures.nll(pf, logits["padded"], mask), measures.nll(f, logits["plain"]), rtol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_auc_of_a_large_map_is_counted_as_if_it_were_sorted(kind, rng):
    size = (128, 160)
    maps_of_a_kind = np.stack([make_maps(kind, size, rng).ravel() for _ in range(3)]).astype("float32")
    # Where people look there is salience.
    fixations = rng.poisson(0.01 * maps_of_a_kind / maps_of_a_kind.mean(1, keepdims=True).clip(1e-9))
    fixations[0, 5], fixations[2] = 2, 0
    negatives = rng.poisson(0.5, fixations.shape)
    parts = [ops.convert_to_tensor(part, "float32") for part in (maps_of_a_kind, fixations, negatives)]
    counted, complete = roc._wins_by_counting(*parts)
    if bool(complete):
        np.testing.assert_allclose(counted, roc._wins_by_sorting(*parts), rtol=1e-6)
    assert bool(complete) == (kind != "tied")
    shaped = [ops.reshape(part, (3, *size, 1)) for part in parts]
    expected = roc.auc(*(ops.convert_to_numpy(part) for part in (shaped[1], shaped[0])))
    np.testing.assert_allclose(roc.auc(shaped[1], shaped[0]), expected, rtol=1e-5)


def test_sums_of_a_large_image_do_not_overflow():
    p = np.full((1, 480, 640, 1), 100.0, "float16")
    density = maps.Map(p).density
    np.testing.assert_allclose(np.sum(density), 1.0, rtol=1e-4)


def test_feature_distances_agree_with_the_reference(rng):
    truth, prediction = ([rng.random((3, 4 + i, 5, 6)).astype("float32") for i in range(2)] for _ in range(2))
    for name in ("feature_distance", "gram_distance"):
        expected = [
            getattr(reference, name)([level[i] for level in truth], [level[i] for level in prediction])
            for i in range(3)
        ]
        np.testing.assert_allclose(getattr(measures, name)(truth, prediction), expected, rtol=1e-5)
