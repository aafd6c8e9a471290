"""The models of Itti, Koch & Niebur, of Harel, Koch & Perona, and of Hou, Harel & Koch."""

import cv2
import numpy as np
import pytest

from keras_saliency.baselines.features import check_image, lab, opponents, pyramid, to_saliency
from keras_saliency.baselines.gbvs import equilibrium, gbvs
from keras_saliency.baselines.itti import conspicuities, itti, promote
from keras_saliency.baselines.signature import image_signature

MODELS = (itti, gbvs, image_signature)
SIZES = ((61, 83), (240, 320), (16, 16), (83, 20), (1, 1))
CELL, ROWS, COLUMNS = 64, 7, 10  # whole pixels of the map of `itti`, so that it samples all bars alike

models = pytest.mark.parametrize("model", MODELS)


def scene(size, seed=0):
    """Smooth coloured noise with a few rectangles, uint8."""
    rng = np.random.default_rng(seed)
    image = cv2.resize(rng.uniform(0, 255, (5, 7, 3)), size[::-1], interpolation=cv2.INTER_LINEAR)
    for colour in rng.uniform(0, 255, (4, 3)):
        corner = rng.uniform(0, 0.8, 2) * size
        (top, left), (bottom, right) = np.int64(corner), np.int64(corner + 0.15 * np.array(size)) + 1
        image[top:bottom, left:right] = colour
    return image.astype("uint8")


def bars(odd, feature):
    """A grid of upright blue bars on grey, the odd one red or lying, and the cell of the odd one as a mask."""
    image = np.full((ROWS * CELL, COLUMNS * CELL, 3), 120, "uint8")
    for row in range(ROWS):
        for column in range(COLUMNS):
            differs = (row, column) == odd
            lies, red = differs and feature == "orientation", differs and feature == "colour"
            centre = ((column + 0.5) * CELL, (row + 0.5) * CELL)
            corners = cv2.boxPoints((centre, (28, 8), 0 if lies else 90))
            cv2.fillConvexPoly(image, np.int32(np.round(corners)), (210, 60, 60) if red else (60, 60, 210), cv2.LINE_AA)
    inside = np.zeros(image.shape[:2], bool)
    inside[odd[0] * CELL : (odd[0] + 1) * CELL, odd[1] * CELL : (odd[1] + 1) * CELL] = True
    return image, inside


@models
@pytest.mark.parametrize("size", SIZES)
def test_a_map_has_the_size_of_the_image_and_a_peak_of_one(model, size):
    image = scene(size)
    saliency = model(image)
    assert saliency.shape == size
    assert saliency.dtype == np.float64
    assert np.isfinite(saliency).all()
    assert saliency.min() >= 0
    assert saliency.max() == (1 if min(size) > 1 else 0)
    np.testing.assert_array_equal(saliency, model(image.copy()))


@models
@pytest.mark.parametrize("colour", [(0, 0, 0), (255, 255, 255), (128, 128, 128), (200, 30, 90)])
def test_a_constant_image_gives_zeros(model, colour):
    saliency = model(np.full((75, 101, 3), colour, "uint8"))
    np.testing.assert_array_equal(saliency, np.zeros((75, 101)))


@models
def test_a_grey_image_has_a_map(model):
    image = np.repeat(scene((90, 120))[..., :1], 3, 2)
    saliency = model(image)
    assert saliency.max() == 1
    assert saliency.std() > 0.01


@models
@pytest.mark.parametrize(
    ("image", "message"),
    [
        (np.zeros((20, 20), "uint8"), r"shape \(20, 20\).*repeat the channel"),
        (np.zeros((20, 20, 4), "uint8"), r"shape \(20, 20, 4\)"),
        (np.zeros((2, 20, 20, 3), "uint8"), r"shape \(2, 20, 20, 3\)"),
        (np.zeros((0, 20, 3), "uint8"), r"shape \(0, 20, 3\)"),
        (np.zeros((20, 20, 3)), "type float64, not uint8.*convert"),
    ],
)
def test_another_shape_or_type_is_an_error(model, image, message):
    with pytest.raises(ValueError, match=message):
        model(image)


@models
@pytest.mark.parametrize("feature", ["colour", "orientation"])
@pytest.mark.parametrize("odd", [(2, 3), (4, 6)])
def test_the_odd_bar_is_the_maximum(model, feature, odd):
    image, inside = bars(odd, feature)
    saliency = model(image)
    assert inside[np.unravel_index(saliency.argmax(), saliency.shape)]


@models
@pytest.mark.parametrize("size", [(61, 83), (240, 320)])
@pytest.mark.parametrize("axis", [0, 1])
def test_the_map_of_the_mirrored_image_is_the_mirrored_map(model, size, axis):
    image = scene(size, seed=1)
    # OpenCV keeps the weights of its interpolation in single precision.
    np.testing.assert_allclose(model(np.flip(image, axis)), np.flip(model(image), axis), atol=1e-4)


