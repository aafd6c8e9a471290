"""What the eye resolves, and the steps of Le Meur et al. 2006; the contract of all models is in test_classical_b.py."""

import dataclasses

import cv2
import numpy as np
import pytest

from keras_saliency.baselines import make_baseline
from keras_saliency.baselines.crowns import (
    Frequencies,
    achromatic_sensitivity,
    chromatic_sensitivity,
    crowns,
    frequencies,
)
from keras_saliency.baselines.features import check_image, linear_light
from keras_saliency.baselines.le_meur import ACHROMATIC, CHROMATIC, conspicuities, facilitated, krauskopf, le_meur


def grating(cycles, angle, size=(96, 96), degree=48.0):
    """A grating of so many cycles a degree whose normal lies at the angle, in [-1, 1]."""
    y, x = np.mgrid[: size[0], : size[1]]
    return np.cos(2 * np.pi * cycles / degree * (x * np.cos(angle) + y * np.sin(angle)))


def spots(size, odd, cell=40, radius=8):
    """Discs a little darker than the ground, the odd one white."""
    image = np.full((*size, 3), 128, np.uint8)
    for y in range(cell // 2, size[0], cell):
        for x in range(cell // 2, size[1], cell):
            cv2.circle(image, (x, y), radius, (255,) * 3 if (y, x) == odd else (118,) * 3, -1)
    return image


@pytest.mark.parametrize(("bands", "count"), [(ACHROMATIC, 17), (CHROMATIC, 5)])
@pytest.mark.parametrize(("size", "degree"), [((60, 80), 60.0), ((61, 83), 24.0), ((1, 1), 3.0), ((1, 64), 40.0)])
def test_the_filters_sum_to_one(bands, count, size, degree):
    found = [mask for mask, _ in crowns(frequencies(size, degree), *bands)]
    assert len(found) == count and min(mask.min() for mask in found) > -1e-6
    np.testing.assert_allclose(np.sum(found, 0), 1, atol=1e-6)


@pytest.mark.parametrize(("cycles", "first", "last"), [(0.5, 0, 1), (3, 1, 5), (9, 5, 11), (20, 11, 17)])
def test_a_grating_is_in_the_band_of_its_frequency_and_orientation(cycles, first, last):
    bands = list(crowns(frequencies((96, 96), 48.0), *ACHROMATIC))
    for turned in (0, np.pi / 2):
        spectrum = np.fft.rfft2(grating(cycles, turned))
        energy = [np.mean(np.fft.irfft2(spectrum * mask) ** 2) for mask, _ in bands]
        expected = np.zeros(17)
        place = first + (last - first) // 2 * (turned > 0)
        expected[place] = 0.5
        np.testing.assert_allclose(energy, expected, atol=1e-3)
        assert bands[place][1] == (None if last == 1 else pytest.approx(turned))


def test_the_eye_sees_middle_frequencies_best_and_oblique_ones_less():
    cycles = np.linspace(0.1, 30, 300)
    straight, oblique = (achromatic_sensitivity(Frequencies(cycles, np.full(300, a))) for a in (np.pi / 2, np.pi / 4))
    assert 2 < cycles[straight.argmax()] < 6 and 100 < straight.max() < 300
    assert max(straight[0], straight[-1]) < 0.2 * straight.max()
    assert (oblique <= straight + 1e-9).all() and oblique[-1] < 0.6 * straight[-1]
    at = Frequencies(np.array([0.0, 5.5, 50.0]), np.zeros(3))
    whole, half, little = chromatic_sensitivity(at, 100.0, 5.5, 1.7)
    assert (whole, half) == (100, 50) and little < 5


def test_greys_have_no_colour_and_the_light_of_an_image_means_nothing(rng):
    light = linear_light(rng.random((20, 30, 3)))
    planes = krauskopf(light)
    np.testing.assert_allclose(planes.mean((1, 2)), 0, atol=1e-12)
    np.testing.assert_allclose(krauskopf(0.1 * light), planes, atol=1e-12)
    grey = krauskopf(light[..., :1].repeat(3, 2))
    assert np.ptp(grey[0]) > 0.1 and np.abs(grey[1:]).max() < 1e-12
    assert not krauskopf(np.zeros((4, 5, 3))).any()
    red_up, blue_up = (krauskopf(np.array([[[0.5] * 3, more]])) for more in ([0.6, 0.5, 0.5], [0.5, 0.5, 0.6]))
    assert red_up[1, 0, 1] > 0 and blue_up[2, 0, 1] > 0


def test_colour_is_salient_by_itself():
    image = np.full((60, 90, 3), 128, np.uint8)
    image[20:30, 40:50] = (170, 100, 120)
    light, colour = conspicuities(check_image(image))
    assert colour[25, 45] > 0.5 * colour.max() and colour[25, 45] > 1.5 * light[25, 45]
    grey = image[..., :1].repeat(3, 2)
    assert conspicuities(check_image(grey))[0].any() and not conspicuities(check_image(grey))[1].any()


def test_what_has_most_contrast_is_the_maximum():
    image = spots((160, 240), odd=(60, 180))
    peak = np.unravel_index(le_meur(image, 20.0).argmax(), image.shape[:2])
    assert np.hypot(peak[0] - 60, peak[1] - 180) < 12


def test_the_middle_of_a_contour_is_facilitated():
    line = np.zeros((41, 61), "float32")
    line[20, 10:51] = 1  # its normal lies at a right angle to the x axis
    along, across = (facilitated(line, angle, 4.0) for angle in (np.pi / 2, 0.0))
    assert 1.2 < along[20, 30] < 2 and along[20, 10] == pytest.approx(1, abs=1e-3)  # at an end one wing is empty
    np.testing.assert_allclose(along, along[:, ::-1], atol=1e-5)
    np.testing.assert_allclose(across, line, atol=1e-3)
    assert not along[line == 0].any()
    np.testing.assert_allclose(facilitated(np.full((9, 9), 3.0, "float32"), 0.3, 4.0), 6, rtol=1e-5)


def test_it_is_the_visual_angle_that_counts():
    image = spots((80, 120), odd=(20, 60))
    larger = cv2.resize(image, (240, 160), interpolation=cv2.INTER_CUBIC)
    found, same, other = le_meur(image, 10.0), le_meur(larger, 20.0), le_meur(larger, 5.0)
    shrunk = (cv2.resize(each, (120, 80), interpolation=cv2.INTER_AREA) for each in (same, other))
    alike, different = (np.corrcoef(found.ravel(), each.ravel())[0, 1] for each in shrunk)
    assert alike > 0.95 and different < alike - 0.05
    # Where nothing is known the longer side has 32 degrees.
    np.testing.assert_array_equal(le_meur(image), le_meur(image, 120 / 32))


def test_a_data_set_tells_its_visual_angle(tiny):
    image = tiny.test[0].read()
    for degree in (None, 9.0):
        found = make_baseline("lemeur", dataclasses.replace(tiny, pixels_per_degree=degree))(image)
        np.testing.assert_array_equal(found, le_meur(image, degree))
    for wrong in (0, -2.0, np.nan, np.inf):
        with pytest.raises(ValueError, match="pixels_per_degree is a number above zero"):
            le_meur(image, wrong)


def test_very_fine_pictures_are_shrunk_to_what_the_eye_resolves():
    image = spots((160, 240), odd=(60, 180))
    found = le_meur(image, 600.0)
    assert found.shape == (160, 240) and found.max() == 1


@pytest.mark.parametrize("size", [(1, 1), (2, 2), (1, 64), (64, 1), (3, 200)])
@pytest.mark.parametrize("degree", [None, 0.5, 200.0])
def test_an_image_of_few_pixels_has_a_map(size, degree, rng):
    saliency = le_meur(rng.integers(0, 256, (*size, 3)).astype("uint8"), degree)
    assert saliency.shape == size and np.isfinite(saliency).all() and saliency.min() >= 0
    np.testing.assert_array_equal(le_meur(np.full((*size, 3), 99, np.uint8), degree), np.zeros(size))
