"""The contract that the later classical models share, and one law each of BMS, AIM and RARE2012."""

import functools

import cv2
import numpy as np
import pytest

from keras_saliency.baselines.aim import AIM, self_information
from keras_saliency.baselines.aws import aws
from keras_saliency.baselines.bms import bms, surrounded
from keras_saliency.baselines.judd import Judd
from keras_saliency.baselines.le_meur import le_meur
from keras_saliency.baselines.rare import decorrelated, fused, rare, rarity

GREY, RED, GREEN = (128, 128, 128), (200, 60, 60), (60, 150, 60)
# The last one compares nothing with the other items of a picture.
MODELS = ["bms", "aim", "rare", "aws", "judd", "lemeur"]
SIZES = [(61, 83), (240, 320), (32, 32)]


def scene(size, seed, saturation=0.3):
    """Discs of random size and colour that cover each other, a little out of focus: the edges of a natural scene."""
    generator = np.random.default_rng(seed)
    image = np.full((*size, 3), 128, np.uint8)
    for _ in range(150):
        centre = tuple(int(generator.integers(0, side)) for side in size[::-1])
        hue, grey = generator.integers(0, 256, 3), generator.integers(0, 256)
        disc(image, centre, int(6 / generator.uniform(0.1, 1)), saturation * hue + (1 - saturation) * grey)
    return cv2.GaussianBlur(image, (0, 0), 2)


def disc(image, centre, radius, colour):
    return cv2.circle(image, centre, radius, [int(value) for value in colour], -1)


def learned(patch=11, components=8, seed=0):
    pytest.importorskip("sklearn")
    return AIM((scene((96, 128), number) for number in range(10)), patch=patch, components=components, seed=seed)


@pytest.fixture(scope="module")
def aim():
    return learned()


@pytest.fixture(scope="module")
def judd(tiny):
    pytest.importorskip("sklearn")
    return Judd(tiny.train)


@pytest.fixture(params=MODELS)
def model(request):
    # A quarter of its pixels are enough for what holds at any size.
    made = {
        "bms": bms,
        "rare": functools.partial(rare, longer_side=200),
        "aws": functools.partial(aws, longer_side=200),
        "lemeur": le_meur,
    }
    return made.get(request.param) or request.getfixturevalue(request.param)


@pytest.mark.parametrize("size", SIZES)
def test_a_map_has_the_size_of_the_image_and_a_peak_of_one(model, size):
    image = scene(size, 1)
    before = image.copy()
    saliency = model(image)
    assert saliency.shape == size and saliency.dtype == np.float64
    assert np.isfinite(saliency).all() and saliency.min() >= 0 and saliency.max() == 1
    assert np.ptp(saliency) > 0.1
    np.testing.assert_array_equal(saliency, model(image))
    np.testing.assert_array_equal(image, before)


@pytest.mark.parametrize("colour", [(0, 0, 0), (255, 255, 255), (37, 150, 201)])
def test_a_constant_image_has_a_constant_map(model, colour):
    saliency = model(np.full((61, 83, 3), colour, np.uint8))
    assert saliency.shape == (61, 83) and np.isfinite(saliency).all()
    if not isinstance(model, Judd):  # whose map is the distance to the centre
        assert np.ptp(saliency) == 0


def test_a_grey_image_has_a_map(model):
    image = np.repeat(scene((61, 83), 2).mean(2, keepdims=True).astype(np.uint8), 3, 2)
    saliency = model(image)
    assert np.isfinite(saliency).all() and saliency.max() == 1 and np.ptp(saliency) > 0.1


@pytest.mark.parametrize("shape", [(64, 64), (64, 64, 1), (64, 64, 4), (1, 64, 64, 3), (0, 64, 3)])
def test_another_shape_raises(model, shape):
    with pytest.raises(ValueError, match="shape"):
        model(np.zeros(shape, np.uint8))


