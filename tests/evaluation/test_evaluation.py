import dataclasses
import json
import os
import re
import threading
import time

import keras
import numpy as np
import pytest
import reference
from scipy.integrate import trapezoid
from scipy.ndimage import gaussian_filter

from keras_saliency import baselines, evaluation, layers
from keras_saliency.baselines import aim, fitting, gold_standard
from keras_saliency.baselines.fitting import fit_mixture
from keras_saliency.data import Fixations, Sample, Samples, machines
from keras_saliency.evaluation import fair, parallel, scoring, splits
from keras_saliency.evaluation.map_files import Prediction
from keras_saliency.evaluation.sources import ModelSource
from keras_saliency.formulas.conventions import CONVENTIONS


@pytest.fixture(scope="module")
def fitted(tiny):
    bias = baselines.CentreBias(tiny.train, tiny.validation)
    return bias, baselines.GoldStandard(tiny.validation, bias)


def gaussian_samples(count, spread, rng):
    """Images whose fixations are drawn around the centre, in shares of the side."""
    samples = []
    for i in range(count):
        x, y = np.clip(rng.normal(0.5, spread, (2, 60)), 0.001, 0.999) * [[80], [60]]
        rows = np.stack([x, y, np.arange(60) % 6, np.arange(60)], 1)
        samples.append(Sample(f"s{i}", b"", (60, 80), Fixations.from_rows(rows), 3.0))
    return Samples(samples)


def test_centre_bias_finds_the_gaussian_that_made_the_fixations(rng):
    bias = baselines.CentreBias(gaussian_samples(40, 0.1, rng), gaussian_samples(20, 0.1, rng))
    y, x = (np.mgrid[:60, :80] + 0.5) / [[[60]], [[80]]]
    truth = np.exp(-((x - 0.5) ** 2 + (y - 0.5) ** 2) / (2 * 0.1**2))
    log_density = bias.log_density((60, 80))
    np.testing.assert_allclose(np.exp(log_density).sum(), 1)
    assert 0.5 * np.abs(np.exp(log_density) - truth / truth.sum()).sum() < 0.08
    assert bias.density.min() > 0


def test_centre_bias_without_fixations_is_refused(rng):
    some, none = gaussian_samples(2, 0.1, rng), Samples([])
    for parts, name in (((none, some), "training"), ((some, none), "validation")):
        with pytest.raises(ValueError, match=f"The {name} split has no fixations"):
            baselines.CentreBias(*parts)


def test_gold_standard_predicts_each_observer_from_the_others_only(fitted, tiny):
    _, gold = fitted
    sample = tiny.test[0]
    observers, log_densities = gold.log_densities(sample)
    np.testing.assert_allclose(np.exp(log_densities).sum((1, 2)), 1, rtol=1e-4)
    others = sample.fixations[sample.fixations.observer != observers[0]]
    bias = np.exp(gold.centre_bias.log_density(sample.size))
    kernel = gaussian_filter(others.counts(sample.size), gold.bandwidth * sample.sigma, mode="reflect") / len(others)
    expected = gold.weights[0] * kernel + gold.weights[1] * bias + gold.weights[2] / bias.size
    # The kernels stand at the fixations themselves, not at the centres of their pixels.
    assert np.corrcoef(np.exp(log_densities[0]).ravel(), expected.ravel())[0, 1] > 0.99
    np.testing.assert_allclose(gold.weights.sum(), 1)


@pytest.mark.parametrize("sides", [0.02, 0.1, 0.3, 1.0, 5.0])
def test_the_kernel_of_the_gold_standard_has_a_mass_of_one_however_wide_it_is(sides):
    at, centres = (np.arange(4000) + 0.5) / 100, np.array([0.01, 3.0, 20.0, 39.9])
    kernel = gold_standard._mirrored_kernel(at, centres, 40, 40 * sides)
    np.testing.assert_allclose(kernel.sum(0) / 100, 1, rtol=1e-6)


def test_mixture_weights_are_found(rng):
    chosen = rng.random(20_000) < 0.7
    likelihoods = np.where(chosen, [[0.9], [0.1]], [[0.1], [0.9]])
    weights, value = fit_mixture(likelihoods)
    # Of 0.1 + 0.8 w the share of those that were chosen is the best value.
    np.testing.assert_allclose(weights, [1.25 * (share - 0.1) for share in (chosen.mean(), 1 - chosen.mean())], 1e-4)
    assert value == pytest.approx(np.sum(np.log(np.where(chosen, chosen.mean(), 1 - chosen.mean()))), abs=1e-4)


