"""Scores of the next fixation, given those before: worked values, and what is refused."""

import dataclasses

import numpy as np
import pytest

from keras_saliency.data import DataSet, Fixations, Sample, Samples, synthetic
from keras_saliency.scanpaths import SaccadeModel, Saccades, score_scanpaths
from keras_saliency.scanpaths.models import after_the_first
from keras_saliency.scanpaths.scoring import OTHERS, STEPS
from keras_saliency.scanpaths.similarity import HUMANS, SHUFFLED, compare_scanpaths


class Truth:
    """A source of the density that the fixations of the synthetic data are drawn from."""

    name = "truth"

    def predictions(self, samples):
        for sample in samples:
            yield np.log(sample.density), True, False


class Ramp:
    """A density that rises by columns, and by rows after the first fixation."""

    name = "ramp"

    def conditionals(self, samples):
        for sample in samples:
            rows, columns = np.indices(sample.size)

            def conditional(x, y, rows=rows, columns=columns):
                density = 1.0 + columns + len(x) * rows
                return np.log(density / density.sum())

            yield conditional


@pytest.fixture(scope="module")
def data():
    return synthetic.read(splits={"train": 6, "validation": 4, "test": 3})


def test_scores_of_one_fixation_by_their_definitions(data):
    scores = score_scanpaths([Ramp()], data)
    sample = data.test[1]
    row = scores.table.query("model == 'ramp' and image == @sample.name and observer == 2 and step == 3").iloc[0]
    path = sample.fixations[sample.fixations.observer == 2]
    at = int(path.y[3]), int(path.x[3])
    rows, columns = np.indices(sample.size)
    density, before = (values / values.sum() for values in (1.0 + columns + 3 * rows, 1.0 + columns))
    worse, equal = (density < density[at]).sum(), (density == density[at]).sum()
    assert row.log_likelihood == pytest.approx(np.log(density[at]))
    assert row.ig_spatial == pytest.approx(np.log2(density[at] / before[at]))
    assert row.nss == pytest.approx((density[at] - density.mean()) / density.std())
    assert row.auc == pytest.approx((worse + equal / 2) / density.size)
    assert row.auc_hat == pytest.approx(1 - (density.size - worse - 1) / (density.size - 1) / 2)
    bias = scores.table.query("model == 'centre_bias' and image == @sample.name and observer == 2 and step == 3").iloc[
        0
    ]
    assert row.ig == pytest.approx((row.log_likelihood - bias.log_likelihood) / np.log(2)) and bias.ig == 0
    assert len(scores.table) == 3 * 3 * 12 * 7 and scores.left_out == 0


def test_a_flat_kernel_gains_nothing_over_its_spatial_model(data):
    scores = score_scanpaths([SaccadeModel(Truth(), Saccades())], data)
    assert scores.summary["truth"]["all"]["ig_spatial"]["mean"] == pytest.approx(0, abs=1e-9)
    assert scores.summary["truth"]["all"]["ig"]["mean"] > scores.summary[OTHERS]["all"]["ig"]["mean"] > 0
    assert scores.summary[OTHERS]["all"]["ig_spatial"]["mean"] is None


def test_means_are_over_the_fixations_of_a_step(data):
    scores = score_scanpaths([Ramp()], data, jobs=1)
    rows = scores.table[scores.table["model"] == "ramp"]
    for title, steps in {"all": range(1, 8), "2": [2], "4-6": [4, 5, 6], "7+": [7]}.items():
        expected = rows[rows["step"].isin(steps)]["nss"].mean()
        assert scores.summary["ramp"][title]["nss"]["mean"] == pytest.approx(expected)
    assert [*scores.summary["ramp"]] == [*STEPS]


def test_a_constant_map_has_no_nss_and_half_an_auc(data):
    class Constant:
        name = "constant"

        def conditionals(self, samples):
            for sample in samples:
                yield lambda x, y, size=sample.size: np.full(size, -np.log(size[0] * size[1]))

    summary = score_scanpaths([Constant()], data).summary["constant"]["all"]
    assert summary["nss"]["mean"] == 0 and summary["auc"]["mean"] == 0.5 and summary["auc_hat"]["mean"] == 0.5


def with_fixations(data, change):
    """The same with other fixations in the test split."""
    changed = [dataclasses.replace(sample, fixations=change(sample.fixations)) for sample in data.test]
    return dataclasses.replace(data, test=Samples(changed))


def test_what_nobody_chose_has_no_say(data):
    """First fixations, wherever they are, move neither the centre bias nor the other observers."""

    def moved(samples):
        changed = []
        for sample in samples:
            f = sample.fixations
            x, y = np.where(f.time == 0, 1.0, f.x), np.where(f.time == 0, 2.0, f.y)
            changed.append(dataclasses.replace(sample, fixations=dataclasses.replace(f, x=x, y=y)))
        return Samples(changed)

    other = DataSet(data.name, *map(moved, (data.train, data.validation, data.test)))
    found, again = (score_scanpaths([], each).table for each in (data, other))
    np.testing.assert_array_equal(found["log_likelihood"], again["log_likelihood"])
    assert {*found["model"]} == {"centre_bias", OTHERS}


