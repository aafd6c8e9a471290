"""eDN: golden values of its layers, a slow reference of a whole network, and what its files must hold."""

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from keras_saliency.baselines import edn
from keras_saliency.baselines.edn import EDN, NETWORKS, RELEASED, Norm, answers, filters, normalised, pooled

SQUARES = (np.arange(25).reshape(1, 5, 5, 1) ** 2 / 100).astype("float32")


def photograph(size, seed=0):
    generator = np.random.default_rng(seed)
    return ndimage.gaussian_filter(generator.uniform(-1200, 1500, (*size, 3)), (2, 2, 0)).clip(0, 255).astype("uint8")


@pytest.fixture
def small(monkeypatch):
    """Images are brought to a quarter of the size, which is a sixteenth of the work."""
    monkeypatch.setattr(edn, "LONGER", 128)
    monkeypatch.setattr(edn, "SHORTER", 96)
    return EDN(blur=4)


@pytest.mark.parametrize(
    ("shape", "first", "total"),
    [
        ((32, 3, 3), (-0.048034, 0.346872, 0.196962), 144.061),
        ((32, 5, 3), (-0.036120, 0.182730, 0.099653), 239.958),
        ((16, 7, 32), (-0.010719, 0.038895, 0.020061), 547.820),
    ],
)
def test_filters_are_those_of_the_seed(shape, first, total):
    kernel = filters(*shape)
    np.testing.assert_allclose(kernel[0, 0, :3, 0], first, atol=5e-7)
    assert np.abs(kernel.astype("float64")).sum() == pytest.approx(total, abs=5e-4)


def test_filters_have_no_mean_and_a_norm_of_one():
    kernel = filters(128, 9, 16).astype("float64")
    assert np.abs(kernel).sum() == pytest.approx(3990.298, abs=5e-4)
    np.testing.assert_allclose(kernel.mean((0, 1, 2)), 0, atol=1e-8)
    np.testing.assert_allclose((kernel**2).sum((0, 1, 2)), 1, rtol=1e-6)


@pytest.mark.parametrize(
    ("norm", "row"),
    [
        (Norm(3, 10, 1), (0.161449, 0.182823, 0.201252)),
        (Norm(3, 0.1, 10, True), (-0.017333, -0.017333, -0.017333)),
        (Norm(3, 1, 0.1, True), (-0.111610, -0.096548, -0.084992)),
    ],
)
def test_normalised(norm, row):
    np.testing.assert_allclose(np.asarray(normalised(SQUARES, norm))[0, 1, 1:4, 0], row, atol=6e-7)


@pytest.mark.parametrize(
    ("order", "expected"),
    [(10, [[1.25665, 1.47694], [2.37571, 2.60444]]), (1, [[5.4, 7.2], [14.4, 16.2]])],
)
def test_pooled(order, expected):
    rows = np.pad(np.arange(25).reshape(5, 5) / 10, ((1, 0), (1, 0))).astype("float32")  # so that windows lie inside
    np.testing.assert_allclose(np.asarray(pooled(rows[None, ..., None], 3, order))[0, 1:, 1:, 0], expected, rtol=5e-6)


def test_a_pool_of_order_ten_makes_negative_answers_positive_and_of_order_one_does_not():
    below = np.full((1, 3, 3, 1), -0.5, "float32")
    assert np.asarray(pooled(below, 3, 10)).min() > 0 and np.asarray(pooled(below, 3, 1)).max() < 0


def test_the_distance_to_the_centre():
    # The middle of five is the third.
    expected = [[1, 1, 1, 1, 1], [1, 0.5, 0.5, 0.5, 1], [1, 0.5, 0, 0.5, 1], [1, 0.5, 0.5, 0.5, 1], [1, 1, 1, 1, 1]]
    np.testing.assert_array_equal(edn.from_centre((5, 5)), expected)
    np.testing.assert_array_equal(edn.from_centre((1, 1)), [[0]])


def summed(x, side, stride=1):
    """A sum for each place and channel, one by one."""
    reach = side // 2
    padded = np.pad(x, ((reach, reach), (reach, reach), (0, 0)))
    rows = [[padded[i : i + side, j : j + side].sum((0, 1)) for j in range(x.shape[1])] for i in range(x.shape[0])]
    return np.array(rows)[::stride, ::stride]


def divided(x, norm):
    total, squares = (summed(each.sum(2, keepdims=True), norm.side) for each in (x, x**2))
    count = norm.side**2 * x.shape[2]
    if norm.centred:
        x, squares = x - total / count, np.maximum(squares - total**2 / count, 0)
    length = (np.sqrt(squares) + 1e-4) * norm.stretch
    length[length < norm.threshold + 1e-4] = 1
    return x * norm.stretch / length


