"""Le Meur et al. 2007: what is salient in each frame, and what moves otherwise than most of the picture."""

import itertools
from collections.abc import Iterable, Iterator, Sequence

import cv2
import numpy as np

from keras_saliency.baselines.features import FAINT, check_image, resample, to_saliency
from keras_saliency.baselines.le_meur import conspicuities
from keras_saliency.data.flow import motion
from keras_saliency.data.videos import of_one_size
from keras_saliency.formulas.types import Photograph, Plane

POINTS = 4096  # pixels at most, evenly over the frame, that the dominant motion is fitted to
STILL = 0.1  # pixels from frame to frame that the flow does not tell from none


def le_meur_video(frames: Iterable[Photograph], pixels_per_degree: float | None = None) -> Iterator[Plane]:
    """Saliency of each frame of a video: contrast of light, of colours, and of motion.

    Of each frame the achromatic and the chromatic map are those of `keras_saliency.baselines.le_meur.le_meur`. The
    temporal one is the speed of each pixel relative to the dominant motion of the picture, as far as it is above the
    median of these speeds: what the camera does is not salient, and where all moves, nothing stands out. Each of the
    three is divided by its peak, and to their sum the products of all pairs are added, which favour what several agree
    on.

    Args:
        frames: Anything that yields the frames of one video in order, `(height, width, 3)`, uint8 RGB, all of one
            size. Only the last one is kept. The first one has no motion.
        pixels_per_degree: As in `le_meur`.

    Yields:
        For each frame, in order, its map `(height, width)`, float64, non-negative, with a peak of one; zeros for a
        constant frame of which nothing moves.

    Raises:
        ValueError: If there is no frame, one is no image, or of another size than the first.

    Source:
        Le Meur, Le Callet & Barba, "Predicting visual fixations on video based on low-level visual features", Vision
        Research 47(19), 2007. Our own implementation, in its manner: that there are these three maps and a fusion is
        said in the abstract; the affine dominant motion, the median, and sums and products in the fusion are written
        from memory, unchecked. Every constant is ours, and so are: Farnebäck's flow, where they match blocks over a
        hierarchy of sizes; the fit by least median of squares; the median taken off, and no division by it; motion in
        pixels from frame to frame, of which less than a tenth counts as none; peaks as the scale of the three maps.
    """
    before = None
    for frame in of_one_size(frames):
        spatial = conspicuities(check_image(frame), pixels_per_degree)
        moving = np.zeros(spatial[0].shape) if before is None else motion_contrast(before, frame)
        yield to_saliency(fused([*spatial, resample(moving, spatial[0].shape)]), frame.shape[:2])
        before = frame


def motion_contrast(before: Photograph, frame: Photograph) -> Plane:
    """How much faster than most each pixel of a frame moves against the dominant motion, pixels from frame to frame."""
    # The motion backwards lies where things are now, and is as fast.
    speed = np.linalg.norm(residual(motion(frame, before)), axis=-1)
    contrast = np.maximum(speed - np.median(speed), 0)
    return np.where(contrast > STILL, contrast, 0)


def residual(flow: np.ndarray) -> np.ndarray:
    """What is left of a flow `(height, width, 2)` without its dominant motion.

    That is the affine motion, of six parameters, with the least median of squares, fitted once more to what goes with
    it: shifts, zooms and turns of a camera, whatever moves otherwise on less than half of the picture.
    """
    height, width = flow.shape[:2]
    places = np.stack(np.meshgrid(np.arange(width), np.arange(height)), -1).astype("float64")
    arrived = places + flow
    every = int(np.ceil(np.sqrt(height * width / POINTS)))
    start, moved = (each[::every, ::every].reshape(-1, 2) for each in (places, arrived))
    in_line = min(height, width) < 2
    affine = None if in_line else cv2.estimateAffine2D(start, moved, method=cv2.LMEDS)[0]
    if affine is None:
        return flow - np.median(flow, (0, 1))
    return arrived - (places @ affine[:, :2].T + affine[:, 2])


def fused(maps: Sequence[Plane]) -> Plane:
    """The sum of maps, each with a peak of one, and of the products of all pairs; what is faint stays zero."""
    scaled = [each / each.max() if each.max() > FAINT else np.zeros(each.shape) for each in maps]
    pairs = [one * other for one, other in itertools.combinations(scaled, 2)]
    return np.sum([*scaled, *pairs], 0)
