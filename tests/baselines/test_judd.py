"""The model of Judd et al.: its features, the steerable pyramid beneath them, and what is learned."""

import dataclasses

import cv2
import numpy as np
import pytest

from keras_saliency.baselines import fitting
from keras_saliency.baselines import judd as module
from keras_saliency.baselines import judd_features as features
from keras_saliency.baselines.itti import conspicuities
from keras_saliency.baselines.judd import Judd
from keras_saliency.baselines.judd_features import NAMES, judd_features
from keras_saliency.baselines.steerable import steerable_bands
from keras_saliency.data.fixations import Fixations


@pytest.fixture(scope="module", autouse=True)
def known():
    """The features of each image, which several tests learn from, are computed once."""
    found = {}

    def remembered(image):
        key = image.shape, image.tobytes()
        found[key] = found[key] if key in found else judd_features(image)
        return found[key].copy()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "judd_features", remembered)
        yield remembered


@pytest.fixture(scope="module")
def learned(tiny, known):
    pytest.importorskip("sklearn")
    return Judd(tiny.train)


@pytest.fixture(scope="module")
def image(tiny):
    return tiny.validation[0].read()


@pytest.fixture(scope="module")
def columns(image):
    return dict(zip(NAMES, np.moveaxis(judd_features(image), 2, 0), strict=True))


def grating(angle, period, side=64):
    y, x = np.mgrid[:side, :side]
    return np.cos(2 * np.pi / period * (x * np.cos(angle) + y * np.sin(angle)))


def test_the_bands_share_the_energy_of_the_image(rng):
    image = rng.random((40, 56))
    for scales in (1, 3):
        bands = steerable_bands(image, scales)
        assert len(bands) == 2 + 4 * scales and {band.shape for band in bands} == {image.shape}
        assert sum((band**2).sum() for band in bands) == pytest.approx((image**2).sum())


@pytest.mark.parametrize("scale", [0, 1, 2])
@pytest.mark.parametrize("orientation", range(4))
def test_a_grating_is_in_the_band_of_its_scale_and_orientation(scale, orientation):
    bands = steerable_bands(grating(np.deg2rad(45 * orientation), 4 * 2**scale), 3)
    inside = [(band[16:-16, 16:-16] ** 2).mean() for band in bands]
    assert np.argmax(inside) == 1 + 4 * scale + orientation
    # cos^6 is 1 at its own orientation, 1/8 at the next, 0 across.
    own = inside[1 + 4 * scale : 5 + 4 * scale]
    np.testing.assert_allclose(np.roll(own, -orientation) / max(own), [1, 1 / 8, 0, 1 / 8], atol=0.02)


def test_steerable_bands_of_a_constant_hold_nothing_but_the_low_pass():
    *bands, low = steerable_bands(np.full((20, 30), 0.7), 3)
    np.testing.assert_allclose(bands, 0, atol=1e-12)
    np.testing.assert_allclose(low, 0.7)


def test_steerable_bands_turn_with_the_image(rng):
    image = rng.random((32, 48))
    bands, turned = steerable_bands(image, 1), steerable_bands(np.rot90(image), 1)
    np.testing.assert_allclose(np.abs(turned[3]), np.abs(np.rot90(bands[1])), atol=1e-12)
    np.testing.assert_allclose(np.abs(turned[1]), np.abs(np.rot90(bands[3])), atol=1e-12)


def test_the_columns_and_their_order(image, columns):
    assert judd_features(image).shape == (200, 200, len(NAMES))
    assert len(NAMES) == len(set(NAMES)) == 29
    # 13 subbands, then the maps of Itti, colours, their rarity, probabilities of colours, Torralba's, the distance.
    angles = ["0", "45", "90", "135"]
    assert list(NAMES[:13]) == ["highpass", *(f"band{scale}_{angle}" for scale in (1, 2, 3) for angle in angles)]
    assert NAMES[13:19] == ("itti_colour", "itti_intensity", "itti_orientation", "red", "green", "blue")
    assert NAMES[19:22] == ("rarity_red", "rarity_green", "rarity_blue")
    assert [name[:6] for name in NAMES[22:27]] == ["colour"] * 5
    assert NAMES[27:] == ("torralba", "centre_distance")
    small = cv2.resize(image, (200, 200), interpolation=cv2.INTER_LINEAR)
    for channel, name in enumerate(("red", "green", "blue")):
        np.testing.assert_allclose(columns[name], small[..., channel] / 255, atol=1 / 255)
    for plane, name in zip(conspicuities(image / 255), ("intensity", "colour", "orientation"), strict=True):
        found = columns[f"itti_{name}"]
        np.testing.assert_allclose(found, cv2.resize(plane, (200, 200), interpolation=cv2.INTER_LINEAR))
    for name in NAMES[:13]:
        assert columns[name].min() >= 0 and columns[name].mean() == pytest.approx(1)
    assert columns["torralba"].max() == 1 and columns["torralba"].min() > 0


