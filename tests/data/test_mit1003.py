import numpy as np
import pytest
from archives import mit1003

import keras_saliency as ks
from keras_saliency.data import splits
from keras_saliency.data.published.judd import find_fixations


def find_fixations_slowly(samples):
    """The same as `find_fixations`, sample after sample."""
    count = len(samples)
    moved = [0.0, *(float(np.linalg.norm(samples[i] - samples[i - 1])) for i in range(1, count))]
    smooth = [sum(moved[max(0, i - 3) : i + 1]) / 4 for i in range(count)]
    velocity = [sum(smooth[i : i + 5]) * 240 / 4 for i in range(count - 4)]
    rise = [velocity[i + 1] - velocity[i] if 1 <= i < count - 5 else 0.0 for i in range(count)]
    tops, begin = [], None
    for i in range(count):
        if rise[i] > 204:
            begin = i if begin is None else begin
        elif begin is not None:
            tops += [(begin, i - 1)] if i - begin >= 3 else []
            begin = None
    saccades = []
    for begin, top in tops:
        for end in range(top + 1, min(top + 26, count - 1)):
            if rise[end] < -204 and not rise[end + 1] < -204:
                if saccades and begin - saccades[-1][1] <= 12:
                    saccades[-1][1] = end
                else:
                    saccades.append([begin, end])
                break
    if len(tops) == 1 and not saccades and not any(rise[tops[0][1] + 1 :]):
        saccades = [[tops[0][0], count - 1]]
    if saccades and count - 1 - saccades[-1][1] <= 12:
        saccades[-1][1] = count - 1
    found, start = [], 0
    for begin, end in [*saccades, (count, count)]:
        if start < begin:
            part = samples[start:begin]
            found.append((*np.nanmedian(part, 0), start / 240, len(part) / 240))
        start = end + 1
    return np.array(found).reshape(-1, 4)


def trace(rng, count):
    """Samples of an eye that rests, with some noise, and moves at once or in steps."""
    samples, place = np.empty((0, 2)), rng.uniform(0, 700, 2)
    while len(samples) < count:
        rest = place + rng.normal(0, rng.choice([0.3, 1, 3]), (rng.integers(1, 90), 2))
        to, steps = rng.uniform(0, 700, 2), rng.integers(1, 14)
        way = place + (to - place) * np.linspace(0, 1, steps + 1)[1:-1, None]
        samples, place = np.concatenate([samples, rest, way]), to
    return samples[:count]


def test_the_fixations_of_recordings_are_those_of_a_slow_reference(rng):
    kinds = set()
    for _ in range(300):
        samples = trace(rng, int(rng.choice([rng.integers(1, 40), rng.integers(40, 500)])))
        expected = find_fixations_slowly(samples)
        np.testing.assert_allclose(find_fixations(samples), expected, rtol=0, atol=1e-9)
        kinds.add((len(expected), bool(expected[-1, 2] + expected[-1, 3] < len(samples) / 240)))
    assert {(1, False), (1, True), (2, False), (2, True), (5, False), (5, True)} <= kinds


def test_a_recording_made_by_hand():
    # At rest for 40 samples, as long for two more, and in between for a moment that is no fixation.
    samples = np.repeat([(100.0, 50.0), (300.0, 50.0), (300.0, 200.0), (310.0, 200.0)], [40, 40, 8, 40], 0)
    samples[5] = np.nan
    found = find_fixations(samples)
    np.testing.assert_array_equal(found[:, :2], [(100, 50), (300, 50), (310, 200)])
    # The jump is in sample 40. Its mean over four samples is felt five samples before, and slowing ends as it passes.
    np.testing.assert_allclose(found[:2, 2:] * 240, [(0, 35), (44, 31)])
    assert find_fixations(np.empty((0, 2))).shape == (0, 4)
    rest = find_fixations(np.full((10, 2), 3.0))
    np.testing.assert_allclose(rest, [(3, 3, 0, 10 / 240)])


def all_samples(data):
    return {sample.name: sample for part in splits.PARTS for sample in getattr(data, part)}


def test_what_becomes_of_the_first_fixation_is_an_option(tmp_path):
    mit1003.write(tmp_path)
    name = "i05june05_static_street_boston_p1010764.jpeg"
    found = {}
    for first in ("keep", "centre"):
        data = ks.data.load("mit1003", tmp_path, first=first)
        fixations = all_samples(data)[name].fixations
        found[first] = [fixations[fixations.observer == observer] for observer in range(2)]
        assert set(all_samples(data)) == {f"{stem}.jpeg" for stem in mit1003.LOOKED}
    for first, of_each in found.items():
        assert of_each[0].x.tolist() == [64, 10.5, 100.5] and of_each[0].time[0] == 0, first
    assert (found["keep"][1].x.tolist(), found["centre"][1].x.tolist()) == ([5.5], [64, 5.5])
    assert found["centre"][1].y.tolist() == [48, 90.5]
    with pytest.raises(ValueError, match=r"Unknown first 'none' of MIT1003. Known: drop, keep, centre\."):
        ks.data.load("mit1003", tmp_path, first="none")


def test_fixation_maps_may_be_read_instead(tmp_path):
    mit1003.write(tmp_path)
    data = ks.data.load("mit1003", tmp_path, source="maps")
    found = {
        name: [pixel[::-1] for pixel in zip(*(axis.tolist() for axis in sample.fixations.pixels()), strict=True)]
        for name, sample in all_samples(data).items()
    }
    assert found == {name: sorted(pixels, key=lambda pixel: pixel[::-1]) for name, pixels in mit1003.EXPECTED.items()}
    assert data.name == "mit1003" and data.pixels_per_degree == 35 and data.test[0].sigma == 35
    assert "fixation maps tell no observers" in data.skipped[0]
