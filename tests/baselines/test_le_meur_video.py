"""Motion that is not the picture's own, and its fusion with what a frame holds, of Le Meur et al. 2007."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

import keras_saliency as ks
from keras_saliency.baselines import VIDEO_BASELINES, make_video_baseline
from keras_saliency.baselines.le_meur import conspicuities, le_meur
from keras_saliency.baselines.le_meur_video import fused, le_meur_video, motion_contrast, residual
from keras_saliency.data import synthetic_video
from keras_saliency.data.flow import motion
from keras_saliency.evaluation.sources import VideoBaselineSource, open_source

SIZE = (60, 84)


def affine_flow(parameters, size=SIZE):
    """The flow `u = a + b x + c y`, and v of the other three."""
    y, x = np.mgrid[: size[0], : size[1]]
    a, b, c, d, e, f = parameters
    return np.stack([a + b * x + c * y, d + e * x + f * y], -1).astype("float32")


def textured(shift, size=(64, 96)):
    """A ground that is shifted to the right by so many pixels, and on it a square that stays where it is."""
    rng = np.random.default_rng(0)
    ground, square = (gaussian_filter(rng.random((100, 140)), 1.5) for _ in range(2))
    values = ground[20 : 20 + size[0], 20 - shift : 20 - shift + size[1]].copy()
    values[24:44, 40:60] = square[:20, :20]
    values = 255 * np.clip((values - 0.2) / 0.6, 0, 1)
    return values[..., None].repeat(3, 2).astype("uint8")


@pytest.fixture(scope="module")
def videos():
    return synthetic_video.read(splits={"train": 2, "validation": 2, "test": 3})


@pytest.mark.parametrize(
    "parameters",
    [(0, 0, 0, 0, 0, 0), (3, 0, 0, -2, 0, 0), (1, 0.02, 0, -1, 0, 0.02), (4, 0.01, -0.05, -2, 0.06, -0.02)],
)
def test_an_affine_flow_leaves_nothing(parameters):
    flow = affine_flow(parameters)
    np.testing.assert_allclose(residual(flow), 0, atol=1e-5)
    moving = np.zeros(SIZE, bool)
    moving[5:45, 10:50] = True  # a third of the picture goes another way
    flow[moving] += (2, -3)
    left = residual(flow)
    np.testing.assert_allclose(left[~moving], 0, atol=1e-5)
    np.testing.assert_allclose(left[moving], np.broadcast_to((2, -3), (moving.sum(), 2)), atol=1e-5)


def test_what_a_noisy_flow_leaves_is_its_noise(rng):
    flow = affine_flow((4, 0.01, -0.05, -2, 0.06, -0.02), (90, 120))  # more pixels than are fitted to
    noise = rng.normal(0, 0.05, flow.shape)
    flow[:40, :50] += (5, 0)
    assert np.abs(residual(flow + noise) - noise)[45:].max() < 0.05


@pytest.mark.parametrize("size", [(2048, 400), (4096, 16)])
def test_of_a_large_frame_all_parts_are_fitted_to(size):
    flow = affine_flow((0, 0.01, 0, 0, 0, 0.01), size)
    strip = slice(int(0.475 * size[1]), int(0.525 * size[1]) + 1)
    flow[:, strip] += (6, 0)
    left = residual(flow)
    np.testing.assert_allclose(left[:, strip], np.broadcast_to((6.0, 0), left[:, strip].shape), atol=1e-4)
    left[:, strip] = 0
    np.testing.assert_allclose(left, 0, atol=1e-4)


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (9, 1), (2, 2), (2, 60)])
def test_few_pixels_move_as_most_do(size):
    np.testing.assert_allclose(residual(np.full((*size, 2), 3.0)), 0, atol=1e-6)


def test_flow_leads_from_one_frame_to_the_other():
    flow = motion(textured(0), textured(3))
    np.testing.assert_allclose(np.median(flow[5:20, 10:85], (0, 1)), (3, 0), atol=0.2)
    assert np.linalg.norm(flow[30:38, 46:54], axis=-1).max() < 0.5
    assert not motion(textured(0), textured(0)).any()


def test_what_stands_while_the_camera_turns_is_salient():
    contrast = motion_contrast(textured(0), textured(3))
    assert contrast[28:40, 44:56].min() > 1.5 and np.median(contrast) == 0
    away = np.ones(contrast.shape, bool)
    away[16:52, 32:68] = away[:, :8] = away[:, -8:] = False  # but around it, and where the ground comes in
    assert contrast[away].max() < 0.3
    assert not motion_contrast(textured(0), textured(0)).any()


def test_a_static_video_is_seen_as_its_first_frame():
    frame = textured(0)
    first, *others = le_meur_video([frame] * 3)
    for other in others:
        np.testing.assert_array_equal(other, first)
    (alone,) = le_meur_video([frame])
    np.testing.assert_array_equal(alone, first)


def test_fusion_is_the_sum_of_maps_and_of_products_of_pairs():
    one, two, three = (np.array([[1.0, 0.5, 0]]), np.array([[0, 4.0, 2]]), np.array([[0, 0, 0.1]]))
    np.testing.assert_allclose(fused([one, two, three]), [[1, 2, 2]])
    np.testing.assert_allclose(fused([one, two, 0 * three]), [[1, 2, 0.5]])
    np.testing.assert_allclose(fused([100 * one, two / 7]), [[1, 2, 0.5]])
    np.testing.assert_array_equal(fused([0 * one, 1e-9 * two]), np.zeros((1, 3)))


def test_a_frame_of_light_and_colour_alone_is_about_that_of_an_image():
    frame = synthetic_video.frame(synthetic_video.scene(0), 0).image
    (found,) = le_meur_video([frame])
    assert np.corrcoef(found.ravel(), le_meur(frame).ravel())[0, 1] > 0.8


@pytest.mark.parametrize("size", [(1, 1), (1, 40), (40, 1), (2, 2), (33, 50)])
def test_videos_of_any_size(size, rng):
    for frames in (np.full((2, *size, 3), 99, "uint8"), rng.integers(0, 256, (3, *size, 3)).astype("uint8")):
        maps = list(le_meur_video(frames))
        assert len(maps) == len(frames)
        for found in maps:
            assert found.shape == size and np.isfinite(found).all() and found.min() >= 0 and found.max() in (0, 1)
            assert len(frames) == 3 or not found.any()


def test_bad_videos_are_refused():
    frames = np.zeros((2, 20, 30, 3), "uint8")
    for wrong, says in (
        (frames[:0], "The video has no frame"),
        ([frames[0], frames[1, :-1]], "Frame 2 is 19x30, the first one 20x30"),
        (frames.astype("float32"), "Frame 1 is float32"),
    ):
        with pytest.raises(ValueError, match=says):
            list(le_meur_video(wrong))


def test_motion_that_pops_out_is_found(videos):
    begin = synthetic_video.scene(int(videos.test[0].group[-4:])).begin
    found = list(le_meur_video(sample.read() for sample in videos.test[:16]))
    gains = []
    for i in range(begin, 16, 2):
        sample = videos.test[i]
        truth = ks.scoring.make_truth(sample)
        spatial = fused(conspicuities(sample.read() / 255))
        gains.append([ks.scoring.score(each, truth, metrics=["nss"])["nss"] for each in (found[i], spatial)])
    with_motion, without = np.mean(gains, 0)
    assert with_motion > without + 1


def test_a_source_goes_through_each_video_from_its_first_frame(videos):
    source = open_source("lemeur-video", data=videos)
    assert isinstance(source, VideoBaselineSource) and source.name == "lemeur-video"
    samples = videos.test[12:20]
    found = [each.values for each in source.predictions(samples)]
    assert len(found) == 8
    images = [sample.read() for sample in samples]
    np.testing.assert_array_equal(found, [*le_meur_video(images[:4]), *le_meur_video(images[4:])])


def test_an_image_is_a_video_of_one_frame(tiny):
    (found,) = VideoBaselineSource("lemeur-video", tiny).predictions(tiny.test[:1])
    (expected,) = le_meur_video([tiny.test[0].read()], tiny.pixels_per_degree)
    np.testing.assert_array_equal(found.values, expected)


def test_an_unknown_name_lists_the_known_ones(videos):
    with pytest.raises(ValueError, match="Unknown baseline of videos 'itti'. Known baselines of videos: lemeur-video"):
        make_video_baseline("itti", videos)
    assert set(VIDEO_BASELINES) == {"lemeur-video"}
