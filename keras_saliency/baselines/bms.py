"""Boolean Map based Saliency (Zhang & Sclaroff, 2013; 2016): what is surrounded draws the eye."""

import cv2
import numpy as np

from keras_saliency.baselines.features import check_image, resample, size_within, to_saliency
from keras_saliency.formulas.types import Photograph, Plane

LEVELS = 255  # the range each channel is stretched to, in which steps are counted
LIGHTNESS_SCALE = 2.55  # brings L to the unit of the 8-bit CIELAB that the regulariser is stated in
REGULARISER = 50.0  # variance added to each channel before whitening, so that noise in a faint one stays faint
FLAT = 1e-3  # standard deviations; one grey level of an 8-bit image is more, rounding less
OPENING, DILATION, FINAL_DILATION = (np.ones((side, side), np.uint8) for side in (3, 7, 9))


def bms(image: Photograph, longer_side: int = 400, step: float = 8, blur: float = 9.0) -> Plane:
    """Saliency as the share of Boolean maps in which a pixel is surrounded.

    The colours of the image are whitened and every channel cut at uniform thresholds. In each of the Boolean maps,
    and in its complement, the regions that touch the border of the image are removed. What is left is dilated and
    divided by its L2 norm, which favours small regions; the mean of all maps is dilated and blurred once more.

    Args:
        image: `(height, width, 3)`, RGB, uint8.
        longer_side: The image is brought to this many pixels along its longer side, up or down; 400.
        step: Between thresholds, in 255ths of a channel's range; 8 makes 32 thresholds a channel.
        blur: Standard deviation of the final Gaussian in pixels of the working size; 9.

    Returns:
        `(height, width)`, float64, non-negative, with a peak of one. Zeros where nothing is surrounded, as in a
        constant image. A channel without variation (colour, in a grey image) adds nothing.

    Raises:
        ValueError: If the image has another shape or type.

    Source:
        Zhang & Sclaroff, "Saliency detection: a Boolean map approach", ICCV 2013; "Exploiting surroundedness for
        saliency detection: a Boolean map approach", IEEE TPAMI 38(5), 2016. Our own implementation. The step, the
        opening (5 pixels at a width of 600, here 3 at 400) and the first dilation follow the first paper, the
        regularised whitening and the working size the second. Our choices: a regulariser of 50; 9 pixels for the
        final dilation and the final blur; as root of the inverse covariance, where any will whiten, the symmetric one,
        which leaves each channel closest to its own colour axis; thresholds in the middle of the steps, so that a
        negative of two values has the same Boolean maps; 4-connected regions.
    """
    original = check_image(image)
    channels = _whitened(resample(original, size_within(original.shape[:2], longer_side)))
    attention = np.zeros(channels[0].shape)
    for channel in channels:
        for threshold in np.arange(step / 2, LEVELS, step):
            above = (channel > threshold).astype("uint8")
            for boolean in (above, 1 - above):
                region = cv2.dilate(surrounded(cv2.morphologyEx(boolean, cv2.MORPH_OPEN, OPENING)), DILATION)
                attention += region / np.sqrt(max(np.count_nonzero(region), 1))  # type: ignore[call-overload]
    attention = cv2.dilate(attention, FINAL_DILATION)
    return to_saliency(cv2.GaussianBlur(attention, (0, 0), blur, borderType=cv2.BORDER_REFLECT), original.shape[:2])


def surrounded(boolean: Plane) -> Plane:
    """The regions of ones in a map of uint8 that do not touch its border."""
    # A frame of ones joins all regions at the border, and one flood fill removes them.
    framed = cv2.copyMakeBorder(boolean, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=1)
    cv2.floodFill(framed, None, (0, 0), 0)
    return framed[1:-1, 1:-1]


def _whitened(image):
    """The channels of CIELAB without correlation, each stretched to [0, 255]; flat ones are zero."""
    lab = cv2.cvtColor(image.astype("float32"), cv2.COLOR_RGB2LAB).astype("float64") * (LIGHTNESS_SCALE, 1, 1)
    centred = lab - lab.mean((0, 1))
    covariance = np.einsum("yxi,yxj->ij", centred, centred) / centred[..., 0].size
    variances, axes = np.linalg.eigh(covariance + REGULARISER * np.eye(3))
    white = np.moveaxis(centred @ (axes / np.sqrt(variances) @ axes.T), 2, 0)
    low, extent = white.min((1, 2), keepdims=True), np.ptp(white, (1, 2), keepdims=True)
    return np.where(extent > FLAT, (white - low) * (LEVELS / np.maximum(extent, FLAT)), 0)