def test_promotion_favours_one_peak_over_many():
    y, x = np.mgrid[:40, :50]

    def peaks(*centres):
        return sum(np.exp(-((y - row) ** 2 + (x - column) ** 2) / 8) for row, column in centres)

    many = [(row, column) for row in (8, 20, 32) for column in (8, 24, 40)]
    np.testing.assert_allclose(promote(3 * peaks((20, 24))), peaks((20, 24)))
    assert promote(peaks(*many)).max() < 1e-6
    # Two peaks, of one and of a half: the lead over the mean of the others is a half.
    assert promote(peaks((8, 8)) + peaks((32, 40)) / 2).max() == pytest.approx(0.25, rel=1e-6)
    np.testing.assert_array_equal(promote(np.zeros((4, 4))), np.zeros((4, 4)))


@pytest.mark.parametrize(("feature", "answering"), [("colour", 1), ("orientation", 2)])
def test_the_conspicuity_of_its_feature_has_its_peak_at_the_odd_bar(feature, answering):
    image, inside = bars((3, 6), feature)
    maps = conspicuities(check_image(image))
    assert {plane.shape for plane in maps} == {(28, 40)}  # 448x640 over 16
    resized = cv2.resize(maps[answering], image.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    assert inside[np.unravel_index(resized.argmax(), inside.shape)]
    expected = to_saliency(np.mean([promote(plane) for plane in maps], 0), image.shape[:2])
    np.testing.assert_array_equal(itti(image), expected)


def stationary(weights):
    """The eigenvector of eigenvalue one of the chain whose steps are proportional to the weights."""
    values, vectors = np.linalg.eig((weights / weights.sum(1, keepdims=True)).T)
    vector = vectors[:, np.isclose(values, 1)].real
    assert vector.shape[1] == 1
    return vector[:, 0] / vector.sum()


def test_the_equilibrium_is_the_eigenvector():
    feature, place = np.array([0.0, 1.0, 3.0, 3.5]), np.arange(4)
    near = np.exp(-(np.subtract.outer(place, place) ** 2) / 8)
    differences = np.abs(np.subtract.outer(feature, feature)) * near
    np.testing.assert_allclose(equilibrium(differences), stationary(differences), rtol=1e-10)
    # The second walk of the paper weighs a step by where it leads, which is not symmetric.
    active = equilibrium(differences)
    np.testing.assert_allclose(equilibrium(np.outer(active, active) * near), stationary(near * active), rtol=1e-10)


def test_graph_based_saliency_favours_the_centre():
    noise = np.random.default_rng(0).integers(0, 256, (120, 160, 3)).astype("uint8")
    saliency = gbvs(noise)
    edge = np.ones(saliency.shape, bool)
    edge[10:-10, 10:-10] = False
    assert saliency[edge].mean() < 0.6 * saliency[~edge].mean()


def test_the_signature_finds_a_sparse_foreground_on_a_background_of_few_cosines():
    y, x = (np.arange(side) + 0.5 for side in (48, 64))
    waves = np.cos(np.pi * 5 * y / 48)[:, None] + np.cos(np.pi * 8 * x / 64)[None]
    image = np.repeat(128 + 40 * waves[..., None], 3, 2)
    plain = image.copy()
    image[30:34, 44:49] += 8  # far fainter than the waves
    saliency = image_signature(image.round().astype("uint8"), space="rgb", blur=0.02)
    row, column = np.unravel_index(saliency.argmax(), saliency.shape)
    assert 29 <= row <= 34
    assert 43 <= column <= 49
    assert np.abs(plain - image).max() < waves.std() * 40


def test_the_signature_names_an_unknown_space():
    with pytest.raises(ValueError, match="'hsv' is unknown.*lab, rgb"):
        image_signature(scene((20, 20)), space="hsv")


def test_lab_of_known_colours():
    colours = np.array([[[1, 1, 1], [0, 0, 0], [1, 0, 0], [0, 0, 1]]], "float64")
    expected = [[[100, 0, 0], [0, 0, 0], [53.24, 80.09, 67.20], [32.30, 79.19, -107.86]]]
    np.testing.assert_allclose(lab(colours), expected, atol=0.05)


def test_opponent_colours_of_pure_ones():
    image = np.array([[[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 0], [0.5, 0.5, 0.5], [0.02, 0, 0]]], "float64")
    intensity, red_green, blue_yellow = opponents(image)
    np.testing.assert_allclose(intensity, image.mean(2))
    np.testing.assert_allclose(red_green, [[3, -3, 0, 0, 0, 0]])
    np.testing.assert_allclose(blue_yellow, [[0, 0, 3, -1.5, 0, 0]])


def test_a_pyramid_halves_and_keeps_the_mean():
    image = np.random.default_rng(0).random((32, 48))
    levels = pyramid(image, 7)
    assert [level.shape for level in levels] == [(32, 48), (16, 24), (8, 12), (4, 6), (2, 3), (1, 2), (1, 1)]
    assert levels[3].mean() == pytest.approx(image.mean(), abs=0.02)


def test_the_check_of_the_image_and_the_last_step():
    image = scene((5, 7))
    np.testing.assert_array_equal(check_image(image), image / 255)
    np.testing.assert_array_equal(to_saliency([[-1.0, 0.0, 2.0, 4.0]], (1, 4)), [[0, 0, 0.5, 1]])
    for constant in (np.zeros((3, 4)), np.full((3, 4), -2.0), np.full((3, 4), 0.7)):
        np.testing.assert_array_equal(to_saliency(constant, (6, 9)), np.zeros((6, 9)))
