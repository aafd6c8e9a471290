"""Maps of the frames of videos: any way of giving frames, any chunk and stride, and the scores that follow."""

import cv2
import numpy as np
import pytest

import keras_saliency as ks
from keras_saliency.data.flow import with_flow
from keras_saliency.evaluation.sources import VideoSource
from keras_saliency.models import as_video, create_video_model, smoothed
from keras_saliency.serving.videos import read_frames

SIZE = (64, 96)


@pytest.fixture(scope="module")
def static():
    return ks.create_model("icf", weights=None, input_size=SIZE)


@pytest.fixture(scope="module")
def video(static):
    return smoothed(static, 0.5)


@pytest.fixture(scope="module")
def frames():
    noise = np.random.default_rng(0).uniform(-300, 555, (7, 48, 72, 3))
    return np.stack([cv2.GaussianBlur(each, (0, 0), 3) for each in noise]).clip(0, 255).astype("uint8")


def test_a_model_of_images_sees_each_frame_alone(static, frames):
    found = list(ks.predict_video(static, frames))
    assert len(found) == 7 and found[0].shape == (48, 72)
    for frame, map_ in zip(frames, found, strict=True):
        np.testing.assert_allclose(map_, ks.predict(static, frame), atol=1e-4)
        assert np.exp(map_.astype("float64")).sum() == pytest.approx(1, abs=1e-4)


def test_what_was_seen_before_counts(video, static, frames):
    found, alone = list(ks.predict_video(video, frames)), list(ks.predict_video(static, frames))
    np.testing.assert_allclose(found[0], alone[0], atol=1e-4)
    assert np.abs(found[1] - alone[1]).max() > 1e-3


@pytest.mark.parametrize("chunk", [1, 3, 7, 50])
@pytest.mark.parametrize("stride", [1, 2, 3])
def test_the_chunk_changes_nothing(video, frames, stride, chunk):
    expected = list(ks.predict_video(video, frames, stride))
    np.testing.assert_allclose(list(ks.predict_video(video, frames, stride, chunk)), expected, atol=1e-5)


def test_with_a_stride_sequences_interlace(video, frames):
    found = list(ks.predict_video(video, frames, stride=3))
    for first in range(3):
        np.testing.assert_allclose(found[first::3], list(ks.predict_video(video, frames[first::3])), atol=1e-5)


def test_more_sequences_than_frames(video, frames):
    assert len(list(ks.predict_video(video, frames[:2], stride=5))) == 2


def test_motion_goes_on_over_chunks(frames):
    model = create_video_model("tsnet", weights=None, input_size=SIZE, width=1 / 16, head="log-density")
    found = list(ks.predict_video(model, frames, chunk=3))
    np.testing.assert_allclose(found, list(ks.predict_video(model, frames, chunk=7)), atol=1e-5)
    assert with_flow(frames[None]).shape[-1] == 6


def test_folders_files_and_iterators_give_the_same_frames(video, frames, tmp_path):
    expected = list(ks.predict_video(video, frames))
    for number, frame in enumerate(frames):
        cv2.imwrite(str(tmp_path / f"{number:04d}.png"), frame[..., ::-1])
    np.testing.assert_array_equal(list(ks.predict_video(video, tmp_path)), expected)
    np.testing.assert_array_equal(list(ks.predict_video(video, iter(frames))), expected)


def test_the_files_of_a_folder_are_in_the_order_of_their_numbers(tmp_path):
    for number in (10, 2, 1, 11):
        cv2.imwrite(str(tmp_path / f"{number}.png"), np.full((4, 4, 3), number, "uint8"))
    assert [frame[0, 0, 0] for frame in read_frames(tmp_path)] == [1, 2, 10, 11]


def test_doors_of_images_refuse_models_of_videos(video, tmp_path):
    with pytest.raises(ValueError, match="export_video"):
        ks.serving.export.export_saved_model(video, tmp_path / "served")


def test_a_source_has_the_stride_of_its_model(video):
    shot = ks.data.load("synthetic-video", splits={"train": 2, "validation": 1, "test": 1}).test
    found = [each.values for each in VideoSource(video, "strided", stride=4).predictions(shot)]
    expected = list(ks.predict_video(video, [sample.read() for sample in shot], stride=4))
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_a_video_file_is_read(video, frames, tmp_path):
    path = tmp_path / "clip.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 25, (72, 48))
    for frame in frames:
        writer.write(frame[..., ::-1])
    writer.release()
    found = list(ks.predict_video(video, path))
    assert len(found) == 7  # JPEG inside: about the same frames, and RGB in the same order
    assert np.corrcoef(np.ravel(found), np.ravel(list(ks.predict_video(video, frames))))[0, 1] > 0.99


def test_a_keras_file_is_opened(video, frames, tmp_path):
    video.save(tmp_path / "video.keras")
    found = list(ks.predict_video(tmp_path / "video.keras", frames))
    np.testing.assert_allclose(found, list(ks.predict_video(video, frames)), atol=1e-5)
    with pytest.raises(ValueError, match="model of videos, not of images"):
        ks.load(tmp_path / "video.keras")


def test_one_frame_is_a_video(video, frames):
    assert len(list(ks.predict_video(video, frames[:1]))) == 1


def test_bad_videos_are_refused(video, frames, tmp_path):
    for wrong, says in (
        (frames[:0], "no frame"),
        ([frames[0], frames[0][:-1]], "Frame 2 is 47x72, the first one 48x72"),
        (frames.astype("float32"), "Frame 1 is float32"),
        (frames[..., :1], "of shape"),
    ):
        with pytest.raises(ValueError, match=says):
            list(ks.predict_video(video, wrong))
    with pytest.raises(ValueError, match="count frames"):
        ks.predict_video(video, frames, stride=0)
    with pytest.raises(FileNotFoundError, match=r"none\.mp4"):
        list(ks.predict_video(video, tmp_path / "none.mp4"))
    (tmp_path / "text.mp4").write_text("no video")
    with pytest.raises(OSError, match="no video that OpenCV can read"):
        list(ks.predict_video(video, tmp_path / "text.mp4"))


def test_videos_are_scored_from_an_empty_state_each(video, static):
    data = ks.data.load("synthetic-video")
    shot = data.test[:32]  # two videos
    names = [sample.name for sample in shot]
    source = ks.sources.open_source(video)
    found = dict(zip(names, source.predictions(shot), strict=True))
    alone = list(source.predictions(shot[16:]))
    for name, other in zip(names[16:], alone, strict=True):
        np.testing.assert_allclose(found[name].values, other.values, atol=1e-5)
    still = ks.sources.open_source(as_video(static)).predictions(shot[:3])
    for one, other in zip(still, ks.sources.open_source(static).predictions(shot[:3]), strict=True):
        np.testing.assert_allclose(one.values, other.values, atol=1e-4)
