"""Frames of videos as samples: readers, the synthetic set, what stays together, and clips."""

import dataclasses
import os
import time

import cv2
import numpy as np
import pytest
from archives import dhf1k, hollywood2, write_image
from conftest import assert_same_data

import keras_saliency as ks
from keras_saliency.data import DataSet, Samples, synthetic_video
from keras_saliency.data.splits import PARTS
from keras_saliency.data.stored import from_arrays, to_arrays
from keras_saliency.data.videos import shots_in


@pytest.fixture(scope="module")
def data():
    return synthetic_video.read(splits={"train": 4, "validation": 2, "test": 2})


def names(samples):
    return [sample.name for sample in samples]


# Readers.


def test_official_splits_of_dhf1k_and_the_groups_of_its_frames(tmp_path):
    dhf1k.write(tmp_path)
    data = ks.data.load("dhf1k", tmp_path)
    assert names(data.train) == ["0001/0001", "0001/0002", "0001/0003", "0002/0001", "0002/0002"]
    assert {sample.group for part in ("validation", "test") for sample in getattr(data, part)} == {"0601", "0700"}
    assert [(sample.group, sample.frame) for sample in data.train][1:4] == [("0001", 2), ("0001", 3), ("0002", 1)]
    assert {sample.sigma for sample in data.samples} == {12.74} and data.videos and data.pixels_per_degree is None
    assert all(np.isnan(sample.fixations.time).all() for sample in data.samples)


def test_a_part_of_dhf1k_is_for_all_splits(tmp_path):
    for i in range(1, 9):
        dhf1k.write_frame(tmp_path / "annotation", f"{i:04d}/0001", [(i, i)])
    data = ks.data.load("dhf1k", tmp_path)
    assert len(data.samples) == 8 and min(map(len, data.splits.values())) >= 1
    assert "for all splits, by the hash of their names" in data.skipped[0]


def test_each_nth_frame_is_read_and_that_is_said(tmp_path):
    dhf1k.write(tmp_path)
    data = ks.data.load("dhf1k", tmp_path, stride=2)
    assert names(data.train) == ["0001/0001", "0001/0003", "0002/0001"]
    assert "stride 2: one of 2 frames is read" in data.skipped
    with pytest.raises(ValueError, match="stride is a whole number from 1. Received: 0"):
        ks.data.load("dhf1k", tmp_path, stride=0)
    (tmp_path / "dhf1k.json").write_text('{"stride": 3}')
    assert len(ks.data.load("dhf1k", tmp_path).train) == 2


def test_shots_of_one_video_are_one_group_and_not_one_clip(tmp_path):
    hollywood2.write(tmp_path)
    data = ks.data.load("hollywood2", tmp_path)
    every = Samples([*data.train, *data.validation])
    assert {sample.group for sample in every} == {"actioncliptrain00001", "actioncliptrain00005"}
    assert len({sample.group for sample in data.train} & {sample.group for sample in data.validation}) == 0
    assert [*map(len, shots_in(every).values())] in ([2, 1, 1], [1, 2, 1])
    assert {sample.group for sample in data.test} == {"actioncliptest00002"}


def test_ucf_sports_has_a_video_in_each_folder(tmp_path):
    for i, part in enumerate(("training", "training", "testing")):
        dhf1k.write_frame(tmp_path / part, f"Lifting-00{i}/Lifting_00{i}_001", [(i, i)])
    data = ks.data.load("ucf-sports", tmp_path)
    assert data.test[0].group == "Lifting-002" and data.test[0].sigma == 20.0


