"""Motion as pictures."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from keras_saliency.data import optical_flow, with_flow


def moving(rng, steps, size=(48, 64)):
    """A texture that has moved by so many pixels, down and to the right, in each frame."""
    texture = gaussian_filter(rng.random((120, 140)), 2.0)
    texture = 255 * (texture - texture.min()) / np.ptp(texture)
    frames = [texture[40 - down : 40 - down + size[0], 40 - right : 40 - right + size[1]] for down, right in steps]
    return np.stack(frames)[..., None].repeat(3, -1).astype("uint8")


def test_pictures_show_where_things_move(rng):
    pictures = optical_flow(moving(rng, [(0, 0), (0, 4), (3, 4)]))
    assert pictures.shape == (3, 48, 64, 3) and pictures.dtype == "float32"
    u, v, length = (pictures[:, 8:-8, 8:-8, i].mean((1, 2)) for i in range(3))
    np.testing.assert_allclose(40 / 255 * (u - 127.5), [0, 4, 0], atol=0.3)
    np.testing.assert_allclose(40 / 255 * (v - 127.5), [0, 0, 3], atol=0.3)
    np.testing.assert_allclose(20 / 255 * length, [0, 4, 3], atol=0.3)
    fast = optical_flow(moving(rng, [(0, 0), (0, 4)]), fastest=1.0)[1, 8:-8, 8:-8]
    np.testing.assert_allclose(np.median(fast[..., [0, 2]], (0, 1)), 255)


def test_no_motion_is_grey_and_black():
    for frames in (np.zeros((3, 20, 24, 3)), np.full((2, 1, 20, 24, 3), 200.0)):
        pictures = optical_flow(frames)
        np.testing.assert_array_equal(pictures, np.broadcast_to([127.5, 127.5, 0.0], frames.shape))


def test_parts_of_videos_go_on_from_the_frame_before(rng):
    frames = np.stack([moving(rng, [(0, i) for i in range(6)]), moving(rng, [(i, 0) for i in range(6)])])
    stacked = with_flow(frames)
    assert stacked.shape == (2, 6, 48, 64, 6)
    np.testing.assert_array_equal(stacked[..., :3], frames)
    np.testing.assert_array_equal(with_flow(frames[1])[..., 3:], stacked[1, ..., 3:])
    halves = [with_flow(frames[:, :3]), with_flow(frames[:, 3:], frames[:, 2])]
    np.testing.assert_array_equal(np.concatenate(halves, 1), stacked)
    np.testing.assert_array_equal(with_flow(frames[0, 3:], frames[0, 2]), stacked[0, 3:])


def test_what_are_no_frames_is_refused(rng):
    for wrong in (np.zeros((20, 24, 3)), np.zeros((2, 20, 24, 1)), np.zeros((0, 20, 24, 3))):
        with pytest.raises(ValueError, match=r"frames must be \(\[batch,\] time, height, width, 3\)"):
            optical_flow(wrong)
    frames = np.zeros((2, 3, 20, 24, 3))
    for wrong in (np.zeros((20, 24, 3)), np.zeros((2, 20, 25, 3))):
        with pytest.raises(ValueError, match=r"previous must be the last frame of before, \(2, 20, 24, 3\)"):
            optical_flow(frames, wrong)