def test_a_search_goes_on_where_its_best_value_is_at_an_end():
    def fit(best):
        return fitting.search(np.geomspace(0.01, 0.08, 4), lambda x: (-(np.log(x / best) ** 2), 2 * x), "x")

    for best in (0.003, 0.02, 0.05, 0.2, 3.0):
        found, double = fit(best)
        assert double == 2 * found and abs(np.log2(found / best)) <= 0.5
    # Where nothing is gained any more, the first of equal values is as good as any.
    assert fitting.search(np.geomspace(0.01, 0.08, 4), lambda x: (min(x, 0.5), None), "x")[0] == pytest.approx(0.64)


def test_no_fit_is_taken_as_converged_without_asking(tiny, fitted, rng, monkeypatch):
    pytest.importorskip("sklearn")
    monkeypatch.setattr(fitting, "STEPS", 3)
    monkeypatch.setattr(fitting, "GROWTH", 1)
    monkeypatch.setattr(aim, "ITERATIONS", 2)
    images = rng.integers(0, 256, (3, 40, 40, 3), dtype="uint8")
    ends = np.geomspace(0.01, 0.08, 4)
    for limited, message in (
        (lambda: fit_mixture(rng.random((3, 50))), r"The weights of the mixture are not found after 3 steps: up to"),
        (lambda: fitting.search(ends, lambda x: (x, x), "width"), r"The best width is 0.16, at the end of .*0.01 to 0"),
        (lambda: fitting.search(ends, lambda x: (-x, x), "width"), r"The best width is 0.005, at the end of .*Give"),
        (lambda: baselines.GoldStandard(tiny.validation, fitted[0]), r"The weights of the mixture are not found"),
        (lambda: aim.AIM(images, 5, 4), r"components of AIM are not found after 2 iterations. Pass more images"),
    ):
        with pytest.warns(fitting.NotConverged, match=message):
            limited()


def uniform_model(size):
    images = keras.Input((*size, 3))
    flat = keras.layers.Conv2D(1, 1, kernel_initializer="zeros")(images)
    return keras.Model(images, layers.LogSoftmax()(flat))


class MapSource:
    """The same map for all."""

    def __init__(self, name, values, is_log_density=False, is_eight_bit=False):
        self.name, self.made = name, Prediction(values, is_log_density, is_eight_bit)

    def predictions(self, samples):
        return (self.made for _ in samples)


def means(summary):
    return {row: {name: value["mean"] for name, value in values.items()} for row, values in summary.items()}


@pytest.mark.parametrize("convention", CONVENTIONS)
def test_evaluate_ranks_the_baselines(tiny, convention):
    seen: list[int] = []
    source = ModelSource(uniform_model((60, 80)), "model")
    scored = splits.score_split([source], tiny, "test", convention, seen.append)
    assert seen == [0, 1, 2, 3, 4]
    rows = means(scored.summary)
    assert set(rows) == {"model", "uniform", "centre_bias", "gold_standard", "truth"}
    metrics = set(CONVENTIONS[convention])
    for name in metrics:
        assert rows["model"][name] == pytest.approx(rows["uniform"][name], abs=2e-5), name
        assert all(len(values) == len(tiny.test) for values in scored.per_image.values())
    assert rows["truth"]["ig"] > rows["gold_standard"]["ig"] > rows["centre_bias"]["ig"] == 0
    # For the others the density itself is not the best map.
    for name in {"auc", "nss", "ig"} & set(splits.OF_ONE_OBSERVER[convention]):
        assert rows["truth"][name] > rows["gold_standard"][name] > rows["uniform"][name], name
    assert rows["uniform"]["auc"] == rows["uniform"]["sauc"] == 0.5
    assert rows["gold_standard"]["cc"] is None
    if convention == "tuebingen":
        assert rows["gold_standard"]["explained_information"] == rows["truth"]["known_information"] == 1
    for summary in (scored.summary, scored.fair_summary):
        for values in summary.values():
            for interval in values.values():
                assert interval["mean"] is None or interval["low"] <= interval["mean"] <= interval["high"]


