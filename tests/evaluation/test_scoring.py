"""Scoring one image: laws, degenerate maps, errors; and the laws that hold on real data."""

import dataclasses

import numpy as np
import pytest
import reference
from conftest import real_data
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter

from keras_saliency import baselines, evaluation
from keras_saliency.data import Fixations, Sample
from keras_saliency.evaluation import scoring
from keras_saliency.evaluation.sources import BaselineSource
from keras_saliency.formulas.conventions import CONVENTIONS

SIZE = (60, 80)
CHANCE = {"auc": 0.5, "auc_borji": 0.5, "sauc": 0.5, "nss": 0.0, "cc": 0.0}


def sample_of(points, size=SIZE):
    rows = [(x + 0.5, y + 0.5, i % 3, i) for i, (y, x) in enumerate(points)]
    return Sample("image-7", b"", size, Fixations.from_rows(rows), 4.0)


def truth_of(rng, points=None, convention="tuebingen"):
    points = rng.integers(0, SIZE, (30, 2)) if points is None else points
    negatives = rng.poisson(0.1, SIZE)
    log_baseline = reference.log_density(rng.normal(size=SIZE))
    return scoring.make_truth(sample_of(points), negatives, log_baseline, convention)


def test_scores_agree_with_the_reference(tiny, rng):
    sample = tiny.test[0]
    log_p, log_b = (reference.log_density(rng.normal(size=sample.size)) for _ in range(2))
    negatives = rng.poisson(0.02, sample.size)
    scores = scoring.score(log_p, scoring.make_truth(sample, negatives, log_b), is_log_density=True)
    counts = sample.fixations.counts(sample.size)
    truth = gaussian_filter(counts, sample.sigma, mode="reflect")
    expected = {
        "auc": reference.auc(counts, log_p),
        "sauc": reference.sauc(counts, log_p, negatives),
        "nss": reference.nss(counts, np.exp(log_p)),
        "cc": reference.cc(truth, np.exp(log_p)),
        "sim": reference.sim(truth, np.exp(log_p)),
        "kld": reference.kld(truth, np.exp(log_p), 2.2204e-16),
        "ig": reference.ig(counts, log_p, log_b),
        "log_likelihood": -reference.nll(counts, log_p),
    }
    assert scores == pytest.approx(expected, rel=1e-9)


@settings(max_examples=25, deadline=None)
@given(scale=st.floats(0.01, 100), shift=st.floats(-10, 10), seed=st.integers(0, 999))
def test_laws(scale, shift, seed):
    rng = np.random.default_rng(seed)
    truth = truth_of(rng)
    # Few levels, so that there are ties.
    values = np.round(rng.random(SIZE) * 20) / 20
    scores = scoring.score(values, truth)
    for changed in (values**3, np.exp(5 * values), scale * values + shift, np.arctan(values)):
        moved = scoring.score(changed, truth, metrics=["auc", "sauc"])
        assert moved == pytest.approx({name: scores[name] for name in moved}, rel=1e-12)
    moved = scoring.score(scale * values + shift, truth, metrics=["nss", "cc"])
    assert moved == pytest.approx({name: scores[name] for name in moved}, rel=1e-9, abs=1e-9)
    moved = scoring.score(scale * values, truth)
    assert moved == pytest.approx(scores, rel=1e-9, abs=1e-9)
    flipped = scoring.score(-values, truth, metrics=["auc", "nss", "cc"])
    assert flipped["auc"] == pytest.approx(1 - scores["auc"])
    assert flipped["nss"] == pytest.approx(-scores["nss"]) and flipped["cc"] == pytest.approx(-scores["cc"])


@pytest.mark.parametrize("convention", CONVENTIONS)
def test_degenerate_maps_have_defined_scores(convention, rng):
    truth = truth_of(rng, convention=convention)
    uniform = scoring.score(np.ones(SIZE), truth, convention=convention)
    for constant in (0.0, 0.1, 1 / 3, -2.0, 1e30, 1e-30):
        scores = scoring.score(np.full(SIZE, constant), truth, convention=convention)
        assert np.isfinite(list(scores.values())).all()
        assert {name: scores[name] for name in CHANCE if name in scores} == {
            name: value for name, value in CHANCE.items() if name in scores
        }
        # Zeros everywhere are read as uniform, as every constant is.
        assert scores == pytest.approx(uniform, rel=1e-9, abs=1e-9)
    log_uniform = scoring.score(baselines.uniform(SIZE), truth, True, convention)
    assert log_uniform == pytest.approx(uniform, rel=1e-6, abs=1e-6)
    peak = np.zeros(SIZE)
    peak[3, 4] = 1.0
    assert np.isfinite(list(scoring.score(peak, truth, convention=convention).values())).all()
    alone = truth_of(rng, points=[(3, 4)], convention=convention)
    scores = scoring.score(peak, alone, convention=convention)
    assert np.isfinite(list(scores.values())).all() and scores["auc"] > 0.99 and scores["nss"] > 10