def test_what_was_read_of_videos_is_remembered(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_SALIENCY_CACHE", str(tmp_path / "cache"))
    dhf1k.write(tmp_path / "dhf1k")
    for path in (tmp_path / "dhf1k").rglob("*.*"):
        os.utime(path, (time.time() - 86_400,) * 2)
    first, second = (ks.data.load("dhf1k", tmp_path / "dhf1k") for _ in range(2))
    assert len(list((tmp_path / "cache" / "index").iterdir())) == 1
    assert_same_data(second, first)


def test_a_frame_of_another_size_than_its_header_said_is_named_when_it_is_read(tmp_path):
    dhf1k.write(tmp_path)
    data = ks.data.load("dhf1k", tmp_path)
    write_image(tmp_path / "annotation" / "0001" / "images" / "0001.png", size=(24, 40))
    with pytest.raises(ValueError, match=r"0001/0001: the image is \(24, 40\)"):
        data.train[0].read()


def test_videos_are_not_fetched_and_their_address_is_told(tmp_path):
    for name in ("dhf1k", "hollywood2", "ucf-sports"):
        with pytest.raises(ValueError, match=rf"{name} cannot be fetched: Take .* by hand from https://github.com/wen"):
            ks.data.fetch(name, tmp_path / name)


# Frames among samples.


def test_frames_without_fixations_stay_and_are_no_images_of_a_pipeline(data):
    assert data.skipped == () and [len(split) for split in data.splits.values()] == [64, 32, 32]
    assert len(data.train.usable) == 60 and data.train.have_fixations and data.videos
    images, targets = next(iter(data.train.pipeline((40, 56), batch=64)))
    assert len(images) == 60 and (targets.numpy()[..., 1].sum((1, 2)) == synthetic_video.OBSERVERS).all()
    view = ks.models.View(area=40 * 56, stride=8)
    assert sum(len(images) for images, _ in data.train.pipeline(view)) == 60
    empty = Samples([sample for sample in data.train if not sample.is_usable])
    with pytest.raises(ValueError, match="at least one sample"):
        empty.pipeline((40, 56))
    with pytest.raises(ValueError, match="no usable sample is left for the test split"):
        DataSet("empty", data.train, data.validation, empty)
    photograph = dataclasses.replace(data.train[0], frame=None)
    with pytest.raises(ValueError, match="has no fixations: its target would be empty"):
        Samples([photograph]).pipeline((40, 56))


def test_frames_keep_their_numbers_where_samples_go(data, tmp_path):
    parts = {
        part: Samples([dataclasses.replace(sample, image=tmp_path / "x.png") for sample in getattr(data, part)])
        for part in PARTS
    }
    in_files = DataSet("videos", **parts)
    assert_same_data(from_arrays(to_arrays(in_files, tmp_path), tmp_path), in_files)
    mixed = ks.data.mix({"videos": data, "others": data})
    assert mixed.videos and mixed.train[0].frame == 1
    assert [*map(len, shots_in(mixed.train).values())] == [16] * 8
    for fold in ks.data.k_fold(data, 4):
        assert {*map(len, shots_in(fold.train).values())} == {16}


def test_frames_of_a_video_stand_together_and_in_order(data):
    shots = shots_in(data.test)
    assert [*shots] == ["synthetic-video-0006", "synthetic-video-0007"] and [*shots.values()][1] == range(16, 32)
    test = list(data.test)
    assert [*shots_in(test[::2]).values()] == [range(8), range(8, 16)]
    for wrong, message in (
        ([test[0], test[16], test[1]], "The frames of synthetic-video-0006 do not stand together"),
        ([test[1], test[0]], "frame 1 comes after frame 2"),
        ([*test[:3], test[4]], "0006: frame 5 comes after frame 3, and others follow by 1. Keep all frames"),
    ):
        with pytest.raises(ValueError, match=message):
            shots_in(wrong)


# The synthetic set.


def test_equal_seeds_make_equal_videos_and_splits_differ(data):
    assert_same_data(*(synthetic_video.read(splits={"train": 2, "validation": 1, "test": 1}) for _ in range(2)))
    other = synthetic_video.read(seed=1, splits={"train": 1, "validation": 1, "test": 1})
    assert other.train[0].image != data.train[0].image
    assert len({sample.image for sample in data.samples}) > 60
    assert ks.data.DATA_SETS["synthetic-video"] is synthetic_video.read


def test_a_frame_by_itself_does_not_tell_what_moves():
    """Whatever disc moves, and since when, there is a scene that looks the same: the best still model is their mean."""
    scene = synthetic_video.scene(3)
    shown = synthetic_video.frame(scene, 9)
    placed = scene.angles.copy()
    placed[scene.moving] += scene.turn * (10 - scene.begin)
    densities = []
    for i in range(1, synthetic_video.LENGTH):
        for begin in synthetic_video.BEGINS:
            for moving in range(len(placed)):
                angles = placed.copy()
                angles[moving] -= scene.turn * max(i - begin + 1, 0)
                other = scene._replace(angles=angles, moving=moving, begin=begin)
                frame = synthetic_video.frame(other, i)
                np.testing.assert_array_equal(frame.image, shown.image)
                densities.append(frame.density)
    np.testing.assert_allclose(np.mean(densities, 0), shown.still, rtol=1e-9)


def test_two_frames_tell_what_moves_from_when_it_begins():
    for number in range(10):
        scene = synthetic_video.scene(number)
        frames = [synthetic_video.frame(scene, i) for i in range(synthetic_video.LENGTH)]
        for i in range(1, len(frames)):
            changed = np.abs(frames[i].image.astype("int64") - frames[i - 1].image).sum(-1)
            assert changed.any() == (i >= scene.begin) == (frames[i].moving is not None)
            if i >= scene.begin:
                away = np.argwhere(changed) + 0.5 - frames[i].moving
                assert np.hypot(*away.T).max() < 2 * synthetic_video.RADIUS + synthetic_video.ORBIT
                y, x = map(int, frames[i].moving)
                assert frames[i].density[y, x] > 0.5 * frames[i].density.max()


def test_what_motion_adds_is_known():
    gains = []
    for number in range(50, 70):  # the test split
        scene = synthetic_video.scene(number)
        for i in range(1, synthetic_video.LENGTH):
            _, density, still, _ = synthetic_video.frame(scene, i)
            assert density.sum() == pytest.approx(1) and still.sum() == pytest.approx(1)
            gains.append(np.sum(density * np.log2(density / still)))
    assert np.mean(gains) == pytest.approx(1.725, abs=0.02)


# Clips.


def test_clips_are_the_frames_of_a_pipeline_in_order(data):
    (frames, targets), *rest = ks.data.clips(data.train, 16, size=(40, 60), batch=4)
    assert frames.shape == (4, 16, 40, 60, 3) and targets.shape == (4, 16, 40, 60, 3) and not rest
    images, expected = next(iter(data.train.pipeline((40, 60), batch=64)))
    np.testing.assert_array_equal(np.reshape(frames[:, 1:], images.shape), images)
    np.testing.assert_array_equal(np.reshape(targets[:, 1:], expected.shape), expected)
    assert not targets[:, 0].numpy().any()  # nobody has looked: the mask, too


def test_a_frame_without_fixations_adds_nothing_to_a_loss(data):
    (_, targets), *_ = ks.data.clips(data.train, 2, size=(40, 60), batch=1)
    scores = np.random.default_rng(0).normal(size=(2, 40, 60, 1)).astype("float32")
    for name in ("kld", "nll", "nss", "cc", "mse"):
        empty, seen = np.array(ks.losses.LOSSES[name](from_logits=True, reduction=None)(targets[0], scores))
        assert empty == 0 and seen != 0, name


def fixated(batches):
    """What tells the frames of each clip apart: where people looked."""
    return [[frame.numpy()[..., 1].tobytes() for frame in clip] for _, targets in batches for clip in targets]


def test_clips_never_cross_videos_and_cover_all_frames_but_rests(data):
    videos = fixated(ks.data.clips(data.train, 16, size=(40, 60)))
    for length, stride, count in ((5, 1, 12), (5, 3, 12), (8, 2, 8), (3, 5, 20)):
        batches = ks.data.clips(data.train, length, stride, size=(40, 60), batch=5, shuffle=True)
        found, span = fixated(batches), length * stride
        assert len(found) == count and batches.cardinality().numpy() == -(-count // 5), (length, stride)
        known = [video[i : i + span : stride] for video in videos for i in range(16 - span + stride)]
        assert all(clip in known for clip in found)
        assert len({frame for clip in found for frame in clip}) >= count * (length - 1)
    with pytest.raises(ValueError, match="No video has a clip of 17 frames with stride 1. The longest has 16"):
        ks.data.clips(data.train, 17, size=(40, 60))
    with pytest.raises(ValueError, match="length and stride are whole numbers from 1"):
        ks.data.clips(data.train, 0, size=(40, 60))
    with pytest.raises(ValueError, match="Nobody looked at any frame of a clip"):
        ks.data.clips(data.train[:1], 1, size=(40, 60))


def test_the_order_of_clips_and_flips_follow_from_seed_and_epoch(data):
    def made(**options):
        return list(ks.data.clips(data.train, 8, size=(20, 28), batch=3, shuffle=True, flip=True, **options))

    def firsts(batches):
        return np.concatenate([frames.numpy()[:, 0].sum((1, 2, 3)) for frames, _ in batches])

    one, same, later, other = made(epoch=0), made(epoch=0), made(epoch=1), made(epoch=0, seed=1)
    for (frames, targets), (again, known) in zip(one, same, strict=True):
        np.testing.assert_array_equal(frames, again)
        np.testing.assert_array_equal(targets, known)
    for batches in (later, other):
        assert not np.array_equal(firsts(batches), firsts(one))
        np.testing.assert_allclose(sorted(firsts(batches)), sorted(firsts(one)), rtol=1e-4)


def test_a_clip_is_mirrored_as_a_whole(data):
    plain = next(iter(ks.data.clips(data.train, 16, size=(40, 56), batch=4)))
    flipped = next(iter(ks.data.clips(data.train, 16, size=(40, 56), batch=4, flip=True, epoch=0)))
    turned = []
    for i in range(4):
        one, other = plain[0][i].numpy(), flipped[0][i].numpy()
        turned.append(not np.array_equal(one, other))
        np.testing.assert_array_equal(other, one[:, :, ::-1] if turned[-1] else one)
        counts = plain[1][i].numpy()[..., 1]
        np.testing.assert_array_equal(flipped[1][i].numpy()[..., 1], counts[:, :, ::-1] if turned[-1] else counts)
    assert {*turned} == {True, False}


def test_clips_of_several_sizes_are_in_batches_of_one(data):
    def stretched(sample):
        png = cv2.imencode(".png", np.repeat(sample.read(), 2, 1)[..., ::-1])[1].tobytes()
        fixations = dataclasses.replace(sample.fixations, x=2 * sample.fixations.x)
        return dataclasses.replace(sample, image=png, size=(80, 224), fixations=fixations, density=None)

    samples = Samples([stretched(sample) if sample.group.endswith(("1", "2")) else sample for sample in data.train])
    view = ks.models.View(area=40 * 56, stride=8)
    batches = list(ks.data.clips(samples, 4, size=view, batch=5, shuffle=True, epoch=0))
    sizes = [tuple(frames.shape) for frames, _ in batches]
    assert sum(shape[0] for shape in sizes) == 16 and len({shape[2:] for shape in sizes}) == 2
    assert all(shape[1] == 4 for shape in sizes) and all(f.shape[:4] == t.shape[:4] for f, t in batches)
    small = next(iter(ks.data.clips(samples, 4, size=(40, 56), target_size=(20, 28))))
    assert small[0].shape[2:4] == (40, 56) and small[1].shape[2:4] == (20, 28)