def observed_by(data, observers):
    """The data with the fixations of that many observers, who each look at an image as if it were another one."""
    parts = {}
    for part in ("train", "validation", "test"):
        samples, parts[part] = getattr(data, part), []
        for i, sample in enumerate(samples):
            seen = [samples[(i + o) % len(samples)].fixations for o in range(observers)]
            rows = [np.stack([f.x, f.y, f.observer, f.time], 1)[f.observer == o] for o, f in enumerate(seen)]
            parts[part].append(dataclasses.replace(sample, fixations=Fixations.from_rows(np.concatenate(rows))))
    return dataclasses.replace(data, **{part: Samples(samples) for part, samples in parts.items()})


@pytest.mark.parametrize(
    ("observers", "reason"),
    [
        (1, "the mean IG of the gold standard is not defined for 4 of 4 images"),
        (3, r"the mean IG of the gold standard is not clearly above zero: -?0\.\d{3} \[-0\.\d{3}, 0\.\d{3}\]"),
    ],
)
def test_explained_information_needs_a_gold_standard(tiny, tmp_path, observers, reason):
    scored = evaluation.evaluate(
        [MapSource("m", np.ones((120, 160)))], observed_by(tiny, observers), out=tmp_path / "o"
    )
    for summary in (scored.summary, scored.fair_summary):
        for row, values in summary.items():
            found = values["explained_information"]
            assert [found[name] for name in ("mean", "low", "high")] == [None] * 3, row
            assert re.fullmatch(reason, found["reason"]), found
    # The truth is known whoever looks.
    assert scored.summary["truth"]["known_information"]["mean"] == 1
    written = json.loads((tmp_path / "o" / "result.json").read_text())["scores"]["m"]["explained_information"]
    assert written == scored.summary["m"]["explained_information"]
    assert f"- The column 'explained' is n/a: {written['reason']}." in (tmp_path / "o" / "report.md").read_text()


@pytest.mark.parametrize("convention", CONVENTIONS)
def test_the_gold_standard_is_scored_as_every_map_is(tiny, fitted, convention):
    bias, gold = fitted
    sample = tiny.test[0]
    negatives = evaluation.OtherFixations(tiny.test).counts(sample)
    truth = scoring.make_truth(sample, negatives, bias.log_density(sample.size), convention)
    rows, weights = [], []
    for observer, log_density in zip(*gold.log_densities(sample), strict=True):
        own = dataclasses.replace(sample, fixations=sample.fixations[sample.fixations.observer == observer])
        one = scoring.make_truth(own, negatives, truth.target.baseline, convention)
        rows.append(scoring.score(log_density, one, True, convention, splits.OF_ONE_OBSERVER[convention]))
        weights.append(len(own.fixations))
    found = splits.score_gold_standard(gold, truth, convention)
    for name in CONVENTIONS[convention]:
        values = [row.get(name, np.nan) for row in rows]
        assert found[name] == pytest.approx(np.average(values, weights=weights), rel=1e-9, nan_ok=True), name


def test_no_score_depends_on_how_many_images_are_scored_at_once(tiny, rng, monkeypatch):
    source = MapSource("noise", rng.random((120, 160)))
    expected = splits.score_split([source], tiny, jobs=1)
    monkeypatch.setattr(parallel, "IN_FLIGHT", 2 * 120 * 160 * splits.BYTES)
    assert splits.score_split([source], tiny, jobs=8).per_image == expected.per_image


def test_rows_that_are_kept_are_those_that_are_made_anew(tiny, rng, monkeypatch):
    """Two sizes in turn, and two blurs of one of them."""
    first, *others = (dataclasses.replace(sample, density=None) for sample in tiny.test)
    wider = dataclasses.replace(first, name="wider", size=(120, 200))
    sharper = dataclasses.replace(others[0], name="sharper", sigma=2.0)
    mixed = dataclasses.replace(tiny, test=Samples([first, wider, others[0], sharper, *others[1:]]))
    found = splits.score_split([], mixed, jobs=1)
    monkeypatch.setattr(splits, "KEPT", 0)
    again = splits.score_split([], mixed, jobs=1)
    assert (found.per_image, found.fair) == (again.per_image, again.fair)
    assert found.fair["centre_bias"][2]["cc"] != found.fair["centre_bias"][3]["cc"]