@pytest.mark.parametrize("convention", CONVENTIONS)
def test_an_image_without_fixations_has_no_score(convention, rng, tiny):
    nowhere = truth_of(rng, points=[], convention=convention)
    for values in (rng.random(SIZE), np.ones(SIZE)):
        scores = scoring.score(values, nowhere, convention=convention)
        assert list(scores) == list(CONVENTIONS[convention])
        assert np.isnan(list(scores.values())).all()
    gold = baselines.GoldStandard(tiny.validation, baselines.CentreBias(tiny.train, tiny.validation))
    assert np.isnan(list(evaluation.splits.score_gold_standard(gold, nowhere, convention).values())).all()


def test_a_fixation_outside_moves_no_score(rng):
    values = gaussian_filter(rng.random(SIZE), 3)
    inside = [(y + 0.5, x + 0.5) for y, x in rng.integers(0, SIZE, (9, 2))]
    outside = [(30.0, 80.0), (30.0, -3.0), (60.0, 40.0), (np.nan, 1.0)]
    one, other = (
        scoring.score(values, scoring.make_truth(Sample("a", b"", SIZE, Fixations.from_rows(rows), 4.0)))
        for rows in ([(x, y, 0, 0) for y, x in points] for points in (inside, inside + outside))
    )
    assert one == other


def test_what_cannot_be_scored_is_said(rng):
    truth = truth_of(rng)
    for values in (np.full(SIZE, np.nan), np.where(rng.random(SIZE) > 0.5, np.inf, 1.0)):
        with pytest.raises(ValueError, match="map of image-7 has NaN or infinite values"):
            scoring.score(values, truth)
    with pytest.raises(ValueError, match=r"map of image-7 must have the size \(60, 80\). Received: \(80, 60\)"):
        scoring.score(np.ones(SIZE[::-1]), truth)
    with pytest.raises(ValueError, match="Unknown metric 'emd' of the convention 'tuebingen'"):
        scoring.score(np.ones(SIZE), truth, metrics=["emd"])
    bare = scoring.make_truth(sample_of([(1, 2)]))
    assert {"sauc", "ig"}.isdisjoint(scoring.score(np.ones(SIZE), bare))
    with pytest.raises(ValueError, match=r"'sauc' needs negatives; give make_truth\(negatives=...\)"):
        scoring.score(np.ones(SIZE), bare, metrics=["sauc"])


def test_repeated_fixations_count_in_one_convention_only(rng):
    values = rng.random(SIZE)
    once, twice = [(3, 4), (30, 40)], [(3, 4), (3, 4), (3, 4), (30, 40)]
    for convention, equal in (("tuebingen", False), ("mit", True)):
        pair = [
            scoring.score(values, scoring.make_truth(sample_of(points), convention=convention), convention=convention)
            for points in (once, twice)
        ]
        for name in ("auc", "nss", "cc", "kld"):
            assert (pair[0][name] == pytest.approx(pair[1][name], rel=1e-9)) == equal, (convention, name)


def test_on_real_data_baselines_are_ordered():
    osie = real_data("osie")
    osie = dataclasses.replace(osie, test=osie.test[:12])
    sources = [BaselineSource(name, osie) for name in ("signature", "bms")]
    scored = evaluation.evaluate(sources, osie)
    rows = {row: {name: value["mean"] for name, value in values.items()} for row, values in scored.summary.items()}
    for name in ("auc", "nss", "ig", "log_likelihood", "sauc"):
        for model in ("signature", "bms", "centre_bias", "uniform"):
            assert rows["gold_standard"][name] > rows[model][name], (name, model)
    for name in ("auc", "nss", "ig", "cc", "sim"):
        assert rows["centre_bias"][name] > rows["uniform"][name], name
    assert rows["bms"]["auc"] > rows["uniform"]["auc"] == 0.5
    fair = scored.fair_summary["centre_bias"]
    assert fair["sauc"]["mean"] == pytest.approx(0.5, abs=1e-9)
    assert fair["kld"]["mean"] <= rows["centre_bias"]["kld"]