@pytest.mark.parametrize("number", range(6))
def test_a_network_is_what_its_definition_says(number):
    network = NETWORKS[number]
    image = np.asarray(Image.fromarray(photograph((17, 22), number)).convert(network.colours))
    x = divided(image.astype("float64"), network.norm)
    for layer in network.layers:
        kernel = filters(layer.filters, layer.side, x.shape[2]).astype("float64")
        reach = layer.side // 2
        padded = np.pad(x, ((reach, reach), (reach, reach), (0, 0)))
        windows = np.lib.stride_tricks.sliding_window_view(padded, (layer.side, layer.side), (0, 1))
        x = np.einsum("yxcij,ijcn->yxn", windows, kernel, optimize=True)
        x = np.clip(x, -np.inf if layer.low is None else layer.low, np.inf if layer.high is None else layer.high)
        x = divided(summed(x**layer.order, layer.pool, 2) ** (1 / layer.order), layer.norm)
    found = answers(image, network)
    assert found.shape == x.shape and found.dtype == np.float32
    # A tenth power of a small float32 is none: what lies below is lost.
    np.testing.assert_allclose(found, x, atol=2e-3 * np.abs(x).max())


def test_networks_have_832_features_at_an_eighth_and_a_quarter():
    found = [answers(photograph((64, 48)), network).shape for network in NETWORKS[:4]]
    assert found == [(8, 6, 128), (8, 6, 128), (8, 6, 128), (16, 12, 64)]
    assert edn.FEATURES == 832


@pytest.mark.parametrize("size", [(384, 512), (600, 800), (512, 384), (1, 640), (3000, 300)])
def test_sizes_at_which_images_are_seen(size):
    height, width = edn._size(size)
    assert height * width <= edn.PIXELS
    if max(size) / min(size) == 4 / 3:
        assert sorted((height, width)) == [384, 512]


def test_a_map_has_the_size_of_the_image_and_reaches_from_zero_to_one(small):
    image = photograph((61, 83))
    before = image.copy()
    saliency = small(image)
    assert saliency.shape == (61, 83) and saliency.dtype == np.float64
    assert saliency.min() == 0 and saliency.max() == 1
    np.testing.assert_array_equal(image, before)
    np.testing.assert_array_equal(saliency, small(image))


def test_the_map_is_the_decision_of_the_classifier(small):
    small.blur = 0
    small.weights = np.zeros(833)
    small.weights[0] = -1  # nothing counts but the distance to the centre, which counts against a place
    saliency = small(photograph((96, 128)))
    assert np.unravel_index(saliency.argmax(), saliency.shape) == pytest.approx((48, 64), abs=6)
    assert max(saliency[0, 0], saliency[-1, 0], saliency[0, -1], saliency[-1, -1]) < 0.1


@pytest.mark.parametrize("size", [(1, 1), (1, 40), (9, 2)])
def test_tiny_images_have_finite_maps(small, size):
    for image in (photograph(size), np.full((*size, 3), 90, np.uint8)):
        assert np.isfinite(small(image)).all()


def test_other_files_are_read_or_refused(tmp_path):
    lines = (RELEASED / "svm-slm-cntr").read_text().splitlines()
    start = lines.index("w") + 1
    classifier, whitening = tmp_path / "svm", tmp_path / "white"
    classifier.write_text("\n".join([*lines[:start], *lines[start + 1 :]]))
    whitening.write_text("".join((RELEASED / "whiten-slm-cntr").read_text().splitlines(keepends=True)[1:]))
    np.testing.assert_array_equal(EDN(classifier, whitening).weights, EDN().weights[1:])
    with pytest.raises(ValueError, match="svm is for 832 features|whiten-slm-cntr is for 833 features"):
        EDN(classifier)
    with pytest.raises(ValueError, match="white is no linear classifier"):
        EDN(whitening, whitening)
    whitening.write_text("a b\n")
    with pytest.raises(ValueError, match="white does not hold numbers"):
        EDN(whitening=whitening)
    with pytest.raises(FileNotFoundError):
        EDN(tmp_path / "none")


@pytest.mark.parametrize("image", [np.zeros((64, 64), np.uint8), np.zeros((64, 64, 3), "float32")])
def test_other_images_are_refused(small, image):
    with pytest.raises(ValueError, match="image has"):
        small(image)
