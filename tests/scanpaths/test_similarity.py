"""Similarities of scanpaths: worked values, slow versions from the definitions, laws."""

import functools

import numpy as np
import pytest

from keras_saliency.formulas.scanpath_similarity import (
    MULTIMATCH,
    multimatch,
    scanmatch,
    sequence_score,
    similarities,
    string_edit_distance,
    time_delay_embedding,
)
from keras_saliency.scanpaths.divergences import AMPLITUDES, pooled_divergence, saccade_counts

SIZE = (600, 800)
ONE = np.array([(100, 100, 0.2), (300, 150, 0.3), (250, 400, 0.1), (600, 420, 0.25)])
OTHER = np.array([(110, 90, 0.25), (320, 160, 0.2), (580, 400, 0.3)])


def random_path(rng, length):
    return np.stack([rng.uniform(0, 800, length), rng.uniform(0, 600, length), rng.uniform(0.1, 0.5, length)], 1)


def in_cells(numbers):
    """Fixations in the middle of cells of a grid of 8 columns and 6 rows."""
    return np.array([(number % 8 * 100 + 50, number // 8 * 100 + 50) for number in numbers], "float64")


def test_multimatch_of_a_worked_example():
    found = multimatch(ONE, OTHER, SIZE)
    assert list(found) == ["shape", "direction", "length", "position", "duration"]
    np.testing.assert_allclose([*found.values()], [0.881151, 0.780895, 0.984796, 0.977639, 0.666667], atol=1e-6)


def test_multimatch_takes_the_cheapest_of_all_ways(rng):
    for _ in range(20):
        one, other = random_path(rng, rng.integers(3, 7)), random_path(rng, rng.integers(3, 7))
        u, v = (np.diff(path[:, :2], axis=0) for path in (one, other))

        def ways(i, j):
            if i < 0 or j < 0:
                return []
            if i == j == 0:
                return [[(0, 0)]]
            return [[*way, (i, j)] for before in ((i - 1, j - 1), (i - 1, j), (i, j - 1)) for way in ways(*before)]

        every = ways(len(u) - 1, len(v) - 1)
        best = min(every, key=lambda way: sum(np.linalg.norm(u[i] - v[j]) for i, j in way[1:]))
        shape = 1 - np.median([np.linalg.norm(u[i] - v[j]) for i, j in best]) / (2 * 1000)
        assert multimatch(one, other, SIZE)["shape"] == pytest.approx(shape)


def test_short_scanpaths_have_no_multimatch():
    assert all(np.isnan(value) for value in multimatch(ONE[:2], OTHER, SIZE).values())


def test_scanmatch_of_worked_examples():
    match = functools.partial(scanmatch, size=SIZE, bins=(8, 6))
    assert match(in_cells([0, 9, 18]), in_cells([0, 9, 18])) == 1
    assert match(in_cells([0, 9, 18]), in_cells([0, 10, 18, 47])) == pytest.approx(0.678571, abs=1e-6)
    assert match(in_cells([0]), in_cells([47])) == 0


def test_scanmatch_counts_fixations_by_their_time():
    long, short = np.array([(50, 50, 0.2)]), np.array([(50, 50, 0.1)])
    assert scanmatch(long, short, SIZE) == 1
    assert scanmatch(long, short, SIZE, seconds=0.05) == 0.5
    assert np.isnan(scanmatch(long, np.array([(50, 50, 0.01)]), SIZE, seconds=0.05))


def test_sequence_score_of_worked_examples():
    assert sequence_score("ABCD", "ABD") == 0.75 and sequence_score("ABCD", "DCBA") == 0.25
    with pytest.raises(ValueError, match="at least one label"):
        sequence_score("", "")


def levenshtein(one, other):
    """By its recursion."""
    if not one or not other:
        return len(one) + len(other)
    rest = levenshtein(one[1:], other[1:]) + (one[0] != other[0])
    return min(rest, levenshtein(one[1:], other) + 1, levenshtein(one, other[1:]) + 1)


def common(one, other):
    """The length of the longest sequence that both have, by its recursion."""
    if not one or not other:
        return 0
    if one[0] == other[0]:
        return 1 + common(one[1:], other[1:])
    return max(common(one[1:], other), common(one, other[1:]))


def test_alignments_are_the_best_of_all(rng):
    for _ in range(30):
        one, other = (rng.integers(0, 4, rng.integers(1, 7)).tolist() for _ in range(2))
        places = [np.array([(160 * cell + 5, 5) for cell in path], "float64") for path in (one, other)]
        assert string_edit_distance(*places, SIZE) == levenshtein(one, other)
        assert sequence_score(one, other) == common(one, other) / max(len(one), len(other))


def test_time_delay_embedding_by_its_definition(rng):
    one, other = random_path(rng, 4), random_path(rng, 3)
    expected = []
    for k in (1, 2, 3):
        nearest = []
        for i in range(4 - k + 1):
            pieces = [
                np.mean([np.linalg.norm(one[i + t, :2] - other[j + t, :2]) / 800 for t in range(k)])
                for j in range(3 - k + 1)
            ]
            nearest.append(min(pieces))
        expected.append(np.exp(-np.mean(nearest)))
    assert time_delay_embedding(one, other, SIZE) == pytest.approx(np.mean(expected))


def test_equal_scanpaths_are_most_alike(rng):
    path = random_path(rng, 6)
    found = similarities(path, path, SIZE)
    assert found.pop("string_edit_distance") == 0
    np.testing.assert_allclose([*found.values()], 1)
    assert {f"multimatch_{name}" for name in MULTIMATCH} < {*found}


def test_without_durations_what_compares_them_is_not_defined(rng):
    one, other = random_path(rng, 5), random_path(rng, 5)
    one[2, 2] = np.nan
    found = similarities(one, other, SIZE)
    assert {name for name, value in found.items() if np.isnan(value)} == {"multimatch_duration", "scanmatch_duration"}


@pytest.mark.parametrize(
    ("path", "message"),
    [
        (np.empty((0, 2)), "one fixation at least"),
        (np.zeros((3, 4)), "one fixation at least"),
        (np.array([(1.0, np.nan)]), "NaN"),
    ],
)
def test_what_is_no_scanpath_is_refused(path, message):
    for compare in (scanmatch, string_edit_distance, time_delay_embedding):
        with pytest.raises(ValueError, match=message):
            compare(path, ONE, SIZE)


def test_durations_that_are_needed_are_asked_for():
    with pytest.raises(ValueError, match="durations"):
        multimatch(ONE[:, :2], OTHER, SIZE)


def test_counts_of_saccades():
    # To the right by 0.4 of the longer side, none, up by 0.3, down by 0.005, back to the left by 0.9.
    x, y = np.array([5, 45, 45, 45, 45, -45.0]), np.array([40, 40, 40, 10, 10.5, 10.5])
    amplitudes, directions = saccade_counts([np.stack([x, y], 1), np.zeros((1, 3))], (80, 100))
    edges = np.array([0, *AMPLITUDES, np.inf])
    expected = np.histogram([0.4, 0, 0.3, 0.005, 0.9], edges)[0]
    np.testing.assert_array_equal(amplitudes, expected)
    np.testing.assert_array_equal(np.flatnonzero(directions), [0, 4, 8, 12])
    assert directions.sum() == 4 and amplitudes[0] == 2


def test_divergences_by_their_definition(rng):
    one, other = rng.integers(1, 9, (2, 5, 4))
    p, q = (counts.sum(0) / counts.sum() for counts in (one, other))
    middle = (p + q) / 2
    expected = np.sum(p * np.log2(p / middle) + q * np.log2(q / middle)) / 2
    found = pooled_divergence(one, other)
    assert found["mean"] == pytest.approx(expected) and found["low"] < expected < found["high"] < 1
    assert pooled_divergence(one, one)["mean"] == pytest.approx(0, abs=1e-9)
    apart = pooled_divergence(np.eye(4)[[0, 1]], np.eye(4)[[2, 3]])
    assert apart["mean"] == apart["low"] == pytest.approx(1)
    assert pooled_divergence(one, 0 * other)["mean"] is None