def test_the_features_of_a_mirrored_image_are_mirrored(image):
    image = cv2.resize(image, (200, 200))
    found, mirrored = (np.moveaxis(judd_features(each), 2, 0) for each in (image, np.ascontiguousarray(image[:, ::-1])))
    swapped = [name.replace("_45", "_?").replace("_135", "_45").replace("_?", "_135") for name in NAMES]
    # Weights of bands and the centre of the release are not symmetric.
    for name, plane in zip(swapped[:27], mirrored, strict=False):
        np.testing.assert_allclose(plane, found[NAMES.index(name)][:, ::-1], atol=1e-6, err_msg=name)


def test_the_distance_to_the_centre_by_hand():
    expected = [[1, 1, 1, 2, 3], [1, 0, 1, 2, 3], [1, 1, 1, 2, 3], [2, 2, 2, 2, 3], [3, 3, 3, 3, 4]]
    np.testing.assert_allclose(features.centre_distance((5, 5)), np.array(expected) / 4)
    assert np.isfinite(features.centre_distance((1, 1))).all()


def test_the_rarity_of_a_channel_by_hand():
    np.testing.assert_array_equal(features.channel_rarity(np.full((7, 9), 0.4)), np.zeros((7, 9)))
    channel = np.array([[0.2, 0.2, 0.2, 0.2], [0.2, 0.2, 0.6, 1.0]])  # shares 7/108, 2/108, 2/108 with one in each bin
    np.testing.assert_allclose(features.information(channel), -np.log(np.where(channel == 0.2, 7, 2) / 108))
    np.testing.assert_allclose(features.channel_rarity(channel), channel != 0.2)


def test_the_probability_of_a_colour_by_hand():
    image = np.zeros((2, 4, 3), np.uint8)
    image[0, 0] = 31, 31, 31  # the bin of black
    image[1] = 32, 0, 0
    image[1, 3] = 0, 0, 255
    expected = np.array([[4, 4, 4, 4], [3, 3, 3, 1]]) / 8
    np.testing.assert_array_equal(features.colour_probability(image), expected)


def test_the_weights_of_torralba_double_after_six_bands():
    flat, varied = np.zeros((10, 10)), np.zeros((10, 10))
    varied[3, 4] = 1.0
    rare, common, alone = (-np.log(count / 200) for count in (2, 100, 101))
    for band, weight in ((0, 2), (5, 2), (6, 4), (12, 8), (15, 8)):
        rest = 1 + alone * (6 * 2 + 6 * 4 + 4 * 8 - weight)
        found = features.torralba([varied if i == band else flat for i in range(16)])
        assert found[3, 4] == 1
        assert found[0, 0] == pytest.approx((rest + weight * common) / (rest + weight * rare))


def test_whitened_features_of_the_pixels_learned_from_have_no_mean_and_a_deviation_of_one(tiny, learned):
    generator = np.random.default_rng(0)
    drawn = np.concatenate([module._draw(sample, generator) for sample in tiny.train])
    assert drawn.shape == (20 * len(tiny.train), 29)
    whitened = learned.whitened(drawn)
    np.testing.assert_allclose(whitened.mean(0), 0, atol=1e-9)
    np.testing.assert_allclose(whitened.std(0), np.ptp(drawn, 0) > 0, atol=1e-9)


def test_pixels_are_drawn_from_the_top_and_the_bottom_and_not_at_the_border(tiny, monkeypatch):
    sample, places = tiny.train[0], np.arange(200.0 * 200)
    monkeypatch.setattr(module, "judd_features", lambda image: np.repeat(places.reshape(200, 200, 1), 29, 2))
    density = cv2.resize(module.fixation_density(sample), (200, 200), interpolation=cv2.INTER_LINEAR)
    inside = density[10:-10, 10:-10]
    for seed in range(5):
        drawn = module._draw(sample, np.random.default_rng(seed))[:, 0].astype(int)
        rows, columns = drawn // 200, drawn % 200
        assert min(rows.min(), columns.min()) >= 10 and max(rows.max(), columns.max()) < 190
        assert len(set(drawn)) == 20
        assert density[rows[:10], columns[:10]].min() >= np.quantile(inside, 0.8) - 1e-12
        assert density[rows[10:], columns[10:]].max() <= np.quantile(inside, 0.7) + 1e-12