@pytest.mark.parametrize("dtype", ["float32", "int64", "bool"])
def test_another_type_raises(model, dtype):
    with pytest.raises(ValueError, match="type"):
        model(np.zeros((64, 64, 3), dtype))


@pytest.mark.parametrize("odd", [(1, 1), (2, 4)])
@pytest.mark.parametrize("item", ["bar", "disc"])
@pytest.mark.parametrize("model", MODELS[:-1], indirect=True)
def test_the_item_odd_in_colour_pops_out(model, odd, item):
    image = np.full((240, 360, 3), GREY, np.uint8)
    for row in range(4):
        for column in range(6):
            y, x, colour = 30 + 60 * row, 30 + 60 * column, GREEN if (row, column) == odd else RED
            if item == "disc":
                disc(image, (x, y), 10, colour)
            else:
                image[y - 14 : y + 15, x - 4 : x + 5] = colour
    peak = np.unravel_index(model(image).argmax(), image.shape[:2])
    assert np.hypot(peak[0] - 30 - 60 * odd[0], peak[1] - 30 - 60 * odd[1]) < 20


@pytest.mark.parametrize("flip", [np.fliplr, np.flipud])
def test_the_map_of_a_mirrored_image_is_the_mirrored_map(model, flip):
    image = scene((62, 83), 3)
    saliency, mirrored = model(image), flip(model(np.ascontiguousarray(flip(image))))
    # The mirrored basis is not the basis: a learned one is as symmetric as its patches. So are learned weights.
    alike = {AIM: 0.9, Judd: 0.8}.get(type(model))
    if alike:
        assert np.corrcoef(saliency.ravel(), mirrored.ravel())[0, 1] > alike
    else:  # rounding moves a pixel that lies on a threshold, or between bins, to the other side
        np.testing.assert_allclose(saliency, mirrored, atol=0.02)


def test_bms_only_what_is_surrounded_is_salient():
    image = np.full((200, 300, 3), GREY, np.uint8)
    disc(image, (80, 100), 20, RED)
    disc(image, (290, 100), 20, RED)
    saliency = bms(image)
    assert saliency[100, 80] > 0.9 and saliency[100, 290] < 0.01


def test_bms_removes_regions_at_the_border_and_keeps_holes_closed():
    boolean = np.array(
        [[1, 0, 0, 0, 0], [1, 0, 1, 1, 0], [0, 0, 1, 0, 0], [0, 0, 0, 0, 0], [0, 0, 0, 1, 1]], dtype="uint8"
    )
    expected = np.zeros((5, 5))
    expected[1, 2:4] = expected[2, 2] = 1
    np.testing.assert_array_equal(surrounded(boolean), expected)
    np.testing.assert_array_equal(surrounded(1 - boolean), np.zeros((5, 5)))
    ring = np.ones((5, 5), "uint8")
    ring[1:4, 1:4] = 0
    np.testing.assert_array_equal(surrounded(1 - ring), 1 - ring)


def test_bms_sees_a_negative_as_the_image():
    # Of two greys, without resizing: the lightness of a negative in between is not the negative of the lightness.
    image = np.full((100, 150, 3), 60, np.uint8)
    disc(image, (60, 40), 12, (190, 190, 190))
    disc(image, (110, 70), 6, (190, 190, 190))
    np.testing.assert_allclose(bms(image, longer_side=150), bms(255 - image, longer_side=150), atol=1e-12)


def test_bms_prefers_the_smaller_of_two_regions():
    image = np.full((200, 300, 3), GREY, np.uint8)
    disc(image, (90, 100), 30, RED)
    disc(image, (230, 100), 12, GREEN)
    saliency = bms(image)
    assert saliency[100, 230] > saliency[100, 90]


