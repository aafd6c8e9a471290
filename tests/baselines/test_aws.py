"""The laws of adaptive whitening; the contract of all classical models is in test_classical_b.py."""

import cv2
import numpy as np
import pytest

from keras_saliency.baselines.aws import aws, conspicuity, distances, log_gabors, scales, whitened
from keras_saliency.baselines.features import check_image, lab

GREY, BLACK, RED, GREEN = (128, 128, 128), (0, 0, 0), (200, 60, 60), (60, 150, 60)
CELL = 50


def scene(size, seed=0):
    """Discs of random size and colour that cover each other, a little out of focus."""
    generator = np.random.default_rng(seed)
    image = np.full((*size, 3), 128, np.uint8)
    for _ in range(100):
        centre = tuple(int(generator.integers(0, side)) for side in size[::-1])
        colour = generator.integers(0, 256, 3).tolist()
        cv2.circle(image, centre, int(4 / generator.uniform(0.1, 1)), colour, -1)
    return cv2.GaussianBlur(image, (0, 0), 1)


def planes(size, seed=0):
    return np.moveaxis(lab(check_image(scene(size, seed))), 2, 0)


def bars(odd, feature, background=GREY):
    """Upright red bars in cells of 50 pixels, the odd one green or lying."""
    image = np.full((4 * CELL, 6 * CELL, 3), background, np.uint8)
    for row in range(4):
        for column in range(6):
            differs = (row, column) == odd
            half = (10, 3) if differs and feature == "orientation" else (3, 10)
            centre = (CELL * column + CELL // 2, CELL * row + CELL // 2)
            corners = np.array([np.subtract(centre, half), np.add(centre, half)]).tolist()
            cv2.rectangle(image, *corners, GREEN if differs and feature == "colour" else RED, -1)
    return image


@pytest.mark.parametrize("size", [(72, 96), (90, 61)])
def test_the_mean_squared_distance_is_the_number_of_scales(size):
    components = whitened(planes(size))
    assert len(components) == 3
    for component in components:
        found = distances(component)
        assert len(found) == 4
        for distance in found:
            assert distance.shape == size and distance.min() >= 0
            assert distance.mean() == pytest.approx(scales(size), rel=1e-9)


def test_whitened_planes_are_uncorrelated_and_of_unit_variance():
    found = whitened(planes((61, 83)))
    np.testing.assert_allclose(np.cov(found.reshape(3, -1), bias=True), np.eye(3), atol=1e-9)
    np.testing.assert_allclose(found.mean((1, 2)), 0, atol=1e-9)


def test_what_has_no_variance_of_its_own_is_left_out():
    first, second = np.random.default_rng(0).normal(size=(2, 30, 40))
    found = whitened(np.stack([first, np.full((30, 40), 7.0), second, first - 3 * second + 5, 1e-9 * second]))
    assert len(found) == 2
    assert np.sum(found**2, 0).mean() == pytest.approx(2)
    assert whitened(np.full((3, 30, 40), 0.1)).shape == (0, 30, 40)


def test_a_grey_image_has_one_component():
    grey = np.repeat(scene((61, 83))[..., :1], 3, 2)
    colours = np.moveaxis(lab(check_image(grey)), 2, 0)
    assert len(whitened(colours)) == 1
    np.testing.assert_array_equal(conspicuity(colours, 2), conspicuity(colours * [[[1]], [[0]], [[0]]], 2))


@pytest.mark.parametrize("gains", [(3, 1, 1), (1, 0.02, -50), (-0.1, 7, 0.3)])
def test_gain_and_offset_of_a_plane_change_nothing(gains):
    colours = planes((61, 83))
    changed = colours * np.reshape(gains, (3, 1, 1)) + np.reshape((-20, 3, 100), (3, 1, 1))
    np.testing.assert_allclose(conspicuity(changed, 2), conspicuity(colours, 2), rtol=1e-3)


@pytest.mark.parametrize("size", [(80, 80), (60, 90), (61, 83)])
def test_the_map_of_a_turned_image_is_the_turned_map(size):
    image = scene(size)
    turned = aws(np.ascontiguousarray(np.rot90(image)), longer_side=120)
    np.testing.assert_allclose(turned, np.rot90(aws(image, longer_side=120)), atol=1e-3)


@pytest.mark.parametrize("odd", [(0, 0), (2, 4)])
@pytest.mark.parametrize("feature", ["orientation", "colour"])
@pytest.mark.parametrize("background", [GREY, BLACK])
def test_the_odd_bar_is_the_maximum(odd, feature, background):
    saliency = aws(bars(odd, feature, background))
    peak = np.unravel_index(saliency.argmax(), saliency.shape)
    assert tuple(np.array(peak) // CELL) == odd


def test_no_place_is_favoured():
    noise = np.random.default_rng(0).integers(0, 256, (100, 140, 3)).astype("uint8")
    saliency = aws(noise, longer_side=140)
    edge = np.ones(saliency.shape, bool)
    edge[12:-12, 12:-12] = False
    assert saliency[edge].mean() == pytest.approx(saliency[~edge].mean(), rel=0.15)


@pytest.mark.parametrize("size", [(1, 1), (2, 2), (1, 64), (64, 1), (3, 200)])
def test_an_image_of_few_pixels_has_a_map(size):
    image = np.random.default_rng(1).integers(0, 256, (*size, 3)).astype("uint8")
    saliency = aws(image, longer_side=100)
    assert saliency.shape == size and np.isfinite(saliency).all() and saliency.min() >= 0
    assert saliency.max() == (size != (1, 1))
    np.testing.assert_array_equal(aws(np.full((*size, 3), 99, np.uint8)), np.zeros(size))


def test_scales_fit_into_the_image():
    assert [scales((side, 400)) for side in (1, 6, 7, 13, 300)] == [1, 1, 1, 2, 6]
    assert scales((3000, 4000)) == 8


def test_filters_prefer_a_wavelength_and_an_orientation_and_see_no_phase_and_no_constant():
    size = (96, 96)
    radial, angular = log_gabors(size, 4)
    x = np.arange(96)[None] + np.zeros((96, 1))
    for scale, wavelength in enumerate((3, 6, 12, 24)):
        spectrum = np.fft.fft2(np.cos(2 * np.pi * x / wavelength))
        energy = np.array([[np.abs(np.fft.ifft2(spectrum * r * lobe)) for lobe in angular] for r in radial])
        assert np.unravel_index(energy.mean((2, 3)).argmax(), (4, 4)) == (scale, 0)
        np.testing.assert_allclose(energy[scale, 0], 0.5, rtol=1e-3)
    assert all(r[0, 0] == 0 for r in radial)