def test_a_constant_added_to_a_feature_changes_no_map(tiny, learned, image, known, monkeypatch):
    constants = np.linspace(-3, 5, 29)
    before = learned(image)
    monkeypatch.setattr(module, "judd_features", lambda image: known(image) + constants)
    shifted = Judd(tiny.train)
    np.testing.assert_allclose(shifted.mean, learned.mean + constants)
    np.testing.assert_allclose(shifted.weights, learned.weights, atol=1e-6)
    np.testing.assert_allclose(shifted(image), before, atol=1e-6)


def test_the_same_is_learned_from_the_same_seed(tiny, learned):
    again, other = Judd(tiny.train), Judd(tiny.train, seed=1)
    np.testing.assert_array_equal(again.weights, learned.weights)
    assert again.offset == learned.offset and not np.array_equal(other.weights, learned.weights)


def test_the_weights_are_read_by_name(learned):
    assert learned.names == NAMES and learned.weights.shape == learned.mean.shape == learned.std.shape == (29,)
    ranked = learned.ranked()
    assert sorted(ranked) == sorted(NAMES)
    assert (np.diff(np.abs(list(ranked.values()))) <= 0).all()
    assert all(ranked[name] == weight for name, weight in zip(NAMES, learned.weights, strict=True))


def test_a_map_is_the_weighted_sum_less_its_minimum(learned, image):
    score = (judd_features(image) - learned.mean) / learned.std @ learned.weights
    resized = cv2.resize(score - score.min(), (160, 120), interpolation=cv2.INTER_CUBIC)
    np.testing.assert_allclose(learned(image), np.maximum(resized, 0) / resized.max())


def test_what_others_fixated_is_found(tiny, learned):
    def nss(sample):
        saliency = learned(sample.read())
        return (saliency[sample.fixations.pixels()].mean() - saliency.mean()) / saliency.std()

    assert np.mean([nss(sample) for sample in tiny.test]) > 1


def test_of_a_constant_image_only_the_distance_to_the_centre_is_left(learned):
    image = np.full((60, 80, 3), (37, 150, 201), np.uint8)
    found = np.moveaxis(judd_features(image), 2, 0)
    assert np.isfinite(found).all()
    assert [name for name, plane in zip(NAMES, found, strict=True) if np.ptp(plane)] == ["centre_distance"]
    distance, weight = found[-1], learned.weights[-1]
    saliency = learned(image)
    assert np.isfinite(saliency).all() and saliency.max() == 1
    at_200 = cv2.resize(saliency, (200, 200), interpolation=cv2.INTER_LINEAR)
    assert np.corrcoef(at_200.ravel(), np.sign(weight) * distance.ravel())[0, 1] > 0.999


def test_a_feature_that_does_not_vary_has_no_weight(tiny, known, monkeypatch, image):
    def without(image):
        found = known(image)
        found[..., 3] = 0.1
        return found

    monkeypatch.setattr(module, "judd_features", without)
    found = Judd(tiny.train)
    assert abs(found.weights[3]) < 1e-12 and found.std[3] == 1 and np.isfinite(found(image)).all()


def test_what_cannot_be_learned_from_is_said(tiny):
    with pytest.raises(ValueError, match="There are 0 images to learn from, 3 are the fewest"):
        Judd([])
    with pytest.raises(ValueError, match="There are 2 images to learn from, 3 are the fewest"):
        Judd(tiny.train[:2])
    nobody = dataclasses.replace(tiny.train[0], name="nobody", fixations=Fixations.from_rows(np.empty((0, 4))))
    with pytest.raises(ValueError, match="nobody has neither fixations nor a map. Leave it out"):
        Judd([tiny.train[1], nobody])


@pytest.mark.filterwarnings("ignore:Liblinear")
def test_weights_that_are_not_found_are_said(tiny, learned, monkeypatch):
    monkeypatch.setattr(module, "ITERATIONS", 1)
    with pytest.warns(
        fitting.NotConverged, match="weights of Judd's model are not found after 1 iterations. Pass more"
    ):
        Judd(tiny.train)
