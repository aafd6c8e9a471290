"""The web pages of eyevis, of which there are real ones: written down here is what `gaze.csv` holds."""

import collections

import numpy as np
import pytest
from conftest import data_folder, real_data
from test_published import ARCHIVES, all_samples, load


def pages(samples):
    return {sample.name.removeprefix("img_s3_").removesuffix(".jpg") for sample in samples}


def sites(samples):
    return {page.rpartition("_")[0] for page in pages(samples)}


def test_all_fixations_are_read_and_those_off_the_page_counted():
    data = real_data("eyevis")
    samples = all_samples(data)
    assert [len(data.train), len(data.validation), len(data.test)] == [16, 6, 12]
    assert sum(len(sample.fixations) for sample in samples) == 18_446 - 728
    assert sum(sample.fixations.left_out for sample in samples) == 728
    assert len(data.skipped) == 30 and all("are outside the image" in line for line in data.skipped)
    assert len({observer for sample in samples for observer in sample.fixations.observer}) == 20
    assert data.facts.licence.startswith("MIT, which does not cover the pages")


def test_the_first_fixations_of_a_page_are_those_of_the_file():
    (page,) = (sample for sample in real_data("eyevis").test if sample.name == "img_s3_hawking1_1.jpg")
    rows = page.fixations[page.fixations.observer == np.unique(page.fixations.observer)[0]]
    assert page.size == (1403, 1918)
    lines = [line.split(";") for line in (data_folder("eyevis") / "gaze.csv").read_text().splitlines()[1:]]
    first = min({line[4] for line in lines if line[3] == "s3_hawking1_1"}, key=int)
    seen = sorted((int(line[5]), *map(int, line[6:])) for line in lines if line[3:5] == ["s3_hawking1_1", first])
    inside = [row for row in seen if 0 <= row[1] < 1918 and 0 <= row[2] < 1403]
    for i, (time, x, y, duration) in enumerate(inside[:3]):
        assert (rows.x[i], rows.y[i]) == (x + 0.5, y + 0.5)
        np.testing.assert_allclose([rows.time[i], rows.duration[i]], [time / 1000, duration / 1000])


def test_pages_of_a_site_are_in_training_or_in_validation():
    data = real_data("eyevis")
    order = sorted(pages(all_samples(data)))
    assert sorted(pages(data.test)) == order[::3]
    assert not sites(data.train) & sites(data.validation)
    assert {sample.group for sample in data.validation if "tesla" in sample.name} == {"1528937141"}
    assert sites(data.test) & (sites(data.train) | sites(data.validation)) == {
        *("apple", "microsoft", "roh", "suzcol", "tesla", "vienna", "yale"),
    }


def test_the_blur_is_as_wide_on_long_pages_as_on_short_ones():
    data = real_data("eyevis")
    heights = [sample.size[0] for sample in all_samples(data)]
    assert (min(heights), max(heights)) == (968, 20_168)
    assert [sample.sigma for sample in all_samples(data)] == pytest.approx([67.13] * 34)
    images, targets = next(iter(data.test[:2].pipeline((60, 80))))
    assert images.shape == (2, 60, 80, 3)
    np.testing.assert_array_equal(np.sum(targets[..., 1], (1, 2)), [len(sample.fixations) for sample in data.test[:2]])


def test_a_duration_of_minus_one_is_not_known(tmp_path):
    ARCHIVES["eyevis"].write(tmp_path)
    durations = collections.Counter(
        duration for sample in all_samples(load("eyevis", tmp_path)) for duration in sample.fixations.duration.tolist()
    )
    assert durations.pop(0.8) == 6 and all(np.isnan(value) for value in durations)