def test_mixed_rows_lose_the_first_of_each(data):
    rows = [(1, 2, 1, 0.5), (3, 4, 0, 0.9), (5, 6, 1, 1.0), (7, 8, 0, 1.3)]
    sample = Sample("one", data.train[0].image, (120, 160), Fixations.from_rows(rows), 5.0)
    np.testing.assert_array_equal(after_the_first(Samples([sample]))[0].fixations.x, [5, 7])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda f: dataclasses.replace(f, time=np.zeros(len(f))), "fixations of observer 0 have no order. Scanpaths"),
        (lambda f: dataclasses.replace(f, time=np.full(len(f), np.nan)), "observer 0 have no order. Scanpaths"),
        (
            lambda f: dataclasses.replace(f, time=np.minimum(f.time, 0.6)),
            r"at fixation 3: the times \[0.6, 0.6\] s do not",
        ),
        (lambda f: f[f.time == 0], "no scanpath of the test split has two fixations"),
    ],
)
def test_what_has_no_next_fixation_is_refused(change, message, data):
    with pytest.raises(ValueError, match=message):
        score_scanpaths([Ramp()], with_fixations(data, change))


def test_one_image_has_means_without_intervals(data):
    alone = dataclasses.replace(data, test=data.test[:1])
    found = score_scanpaths([Ramp()], alone).summary["ramp"]["all"]["nss"]
    assert found["mean"] == pytest.approx(score_scanpaths([Ramp()], alone).table.query("model == 'ramp'")["nss"].mean())
    assert found["low"] is None


def test_scanpaths_of_one_fixation_are_counted(data):
    scores = score_scanpaths([Ramp()], with_fixations(data, lambda f: f[(f.time == 0) | (f.observer > 1)]))
    assert scores.left_out == 6 and scores.table["observer"].min() == 2


def test_names_and_sizes_are_looked_at(data):
    class Small(Ramp):
        def conditionals(self, samples):
            for _ in samples:
                yield lambda x, y: np.zeros((2, 2))

    class Loud(Ramp):
        def conditionals(self, samples):
            for sample in samples:
                yield lambda x, y, size=sample.size: np.full(size, np.nan if len(x) > 2 else -np.log(120 * 160))

    class Unnormalised(Ramp):
        def conditionals(self, samples):
            for sample in samples:
                yield lambda x, y, size=sample.size: np.zeros(size)

    with pytest.raises(ValueError, match="names of their own"):
        score_scanpaths([Ramp(), Ramp()], data)
    with pytest.raises(ValueError, match="ramp: the density of synthetic-.* sums to nan"):
        score_scanpaths([Loud()], data)
    with pytest.raises(ValueError, match="ramp: the density of synthetic-.* sums to 19200"):
        score_scanpaths([Unnormalised()], data)
    with pytest.raises(ValueError, match=r"the density of synthetic-.* is \(2, 2\), and the image \(120, 160\)"):
        score_scanpaths([Small()], data)


def test_people_are_more_alike_on_one_image_than_on_two(data):
    found = compare_scanpaths([SaccadeModel(Truth(), Saccades())], data)
    assert [*found] == [HUMANS, SHUFFLED, "truth"]
    for name in ("scanmatch", "sequence_score", "time_delay_embedding"):
        assert found[HUMANS][name]["mean"] > found[SHUFFLED][name]["mean"]
        # Observers of these data draw as the model does.
        assert found["truth"][name]["mean"] == pytest.approx(found[HUMANS][name]["mean"], rel=0.1)
    assert found["truth"]["multimatch_duration"]["mean"] is None
    for name in ("amplitude_divergence", "direction_divergence"):
        assert 0 < found[HUMANS][name]["mean"] < 0.05 and found["truth"][name]["mean"] < 0.05
    flat = SaccadeModel(Truth(), Saccades())
    for models in ([flat, flat], [SaccadeModel(Truth(), Saccades(), HUMANS)]):
        with pytest.raises(ValueError, match="names of their own"):
            compare_scanpaths(models, data)
    with pytest.raises(ValueError, match="nobody to compare with"):
        compare_scanpaths([], with_fixations(data, lambda f: f[f.observer == 0]))


def test_scanpaths_of_samples():
    rows = [(1, 2, 1, 0.5, 0.2), (3, 4, 1, 0.9, 0.3), (5, 6, 0, 0.0, 0.1), (900, 6, 0, 0.1, 0.1), (7, 8, 0, 0.3, 0.4)]
    image = synthetic.read(splits={"train": 1, "validation": 1, "test": 1}).train[0].image
    sample = Sample("one", image, (120, 160), Fixations.from_rows(rows), 5.0)
    second, first = sorted(Samples([sample]).scanpaths(), key=lambda path: -path.observer)
    assert (first.image, first.observer, second.observer, len(first)) == ("one", 0, 1, 2)
    np.testing.assert_array_equal(first.x, [5, 7])  # What is outside is not there.
    np.testing.assert_array_equal(second.y, [2, 4])
    np.testing.assert_array_equal(first.duration, [0.1, 0.4])
    np.testing.assert_array_equal(second.time, [0.5, 0.9])


def test_data_sets_have_scanpaths(data):
    assert isinstance(data, DataSet) and len(data.test.scanpaths()) == 3 * 12
    assert all(len(path) == 8 and (np.diff(path.time) > 0).all() for path in data.test.scanpaths())
