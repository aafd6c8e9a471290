import dataclasses

import cv2
import numpy as np
import pytest
import tensorflow as tf

import keras_saliency as ks
from keras_saliency.data import Fixations, Sample, Samples, augmentation, geometry
from keras_saliency.data.augmentation import KINDS
from keras_saliency.data.published import cat2000

SIZE = (60, 80)
MOVES = {"crop": 0.5, "shrink": 0.3, "rotation": 30.0}


def dots(sizes=(SIZE,), count=12, seed=0):
    """Images of bright dots on black, in the middle of each a fixation."""
    rng, samples = np.random.default_rng(seed), []
    for number, (height, width) in enumerate(sizes):
        image = np.zeros((height, width, 3), "uint8")
        y, x = rng.integers(4, height - 4, count), rng.integers(4, width - 4, count)
        for centre in zip(x.tolist(), y.tolist(), strict=True):
            cv2.circle(image, centre, max(3, height // 20), (255, 255, 255), -1)
        rows = np.stack([x + 0.5, y + 0.5, np.zeros(count), np.arange(count)], 1)
        png = cv2.imencode(".png", image)[1].tobytes()
        samples.append(Sample(f"{number}.png", png, (height, width), Fixations.from_rows(rows), 2.0))
    return Samples(samples)


def epochs(samples, augment, count=6, **options):
    for images, targets in samples.pipeline(SIZE, batch=1, augment=augment, **options).repeat(count):
        yield images.numpy()[0], targets.numpy()[0]


@pytest.mark.parametrize("augment", [{name: MOVES[name]} for name in MOVES] + [MOVES])
def test_fixations_stay_on_what_was_looked_at(augment):
    seen = 0
    for image, target in epochs(dots(((60, 80), (90, 60), (200, 300))), augment, flip=True, shuffle=True):
        rows, columns = np.nonzero(target[..., 1])
        assert (image[rows, columns].max(-1) > 120).all()
        assert (target[rows, columns, 2] == 1).all()
        # The density has its peaks there, and nothing in padding.
        assert target[..., 0].max() == 1 and target[target[..., 2] == 0, 0].sum() == 0
        assert target[rows, columns, 0].min() > 0.1
        seen += len(rows)
    assert seen > 40


def test_padding_is_what_shows_no_image():
    white = np.full((*SIZE, 3), 255, "uint8")
    sample = dataclasses.replace(dots()[0], image=cv2.imencode(".png", white)[1].tobytes())
    for image, target in epochs(Samples([sample]), {"shrink": 0.5, "rotation": 45.0}):
        valid = target[..., 2] == 1
        assert 0.1 < valid.mean() < 1
        edge = cv2.morphologyEx(valid.astype("uint8"), cv2.MORPH_GRADIENT, np.ones((5, 5))) > 0
        edge[[0, 1, -2, -1]] = edge[:, [0, 1, -2, -1]] = True
        np.testing.assert_allclose(image[valid & ~edge], 255, atol=1e-3)
        np.testing.assert_allclose(image[~valid & ~edge], geometry.PADDING, atol=1e-3)


def test_what_is_not_cut_off_keeps_every_fixation():
    for augment in ({"shrink": 0.4}, {"colour": 0.5, "blur": 2.0}):
        assert {target[..., 1].sum() for _, target in epochs(dots(), augment)} == {12}
    kept = [target[..., 1].sum() for _, target in epochs(dots(), {"crop": 0.5})]
    assert min(kept) < 12 and min(kept) >= 1


def test_an_image_that_would_lose_every_fixation_stays_as_it_is():
    corner = Fixations.from_rows([(1.5, 1.5, 0, 0)])
    sample = dataclasses.replace(dots()[0], fixations=corner)
    for _, target in epochs(Samples([sample]), {"crop": 0.9}, 8):
        assert target[..., 1].sum() == 1


def test_no_strength_is_no_change():
    samples = dots(((60, 80), (90, 60)))
    plain = list(samples.pipeline(SIZE, batch=2))
    still = list(samples.pipeline(SIZE, batch=2, augment=dict.fromkeys(KINDS, 0.0)))
    for (image, target), (same, other) in zip(plain, still, strict=True):
        np.testing.assert_allclose(image, same, atol=1e-3)
        np.testing.assert_array_equal(target[..., 1:], other[..., 1:])
        # Beyond the border of the image blur is mirrored in the one, and padding in the other.
        np.testing.assert_allclose(target[0, ..., 0], other[0, ..., 0], atol=1e-5)


def test_margins_are_masked_as_padding_is():
    (sample,) = dots()
    part = (6, 8, 40, 80)  # top, left, bottom, right
    samples = Samples([dataclasses.replace(sample, picture=part)])
    inside = np.zeros(SIZE, "float32")
    inside[part[0] : part[2], part[1] : part[3]] = 1
    for augment in ({}, {"colour": 0.0}):
        ((_, whole),) = samples.pipeline(SIZE, batch=1, augment=augment)
        np.testing.assert_array_equal(whole[0, ..., 2], inside)
        ((_, boxed),) = samples.pipeline((60, 100), batch=1, augment=augment)
        np.testing.assert_array_equal(boxed[0, :, 10:90, 2], inside)
        assert boxed.numpy()[0, ..., 2].sum() == inside.sum()
        seen = [target[..., 2] for _, target in epochs(samples, augment, 8, flip=True, shuffle=True)]
        assert {(mask == inside).all() or (mask == inside[:, ::-1]).all() for mask in seen} == {True}
        assert not all((mask == inside).all() for mask in seen)
    ((_, plain),) = Samples([sample]).pipeline(SIZE, batch=1)
    assert plain.numpy()[..., 2].min() == 1


def test_grey_margins_are_found():
    image = np.random.default_rng(0).integers(0, 256, (*SIZE, 3)).astype("uint8")
    assert cat2000.picture_in(image) is None
    image[:6] = image[40:] = image[:, :8] = 126
    image[2, 3] = 130  # JPEG
    assert cat2000.picture_in(image) == (6, 8, 40, 80)
    assert cat2000.picture_in(np.full((*SIZE, 3), 126, "uint8")) is None


def test_targets_of_another_size_show_the_same():
    samples = dots(((60, 80),))
    whole = [target for _, target in epochs(samples, MOVES)]
    half = [target for _, target in epochs(samples, MOVES, target_size=(30, 40))]
    for large, small in zip(whole, half, strict=True):
        rows, columns = (axis // 2 for axis in np.nonzero(large[..., 1]))
        near = cv2.dilate(small[..., 1], np.ones((3, 3)))  # half a pixel of rounding
        assert (near[rows, columns] > 0).mean() > 0.9
        assert abs(large[..., 2].mean() - small[..., 2].mean()) < 0.03


def test_equal_seeds_give_equal_batches_on_one_thread_and_on_many():
    def batches(seed, threads):
        pipeline = dots(((60, 80), (90, 60))).pipeline(
            SIZE, batch=2, augment={**MOVES, "colour": 0.3}, seed=seed, epoch=1
        )
        options = tf.data.Options()
        options.threading.private_threadpool_size = threads
        return [values.numpy() for pair in pipeline.with_options(options) for values in pair]

    one, many, other = batches(1, 1), batches(1, 4), batches(2, 4)
    for left, right in zip(one, many, strict=True):
        np.testing.assert_array_equal(left, right)
    assert not np.array_equal(one[0], other[0])


def test_colour_and_blur_change_the_image_alone():
    ((image, target),) = epochs(dots(), {"colour": 0.0}, 1)
    changes = []
    for changed, same in epochs(dots(), {"colour": 0.5, "blur": 3.0}):
        np.testing.assert_array_equal(target, same)
        assert changed.min() >= 0 and changed.max() <= 255
        changes.append(np.abs(image - changed).max())
    assert max(changes) > 30 and len({*changes}) == 6


def test_blur_keeps_a_constant_image():
    grey = tf.fill((20, 30, 3), 77.0)
    np.testing.assert_allclose(augmentation.recolour(grey, tf.constant([1, 2]), {"blur": 4.0}), grey, rtol=1e-5)


@pytest.mark.parametrize(
    ("augment", "message"),
    [
        ({"zoom": 0.5}, "Unknown augmentation 'zoom'. Known augmentations: crop, shrink, rotation"),
        ({"crop": 1.0}, "crop, the largest share of each side that is cut off, is from 0 to 0.9. Received: 1.0"),
        ({"blur": -1.0}, "blur, .* is from 0 to 20. Received: -1.0"),
        ({"rotation": float("nan")}, "rotation, .* Received: nan"),
    ],
)
def test_what_makes_no_sense_is_named(augment, message):
    with pytest.raises(ValueError, match=message):
        dots().pipeline(SIZE, augment=augment)


def test_cached_features_are_of_images_as_they_are(tiny):
    with pytest.raises(ValueError, match="augment needs the images themselves"):
        tiny.train.pipeline(SIZE, features=object(), augment={"crop": 0.1})


def test_density_maps_move_with_their_images(tmp_path):
    (sample,) = dots(count=1)
    density = np.zeros(SIZE, "float32")
    density[sample.fixations.pixels()] = 1
    np.save(tmp_path / "map.npy", cv2.GaussianBlur(density, (0, 0), 2.0))
    mapped = dataclasses.replace(sample, ground_truth=tmp_path / "map.npy", fixations=Fixations.from_rows([]))
    for image, target in epochs(Samples([mapped]), {"shrink": 0.3, "rotation": 30.0}):
        assert image[np.unravel_index(target[..., 0].argmax(), SIZE)].min() > 120
        assert np.isnan(target[..., 1]).all()


def test_recipes_do_not_augment_unless_they_say_so():
    assert ks.zoo.find_recipe("demo").augment == {}
