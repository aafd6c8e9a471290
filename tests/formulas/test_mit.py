"""The convention of the MIT benchmark against its definitions, on the maps of the golden values."""

import numpy as np
import pytest
import reference_mit as mit
from conftest import data_folder
from golden_maps import CASES, REAL
from keras import ops
from scipy.ndimage import gaussian_filter1d
from test_golden import count, make_case, shuffled

from keras_saliency.formulas.conventions import CONVENTIONS
from keras_saliency.formulas.ground_truth import fourier_blur
from keras_saliency.formulas.maps import Map, Target

SPLITS = 100
VARIED = [name for name in CASES if name != "constant"]


def parts(name):
    """Prediction, density, fixation counts, counts of the other images, baseline: arrays `(height, width)`."""
    if name in REAL:
        data_folder("osie")
    case = make_case(name)
    size = case.saliency.shape
    counts = count(case.fixations, size), count(shuffled(case), size)
    return case.saliency, case.density, *counts, np.exp(case.log_baseline)


def measure(maps, metric, convert=np.asarray):
    p, s, f, others, baseline = (convert(part[None, ..., None]) for part in maps)
    value = CONVENTIONS["mit"][metric](Target(Map(s), f, None, others, Map(baseline)), Map(p))
    return float(ops.convert_to_numpy(value)[0])


def expected(maps):
    p, s, f, others, baseline = maps
    scaled = mit.stretched(p)
    return {
        "nss": mit.nss(p, f),
        "cc": mit.cc(p, s),
        "sim": mit.similarity(p, s),
        "kld": mit.kldiv(p - min(p.min(), 0.0), s),
        "ig": mit.info_gain(p, f, baseline),
        "auc_borji": mit.area_in_steps(scaled[f > 0], scaled.ravel(), 0.1),
        "sauc": mit.area_in_steps(scaled[f > 0], scaled[others > 0], 0.1),
    }


@pytest.mark.parametrize("name", VARIED)
def test_the_convention_agrees_with_the_definitions(name):
    maps = parts(name)
    for metric, value in expected(maps).items():
        np.testing.assert_allclose(measure(maps, metric), value, rtol=1e-9, atol=1e-9, err_msg=metric)
        in_graph = measure(maps, metric, lambda part: ops.convert_to_tensor(part, "float32"))
        np.testing.assert_allclose(in_graph, value, rtol=1e-5, atol=1e-5, err_msg=metric)


@pytest.mark.parametrize("name", VARIED)
def test_judds_auc_is_the_mean_over_the_jitter(name):
    p, _, f, *_ = maps = parts(name)
    fixated = p[f > 0]
    rng = np.random.default_rng(0)
    if all(np.count_nonzero(p == value) == 1 for value in fixated):
        # Some of the smallest values of this map become equal when the definition stretches it.
        tolerance = 2e-5 if name == "peaked" else 1e-9
        np.testing.assert_allclose(measure(maps, "auc"), mit.auc_judd(p, f), rtol=tolerance)
    else:
        # Enlarged, so that the jitter breaks ties and nothing else.
        draws = [mit.auc_judd(1e6 * p / np.abs(p).max(), f, rng) for _ in range(10 if name in REAL else SPLITS)]
        error = np.std(draws, ddof=1) / np.sqrt(len(draws))
        assert abs(np.mean(draws) - measure(maps, "auc")) < 5 * error + 1e-9


@pytest.mark.parametrize("name", [name for name in VARIED if name not in ("large", *REAL)])
def test_areas_are_the_means_over_the_splits(name):
    p, _, f, others, _ = maps = parts(name)
    rng = np.random.default_rng(1)
    for metric, draw in {
        "auc_borji": lambda: mit.auc_borji(p, f, rng, splits=1),
        "sauc": lambda: mit.auc_shuffled(p, f, others, rng, splits=1),
    }.items():
        draws = [draw() for _ in range(SPLITS)]
        error = np.std(draws) / np.sqrt(SPLITS)
        assert abs(np.mean(draws) - measure(maps, metric)) < 4 * error + 1e-9, metric


def test_the_blur_is_that_of_the_benchmark(rng):
    counts = rng.poisson(0.01, (50, 70)).astype("float64")
    np.testing.assert_allclose(fourier_blur(counts), np.maximum(mit.fourier_blur(counts), 0), atol=1e-12)
    point = np.zeros((1024, 1024))
    point[512, 512] = 1
    blurred = fourier_blur(point)
    spread = np.sqrt(np.sum(blurred * (np.arange(1024) - 512) ** 2))
    assert spread == pytest.approx(24.0, abs=0.1)


def test_the_earth_movers_distance_is_that_of_a_linear_program(rng):
    from keras_saliency.formulas.emd import REDUCTION, _shrink, emd

    size = (4 * REDUCTION, 5 * REDUCTION)
    s, p = (rng.random(size) ** 4 for _ in range(2))
    small = [_shrink(part / part.sum(), (5, 4)).reshape(4, 5) for part in (s, p)]
    np.testing.assert_allclose(emd(s[None, ..., None], p[None, ..., None]), [mit.emd(*small)], rtol=1e-7)
    np.testing.assert_allclose(emd(s[None, ..., None], s[None, ..., None]), [0], atol=1e-7)
    # A blob that moves by three pixels of the shrunk map.
    y, x = np.mgrid[:256, :320]
    blobs = [np.exp(-((x - column) ** 2 + (y - 128) ** 2) / 200)[None, ..., None] for column in (112, 208)]
    np.testing.assert_allclose(emd(*blobs), [3], rtol=1e-3)
    np.testing.assert_allclose(emd(*(ops.convert_to_tensor(blob) for blob in blobs)), [3], rtol=1e-3)


def fixations_and_gaussian(height, width):
    """Twenty fixations blurred by a 32nd of the width, and a Gaussian of a quarter of the sides."""
    rng, sides = np.random.default_rng(0), (height, width)
    blurred = (gaussian_filter1d(np.eye(side)[:, rng.integers(0, side, 20)], width / 32, axis=0) for side in sides)
    y, x = ((np.arange(side) - side / 2) / (side / 4) for side in sides)
    maps = np.einsum("yf,xf->yx", *blurred), np.exp(-(y[:, None] ** 2 + x**2) / 2)
    return [map_[None, ..., None] for map_ in maps]


def test_the_earth_movers_distance_of_large_maps_is_solved():
    from keras_saliency.formulas.emd import emd

    # What POT gives for the whole matrix of distances after as many pivots as it takes; after 100,000 it is 9.155.
    np.testing.assert_allclose(emd(*fixations_and_gaussian(1440, 2560)), [9.153818], rtol=1e-6)


def test_the_earth_movers_distance_of_larger_maps_is_that_of_a_coarser_grid(monkeypatch):
    from keras_saliency.formulas import emd as formula

    maps = fixations_and_gaussian(1000, 1472)  # neither side is a multiple of what they are shrunk by
    exact = formula.emd(*maps)
    monkeypatch.setattr(formula, "CELLS", 32 * 46 - 1)
    coarse = formula.emd(*maps)
    assert 0 < np.abs(coarse / exact - 1) < 0.01  # with cells larger than the blur
    np.testing.assert_allclose(formula.emd(maps[0], maps[0]), [0])


def test_work_that_is_not_the_least_is_not_told(monkeypatch):
    from keras_saliency.formulas import emd as formula

    monkeypatch.setattr(formula, "PIVOTS", 3)
    with pytest.raises(RuntimeError, match=r"EMD is not solved on 20 cells after 3 pivots \(.*\). Score smaller maps."):
        formula.emd(*fixations_and_gaussian(128, 160))