def test_no_more_is_in_flight_than_its_bound_and_one_image(monkeypatch):
    monkeypatch.setattr(parallel, "IN_FLIGHT", 100)
    for size, bound in ((30, 3), (60, 1), (1000, 1)):
        running, most, lock = [], [], threading.Lock()

        def hold(i, running=running, most=most, lock=lock):
            with lock:
                running.append(i)
                most.append(len(running))
            time.sleep(0.002)
            running.remove(i)
            return i

        work = ((i,) for i in range(12))
        found = list(parallel.in_threads(hold, work, lambda i, size=size: size, jobs=8))
        assert found == list(range(12)) and max(most) <= bound
    with pytest.raises(ValueError, match="jobs is the number of images .* at least 1. Received: 0"):
        list(parallel.in_threads(abs, [(1,)], abs, jobs=0))


@pytest.mark.parametrize(("limit", "cores"), [("150000 100000", 2), ("50000 100000", 1), ("max 100000", 6), (None, 6)])
def test_cores_are_those_that_the_process_may_use(limit, cores, tmp_path, monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(6)), raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 64)
    monkeypatch.setattr(machines, "CPU_MAX", tmp_path / "cpu.max")
    if limit:
        (tmp_path / "cpu.max").write_text(limit + "\n")
    assert machines.usable_cores() == cores


def test_where_no_report_can_be_written_nothing_is_scored(tiny, tmp_path):
    class Unasked:
        name = "unasked"

        def predictions(self, samples):
            raise AssertionError

    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match=r"file/o cannot be written to: Not a directory. Choose another --out folder."):
        evaluation.evaluate(Unasked(), tiny, out=tmp_path / "file" / "o")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "report.md").write_text("")
    with pytest.raises(FileExistsError, match="full exists already"):
        evaluation.evaluate(Unasked(), tiny, out=tmp_path / "full")


def test_the_area_under_the_drawn_curve_is_the_auc(tiny, rng):
    scored = evaluation.evaluate([MapSource("noise", np.round(rng.random((120, 160)) * 9))], tiny)
    for row, curve in scored.curves.items():
        area = trapezoid(curve, splits.FALSE_POSITIVES)
        assert area == pytest.approx(scored.summary[row]["auc"]["mean"], abs=0.01), row


def test_the_fair_map_of_a_metric_is_the_best_for_it(tiny):
    """On many draws of fixations from one density."""
    sample, rng = tiny.test[0], np.random.default_rng(1)
    log_bias = baselines.CentreBias(tiny.train, tiny.validation).log_density(sample.size)
    log_density, fixations = np.log(sample.density), 60
    candidates = fair.fair_maps(log_density, log_bias, sample.sigma, fixations)
    candidates = {"density": sample.density, **candidates}
    bias_draws = rng.choice(sample.density.size, 20_000, p=np.exp(log_bias).ravel())
    negatives = np.bincount(bias_draws, minlength=sample.density.size).reshape(sample.size)
    sums = {name: {} for name in candidates}
    for _ in range(60):
        rows, columns = np.divmod(rng.choice(sample.density.size, fixations, p=sample.density.ravel()), sample.size[1])
        table = Fixations.from_rows(np.stack([columns + 0.5, rows + 0.5, 0 * rows, 0 * rows], 1))
        truth = scoring.make_truth(dataclasses.replace(sample, fixations=table), negatives, log_bias)
        for name, values in candidates.items():
            for metric, value in scoring.score(values, truth).items():
                sums[name][metric] = sums[name].get(metric, 0.0) + value / 60
    own = {"auc": "density", "nss": "density", "ig": "density", "sauc": "sauc", "cc": "cc", "kld": "kld", "sim": "sim"}
    for metric, best in own.items():
        sign = -1 if metric == "kld" else 1
        for name in candidates:
            # CC alone is only nearly best: blurring gives the mean of the truths, not of the standardised ones.
            slack = 2e-3 if metric == "cc" else 1e-9
            assert sign * sums[best][metric] >= sign * sums[name][metric] - slack, (metric, name, sums)


