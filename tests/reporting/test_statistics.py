import re

import numpy as np
import pytest

from keras_saliency.reporting.statistics import compare, interval, ratio


def test_the_interval_is_that_of_the_mean(rng):
    values = rng.normal(3, 2, 400)
    found = interval(values)
    assert found["mean"] == pytest.approx(values.mean())
    half = 1.96 * values.std() / 20
    assert found["high"] - found["low"] == pytest.approx(2 * half, rel=0.1)
    assert interval([1.0]) == {"mean": 1.0, "low": None, "high": None}
    assert interval([1.0, np.nan])["mean"] is None


def test_a_ratio_is_told_where_its_denominator_is_clearly_above_zero(rng):
    values = rng.normal(3, 2, 400)
    found = ratio(values + rng.normal(0, 1, 400), 2 * values, "the whole")
    assert found["low"] < 0.5 < found["high"] and found["high"] - found["low"] < 0.1
    assert ratio(2 * values, values, "the whole") == pytest.approx({"mean": 2, "low": 2, "high": 2})
    for over, reason in (
        (values - 3, r"the whole is not clearly above zero: -?0\.\d{3} \[-0\.\d{3}, 0\.\d{3}\]"),
        (-values, r"the whole is not clearly above zero: -[23]\.\d{3} \[.*\]"),
        (0 * values, r"the whole is not clearly above zero: 0\.000 \[0\.000, 0\.000\]"),
        (values[:1], "the whole has no interval: there is one image alone"),
        (np.where(values > 0, values, np.nan), r"the whole is not defined for \d+ of 400 images"),
    ):
        found = ratio(values[: len(over)], over, "the whole")
        assert [found[name] for name in ("mean", "low", "high")] == [None] * 3
        assert re.fullmatch(reason, found["reason"]), found


def test_paired_differences_are_found_where_means_alone_would_hide_them(rng):
    difficulty = rng.normal(0, 3, 60)
    rows = {
        "one": [{"nss": d + e, "kld": -d} for d, e in zip(difficulty, rng.normal(0.3, 0.3, 60), strict=True)],
        "two": [{"nss": d, "kld": -d} for d in difficulty],
        "noise": [{"nss": d + e, "kld": np.nan} for d, e in zip(difficulty, rng.normal(0, 0.3, 60), strict=True)],
    }
    found = compare(rows, "one", "two")
    assert found["nss"]["significant"] and found["nss"]["p"] < 0.001
    assert 0 < found["nss"]["low"] < found["nss"]["mean"] < found["nss"]["high"]
    assert found["nss"]["mean"] == pytest.approx(0.3, abs=0.12)
    assert not found["kld"]["significant"] and found["kld"]["mean"] == 0
    against_noise = compare(rows, "noise", "two")
    assert set(against_noise) == {"nss"} and not against_noise["nss"]["significant"]


def test_one_in_twenty_equal_pairs_seems_different(rng):
    found = 0
    for _ in range(60):
        values = rng.normal(0, 1, 20)
        rows = {"a": [{"nss": v} for v in values], "b": [{"nss": 0.0} for _ in values]}
        found += compare(rows, "a", "b")["nss"]["significant"]
    assert found <= 9
