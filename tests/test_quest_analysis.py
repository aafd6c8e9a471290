"""The statistics of a study."""

import dataclasses
import itertools

import numpy as np
import pytest
from test_quest import STUDY

from keras_saliency.quest import analysis
from keras_saliency.quest.study import Grid


def test_what_is_compared_are_the_cells_at_the_best_rates():
    grids = (Grid(rates=(1e-3, 1e-2)), Grid(seeds=(1,)), Grid(seeds=(0,), changes={"images": 5}))
    study, results = dataclasses.replace(STUDY, grids=grids), {}
    for _ in range(2):
        for i, cell in enumerate(study.cells(results)[0]):
            rate, seed = cell.recipe.learning_rate, cell.recipe.seed
            values = {"nss": [rate, seed, i]}
            scored = {"validation": {"raw": {"nss": [0.0]}}, "test": {"raw": values, "fair": values}}
            results[cell.key] = {"history": [{"val_loss": -rate}], "scores": scored}
    found = analysis.scores(study, results, "nss")
    assert {row: {seed: each[:2].tolist() for seed, each in values.items()} for row, values in found.items()} == {
        (loss, "multilevel", "synthetic"): {0: [1e-2, 0], 1: [1e-2, 1]} for loss in STUDY.losses
    }
    (failing,) = (cell for cell in study.finals(results) if cell.loss == "nss" and cell.recipe.seed == 1)
    results[failing.key] = {"error": "ValueError: The loss became nan"}
    found = analysis.scores(study, results, "nss", "fair")
    assert list(found["nss", "multilevel", "synthetic"]) == [0]
    one, other = analysis.paired(*(found[loss, "multilevel", "synthetic"] for loss in ("nss", "kld")))
    assert one.shape == other.shape == (1, 3)


def test_an_interval_covers_images_and_seeds(rng):
    covered, effect = 0, 0.3
    for _ in range(60):
        image, seed = rng.normal(0, 1, (1, 60)), rng.normal(0, 0.2, (6, 1))
        other = rng.normal(0, 1, (6, 60))
        found = analysis.difference(other + effect + 0.5 * image + seed + rng.normal(0, 0.1, (6, 60)), other)
        assert found["low"] < found["mean"] < found["high"]
        covered += found["low"] <= effect <= found["high"]
    # Six seeds are few: the interval is somewhat too narrow, as that of any bootstrap.
    assert covered >= 48
    same = np.zeros((2, 5))
    assert analysis.difference(same, same) == {"mean": 0.0, "low": 0.0, "high": 0.0, "p": 1.0}
    assert analysis.difference(same + 1, same)["p"] == pytest.approx(1e-5)
    with pytest.raises(ValueError, match=r"the same seeds and images. Received: \(2, 5\), \(1, 5\)"):
        analysis.difference(same, same[:1])


def test_an_interval_is_that_of_resampled_means(rng):
    """Against a slow version of the definition."""
    one, other = rng.normal(0, 1, (2, 3, 8))
    paired = one - other
    picks = itertools.product(itertools.product(range(3), repeat=3), [rng.integers(0, 8, 8) for _ in range(2000)])
    means = [paired[np.ix_(seeds, images)].mean() for seeds, images in picks]
    found = analysis.difference(one, other)
    np.testing.assert_allclose([found["low"], found["high"]], np.quantile(means, [0.025, 0.975]), atol=0.06)
    assert found["p"] == pytest.approx(2 * min(np.mean(np.array(means) <= 0), np.mean(np.array(means) >= 0)), abs=0.03)


def test_small_p_values_hardly_depend_on_the_draws(rng):
    """Holm's correction over 46 needs p-values near 0.001 that can be trusted."""
    one, other = rng.normal(0.43, 1, (3, 100)), rng.normal(0, 1, (3, 100))
    found = [analysis.difference(one, other, seed)["p"] for seed in range(4)]
    assert min(found) > 2e-4 and max(found) < 5e-3
    assert np.std(found) < 0.15 * np.mean(found)


def test_p_values_are_corrected_for_their_number():
    assert analysis.holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert analysis.holm([0.5, 0.9]) == [1.0, 1.0]
    assert analysis.holm([]) == []


def test_ranks_and_their_critical_difference():
    # The example of Demsar (2006): four classifiers on fourteen data sets have a critical difference of 1.25.
    table = np.random.default_rng(0).random((14, 4)) + np.arange(0, 20, 5)
    ranks, critical, p = analysis.mean_ranks(table)
    assert ranks.tolist() == [4, 3, 2, 1]
    assert critical == pytest.approx(1.25, abs=0.01)
    assert p < 1e-5


def test_shares_of_variance_sum_to_one(rng):
    losses, models, seeds = rng.normal(0, 3, (5, 1, 1)), rng.normal(0, 1, (1, 2, 1)), np.zeros((1, 1, 3))
    shares = analysis.variance_shares(losses + models + seeds, ("loss", "model", "seed"))
    assert shares["together"] == pytest.approx(0, abs=1e-12) and shares["seed"] == pytest.approx(0, abs=1e-12)
    assert shares["loss"] == pytest.approx(np.var(losses) / (np.var(losses) + np.var(models)))
    noisy = analysis.variance_shares(losses * models + seeds, ("loss", "model", "seed"))
    assert noisy["together"] > 0 and sum(noisy.values()) == pytest.approx(1)
    # What seeds do to one loss and not to the others is chance, too.
    chance = analysis.variance_shares(losses + rng.normal(0, 1, (5, 1, 3)) + models, ("loss", "model", "seed"))
    assert chance["seed"] > 0.05 and chance["together"] == pytest.approx(0, abs=1e-12)
    assert sum(chance.values()) == pytest.approx(1)
    assert set(analysis.variance_shares(np.ones((2, 3)), ("a", "b")).values()) == {0.0}