@pytest.mark.parametrize("fixations", [1, 2, 30])
@pytest.mark.parametrize("power", [0, 8])
def test_the_quantile_that_sums_to_one_is_found(fixations, power, rng):
    density = rng.random((40, 60)) ** power
    # Over the quantiles the mean of the sums is one, so that they lie about it; here no map is shrunk.
    found = fair.fair_maps(np.log(density / density.sum()), np.zeros(density.shape), 4.0, fixations)["sim"]
    assert found.raw.sum() == pytest.approx(1, abs=1e-9)


def test_negatives_are_the_fixations_of_the_other_images(tiny):
    others = evaluation.OtherFixations(tiny.test)
    for sample in tiny.test:
        expected = sum(s.fixations.counts(s.size) for s in tiny.test) - sample.fixations.counts(sample.size)
        np.testing.assert_array_equal(others.counts(sample), expected)
    double = dataclasses.replace(tiny.test[0], size=(240, 320))
    counts = evaluation.OtherFixations(Samples([tiny.test[1], double])).counts(double)
    rows, columns = np.nonzero(counts)
    fixations = tiny.test[1].fixations
    assert set(zip(rows, columns, strict=True)) == {
        (int(2 * y), int(2 * x)) for y, x in zip(fixations.y, fixations.x, strict=True)
    }


def test_negatives_of_an_image_of_another_split_are_all_fixations_of_this_one(tiny, rng):
    sample = tiny.train[0]
    counts = evaluation.OtherFixations(tiny.test).counts(sample)
    expected = sum(s.fixations.counts(s.size) for s in tiny.test)
    np.testing.assert_array_equal(counts, expected)
    values = gaussian_filter(rng.random(sample.size), 5)
    found = scoring.score(values, scoring.make_truth(sample, counts), metrics=["sauc"])["sauc"]
    assert found == pytest.approx(reference.sauc(sample.fixations.counts(sample.size), values, expected))


def test_what_cannot_be_evaluated_is_said(tiny):
    source = MapSource("one", np.ones((120, 160)))
    for wrong, message in (
        (lambda: evaluation.evaluate([source, source], tiny), "'one' stands for two rows"),
        (lambda: evaluation.evaluate([MapSource("uniform", None)], tiny), "'uniform' stands for two rows"),
        (lambda: evaluation.evaluate([source], tiny, convention="paris"), "Unknown convention 'paris'"),
        (lambda: evaluation.evaluate([source], tiny, "exam"), "Unknown split 'exam'"),
        (lambda: evaluation.evaluate([MapSource("m", np.ones((3, 4)))], tiny), "map of synthetic-0012 must have the s"),
        (lambda: evaluation.evaluate([MapSource("m", np.full((120, 160), np.nan))], tiny), "NaN or infinite values"),
    ):
        with pytest.raises(ValueError, match=message):
            wrong()


def test_an_image_without_fixations_is_left_out_and_listed(tiny, rng):
    empty = dataclasses.replace(tiny.test[1], fixations=tiny.test[1].fixations[:0])
    source = MapSource("noise", rng.random((120, 160)))
    hands = dataclasses.replace(tiny, test=Samples([tiny.test[0], empty, *tiny.test[2:]]))
    readers = dataclasses.replace(tiny, test=Samples([tiny.test[0], *tiny.test[2:]]))
    scored, expected = (evaluation.evaluate([source], data, verbose=False) for data in (hands, readers))
    assert scored.provenance["images"] == 3
    assert scored.provenance["skipped"] == [f"{empty.name}: the image has no fixations"]
    assert means(scored.summary) == means(expected.summary)


def test_the_effect_of_eight_bits_is_measured(tiny, rng):
    values = np.round(255 * rng.random((120, 160)) ** 8)
    exact = evaluation.evaluate([MapSource("exact", values)], tiny)
    scored = evaluation.evaluate([MapSource("rounded", values, is_eight_bit=True)], tiny)
    assert exact.eight_bit == {}
    lifted = evaluation.evaluate([MapSource("lifted", np.maximum(values, 0.25))], tiny)
    for name in ("kld", "ig"):
        difference = lifted.summary["lifted"][name]["mean"] - scored.summary["rounded"][name]["mean"]
        assert scored.eight_bit["rounded"][name] == pytest.approx(difference)
    assert scored.eight_bit["rounded"]["kld"] < -0.1 and scored.eight_bit["rounded"]["ig"] > 0.1