def test_aim_self_information_of_a_histogram_by_hand():
    values = np.array([[0.0, 0.1, 0.2, 0.24], [0.55, 0.6, 0.9, 1.0]])  # of 4 bins: 4, 0, 2 and 2 of 8
    expected = [[-np.log(4 / 8)] * 4, [-np.log(2 / 8)] * 4]
    np.testing.assert_allclose(self_information(values, bins=4), expected)
    np.testing.assert_allclose(self_information(-7 * values + 2, bins=4), expected)
    np.testing.assert_array_equal(self_information(np.full((3, 4), 0.3)), np.zeros((3, 4)))


def test_aim_coefficients_have_unit_variance_and_are_uncorrelated():
    model = learned(patch=7, components=6)
    assert model.basis.shape == (6, 7, 7, 3) and model.basis.dtype == np.float32
    scenes = [scene((96, 128), number) / 255.0 for number in range(10)]
    halves = [cv2.resize(image, (64, 48), interpolation=cv2.INTER_AREA) for image in scenes]
    windows = np.stack([np.lib.stride_tricks.sliding_window_view(half, (7, 7), (0, 1)) for half in halves])
    coefficients = np.tensordot(windows, model.basis, ((3, 4, 5), (3, 1, 2))).reshape(-1, 6)
    np.testing.assert_allclose(np.cov(coefficients.T), np.eye(6), atol=0.2)


def test_aim_learns_the_same_from_the_same_seed(aim):
    np.testing.assert_array_equal(learned().basis, aim.basis)
    assert not np.array_equal(learned(seed=1).basis, aim.basis)


def test_aim_rejects_what_it_cannot_learn_from():
    with pytest.raises(ValueError, match="odd"):
        AIM([scene((96, 128), 0)], patch=10)
    with pytest.raises(ValueError, match="no image"):
        AIM([])
    with pytest.raises(ValueError, match="less than a patch of 21x21"):
        AIM([scene((32, 32), 0)])
    pytest.importorskip("sklearn")
    with pytest.raises(ValueError, match="vary in 0 directions"):
        AIM([np.full((96, 128, 3), 7, np.uint8)], patch=5)
    with pytest.raises(ValueError, match="76 components are asked for"):
        AIM([scene((96, 128), 0)], patch=5, components=76)


def test_aim_rejects_an_image_smaller_than_a_patch(aim):
    with pytest.raises(ValueError, match="20x64 pixels, at half size less than a patch"):
        aim(np.zeros((20, 64, 3), np.uint8))


def test_rare_is_the_rarer_of_two_values():
    # Squares that every scale leaves whole: in their middle the share is that of the squares of one value.
    squares = np.array([[0, 0, 1, 0], [0, 0, 0, 0]], "float64")
    found = rarity(np.kron(squares, np.ones((32, 32))))[16::32, 16::32]
    np.testing.assert_allclose(found, np.where(squares, -np.log(1 / 8), -np.log(7 / 8)))


def test_rare_is_the_rarer_of_two_colours():
    image = np.full((240, 320, 3), GREY, np.uint8)
    for row in range(3):
        for column in range(4):
            disc(image, (40 + 80 * column, 40 + 80 * row), 12, RED if column % 4 else GREEN)
    saliency = rare(image)[40::80, 40::80]
    assert saliency[:, 0].min() > saliency[:, 1:].max()


def test_rare_decorrelates_the_colours():
    channels = decorrelated(scene((61, 83), 4) / 255.0)
    covariance = np.cov(np.reshape(channels, (3, -1)))
    np.testing.assert_allclose(covariance, np.diag(np.diag(covariance)), atol=1e-12)
    assert (np.diff(np.diag(covariance)) <= 0).all()


def test_rare_trusts_the_map_with_one_peak_most():
    peak, noise = np.zeros((10, 10)), np.tile([0.0, 5.0], (10, 5))
    peak[4, 4] = 2
    np.testing.assert_allclose(fused([peak, noise]), 0.99**2 * peak / 2 + 0.5**2 * noise / 5)
    np.testing.assert_array_equal(fused([np.full((3, 3), 7.0)]), np.zeros((3, 3)))
