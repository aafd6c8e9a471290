"""Motion between frames as pictures."""

import itertools

import cv2
import numpy as np

from keras_saliency.formulas.types import Unbatched

FASTEST = 20.0  # pixels from frame to frame, of which the picture is full


def optical_flow(frames: np.ndarray, previous: np.ndarray | None = None, fastest: float = FASTEST) -> np.ndarray:
    """Pictures of the optical flow from each frame before to each frame: to the right, downwards, and how fast.

    The flow is Farnebäck's, by OpenCV. Channels are u, v and the length of (u, v), in pixels: 127.5 is no motion of the
    first two, 0 and 255 are `fastest` and more to either side, and the third goes from 0 to that. That Bak et al.
    (2018) show their networks u, v and the length in [0, 255] is written from memory; the flow that they used is
    another, and which motion gives 255 is ours.

    Args:
        frames: `(time, height, width, 3)` of one video or `(batch, time, height, width, 3)` of several, RGB in
            [0, 255].
        previous: The frame before the first, of each video, which is all that must be kept between parts of a video;
            None at the start, where the first picture has no motion.
        fastest: The motion that is full, in pixels from frame to frame.

    Returns:
        As many pictures of the same size, float32.

    Raises:
        ValueError: If frames have another form, or the frame before another size.
    """
    frames = np.asarray(frames)
    if frames.ndim not in (4, 5) or frames.shape[-1] != 3 or 0 in frames.shape:
        raise ValueError(f"frames must be ([batch,] time, height, width, 3), one at least. Received: {frames.shape}.")
    several = frames if frames.ndim == 5 else frames[None]
    first = several[:, 0] if previous is None else np.asarray(previous)
    if first.shape[-3:] != frames.shape[-3:] or first.size != several[:, 0].size:
        raise ValueError(
            f"previous must be the last frame of before, {(*frames.shape[:-4], *frames.shape[-3:])}. "
            f"Received: {first.shape}."
        )
    firsts = first.reshape(several[:, 0].shape)
    pictures = [_of_video(video, before, fastest) for video, before in zip(several, firsts, strict=True)]
    return np.stack(pictures).reshape(frames.shape)


def with_flow(frames: np.ndarray, previous: np.ndarray | None = None, fastest: float = FASTEST) -> np.ndarray:
    """Frames with the pictures of their motion behind, six channels: what networks take that see motion.

    Args:
        frames: As in `optical_flow`.
        previous: As in `optical_flow`.
        fastest: As in `optical_flow`.

    Raises:
        ValueError: As `optical_flow`.
    """
    return np.concatenate([np.asarray(frames, "float32"), optical_flow(frames, previous, fastest)], axis=-1)


def motion(start: Unbatched, end: Unbatched) -> np.ndarray:
    """Where each pixel of one frame lies in another, Farnebäck's optical flow by OpenCV.

    Args:
        start: The frame whose pixels are followed, `(height, width, 3)`, RGB in [0, 255].
        end: The other one, of the same size.

    Returns:
        `(height, width, 2)`, float32: how far to the right and downwards, in pixels; zeros between equal frames.
    """
    return _motion(_grey(start), _grey(end))


def _of_video(frames, before, fastest):
    greys = map(_grey, (before, *frames))
    return np.stack([_picture(_motion(*pair), fastest) for pair in itertools.pairwise(greys)])


def _grey(frame):
    return cv2.cvtColor(np.clip(frame, 0, 255).astype("uint8"), cv2.COLOR_RGB2GRAY)


def _motion(start, end):
    flow = np.zeros((*start.shape, 2), "float32")
    if np.array_equal(start, end):
        return flow
    # Pyramid of half sizes, three levels, windows of 15 pixels, three iterations, polynomials over 5 pixels.
    return cv2.calcOpticalFlowFarneback(start, end, flow, 0.5, 3, 15, 3, 5, 1.2, 0)


def _picture(flow, fastest):
    length = np.sqrt((flow**2).sum(-1, keepdims=True))
    shares = np.concatenate([0.5 + 0.5 * flow / fastest, length / fastest], axis=-1)
    return 255 * np.clip(shares, 0, 1)
