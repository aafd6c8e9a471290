"""iSEEL: its regression, its vote, and the laws of an ensemble."""

import dataclasses

import cv2
import numpy as np
import pytest
from scipy.special import expit

import keras_saliency as ks
from keras_saliency.backbones import create_backbone
from keras_saliency.baselines.centre_bias import CentreBias
from keras_saliency.baselines.iseel import ISEEL, fit_member, gist, target
from keras_saliency.baselines.table import some

HIDDEN = 7


@pytest.fixture(scope="module")
def backbone():
    return create_backbone("intensity-contrast", weights=None, input_size=(None, None))


@pytest.fixture(scope="module")
def samples(tiny):
    return tiny.train[:6]


@pytest.fixture(scope="module")
def iseel(samples, backbone):
    return ISEEL(samples, backbone=backbone, hidden=HIDDEN, share=1.0)


def features_of(model, sample):
    ((features, _),) = model.describe([sample.read()])
    return features


def test_outputs_solve_the_ridge_regression():
    generator = np.random.default_rng(0)
    features, wanted = generator.normal(size=(5, 6, 4)).astype("float32"), generator.uniform(size=(5, 6))
    member = fit_member(features, wanted, HIDDEN, 0.5, (0, 1))
    units = expit(features.reshape(30, 4) @ member.inputs + member.offsets).astype("float64")
    left = (units.T @ units + 0.5 * np.eye(HIDDEN)) @ member.outputs
    np.testing.assert_allclose(left, units.T @ wanted.ravel(), rtol=1e-8)
    assert sum(part.size for part in member) == 4 * HIDDEN + HIDDEN + HIDDEN
    np.testing.assert_array_equal(member.values(features), (units @ member.outputs).reshape(5, 6))


def test_without_a_penalty_as_many_units_as_places_learn_everything():
    generator = np.random.default_rng(0)
    features, wanted = generator.normal(size=(3, 4, 5)), generator.uniform(size=(3, 4))
    member = fit_member(features, wanted, 12, 1e-12, (0, 1))
    np.testing.assert_allclose(member.values(features), wanted, atol=1e-3)


def test_one_member_alone_gives_its_own_fit(samples, backbone):
    model = ISEEL(samples[:1], backbone=backbone, hidden=HIDDEN, power=1, blur=0.01)
    features = features_of(model, samples[0])
    expected = np.maximum(np.tanh(model.members[0].values(features)), 0)
    found = model(samples[0].read())
    grown = cv2.resize(expected / expected.max(), found.shape[::-1], interpolation=cv2.INTER_LINEAR)
    np.testing.assert_allclose(found, grown / grown.max(), atol=1e-6)


def test_the_most_alike_of_an_image_is_itself(iseel, samples):
    for i, sample in enumerate(samples):
        ((_, descriptor),) = iseel.describe([sample.read()])
        assert iseel.alike(descriptor)[0] == i


def test_the_share_says_how_many_are_asked(samples, backbone, iseel):
    assert [len(iseel.alike(iseel.descriptors[0]))] == [6]
    for share, count in ((0.5, 3), (0.01, 1)):
        iseel.share = share
        assert len(iseel.alike(iseel.descriptors[0])) == count
    iseel.share = 1.0


def test_all_members_give_the_mean_of_all(iseel, samples):
    features = features_of(iseel, samples[0])
    votes = np.maximum(np.mean([np.tanh(member.values(features)) for member in iseel.members], 0), 0)
    iseel.power, iseel.blur = 1, 0.01
    found = iseel(samples[0].read())
    iseel.power, iseel.blur = 6, 13.0
    peak = np.unravel_index(votes.argmax(), votes.shape)
    where = np.divide(np.unravel_index(found.argmax(), found.shape), found.shape) * votes.shape
    np.testing.assert_allclose(where, np.add(peak, 0.5), atol=0.6)


def test_the_order_of_the_images_changes_nothing(samples, backbone, iseel):
    other = ISEEL(samples[::-1], backbone=backbone, hidden=HIDDEN, share=1.0)
    image = samples[2].read()
    np.testing.assert_allclose(other(image), iseel(image), atol=1e-9)


def test_a_centre_bias_draws_to_the_centre(samples, backbone, tiny):
    plain = ISEEL(samples, None, backbone, hidden=HIDDEN)
    biased = ISEEL(samples, CentreBias(tiny.train, tiny.validation), backbone, hidden=HIDDEN)
    image = samples[0].read()
    rows, columns = np.indices(image.shape[:2])
    away = np.hypot(rows - image.shape[0] / 2, columns - image.shape[1] / 2)
    assert np.average(away, weights=biased(image)) < np.average(away, weights=plain(image))


@pytest.mark.parametrize("size", [(61, 83), (1, 1), (3, 90)])
def test_a_map_has_the_size_of_the_image_and_is_finite(iseel, size):
    image = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)
    for shown in (image, np.full_like(image, 77)):
        found = iseel(shown)
        assert found.shape == size and np.isfinite(found).all() and found.min() >= 0


def test_the_gist_has_512_numbers_and_sees_orientation():
    stripes = np.zeros((64, 64, 3), np.uint8)
    stripes[:, ::4] = 255
    upright, lying = gist(stripes), gist(np.ascontiguousarray(stripes.swapaxes(0, 1)))
    assert upright.shape == (512,)
    assert upright.reshape(4, 8, 16)[:, 0].sum() > 2 * upright.reshape(4, 8, 16)[:, 4].sum()
    np.testing.assert_allclose(
        upright.reshape(4, 8, 4, 4)[:, 0], lying.reshape(4, 8, 4, 4)[:, 4].swapaxes(1, 2), rtol=1e-6
    )


def test_the_target_has_its_peak_where_people_looked(samples):
    sample = samples[0]
    wanted = target(sample, (18, 24))
    assert wanted.shape == (18, 24) and wanted.max() == 1 and wanted.min() >= 0
    rows, columns = sample.fixations.y * 18 / sample.size[0], sample.fixations.x * 24 / sample.size[1]
    assert wanted[rows.astype(int), columns.astype(int)].mean() > 2 * wanted.mean()


def test_what_cannot_be_learned_from_is_refused(samples, backbone):
    with pytest.raises(ValueError, match="no image to learn from"):
        ISEEL([], backbone=backbone)
    with pytest.raises(ValueError, match="share"):
        ISEEL(samples, backbone=backbone, share=0)
    nobody = dataclasses.replace(samples[0], fixations=samples[0].fixations[:0])
    with pytest.raises(ValueError, match="neither fixations nor a map"):
        ISEEL([nobody], backbone=backbone)
    with pytest.raises(ValueError, match="image has"):
        ISEEL(samples[:1], backbone=backbone)(np.zeros((8, 8)))


def test_baselines_learn_from_frames_of_all_videos():
    data = ks.data.load("synthetic-video", splits={"train": 5, "validation": 1, "test": 1})
    assert not data.train[0].is_usable
    chosen = some(data.train, 10)
    assert len(chosen) <= 10 and all(sample.is_usable for sample in chosen)
    assert len({sample.group for sample in chosen}) == 5
    assert [sample.name for sample in some(data.train, 1000)] == [sample.name for sample in data.train.usable]
