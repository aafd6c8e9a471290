"""The features of Judd et al. (2009): what an image looks like at each pixel, a column each."""

import cv2
import numpy as np

from keras_saliency.baselines.features import FAINT, check_image, distance_from, resample, shares
from keras_saliency.baselines.itti import conspicuities
from keras_saliency.baselines.steerable import steerable_bands
from keras_saliency.formulas.types import Photograph, Plane, Size

SIDE = 200  # all features are maps of so many pixels squared, whatever the shape of the image
SUBBAND_SCALES, TORRALBA_SCALES = 3, 4
SUBBAND_BLUR = 2.0  # standard deviation in pixels of the band, were it subsampled
BINS = 100  # of a channel or a band
COLOUR_BINS = 8  # of each channel in the histogram of colours
MEDIANS = (0, 3, 5, 9, 17)  # side of the median filter before colours are counted
NAMES = (
    "highpass",
    *(f"band{scale}_{angle}" for scale in range(1, SUBBAND_SCALES + 1) for angle in (0, 45, 90, 135)),
    *("itti_colour", "itti_intensity", "itti_orientation"),
    *("red", "green", "blue"),
    *("rarity_red", "rarity_green", "rarity_blue"),
    *(f"colour_median{side}" for side in MEDIANS),
    *("torralba", "centre_distance"),
)


def judd_features(image: Photograph) -> np.ndarray:
    """The features of an image, in the order of `NAMES`.

    Args:
        image: `(height, width, 3)`, RGB, uint8.

    Returns:
        `(200, 200, 29)`, float64. Of a constant image all features but the distance to the centre are constant.

    Raises:
        ValueError: If the image has another shape or type.

    Source:
        See `keras_saliency.baselines.judd.Judd`.
    """
    original = check_image(image)
    picture = np.round(255 * resample(original, (SIDE, SIDE))).astype("uint8")
    small = picture / 255
    bands = [_without_rounding(band) for band in steerable_bands(small.mean(2), TORRALBA_SCALES)]
    intensity, colour, orientation = conspicuities(original)
    planes = [
        *subbands(bands[: 1 + 4 * SUBBAND_SCALES]),
        *(resample(plane, (SIDE, SIDE)) for plane in (colour, intensity, orientation)),
        *np.moveaxis(small, 2, 0),
        *(channel_rarity(channel) for channel in np.moveaxis(small, 2, 0)),
        *(colour_probability(cv2.medianBlur(picture, side) if side else picture) for side in MEDIANS),
        torralba(bands[1:-1]),
        resample(centre_distance(original.shape[:2]), (SIDE, SIDE)),
    ]
    return np.stack(planes, 2)


def subbands(bands: list[Plane]) -> list[Plane]:
    """The size of the answers of a high-pass and four orientations a scale, blurred, with a mean of one or of zero."""
    # What is blurred in a band of half the size is blurred twice as widely here; the high-pass is as large as scale 1.
    scales = [max(i - 1, 0) // 4 for i in range(len(bands))]
    blurred = [
        cv2.GaussianBlur(np.abs(band), (0, 0), SUBBAND_BLUR * 2**scale, borderType=cv2.BORDER_REPLICATE)
        for band, scale in zip(bands, scales, strict=True)
    ]
    return [plane / (plane.mean() or 1) for plane in blurred]


def information(values: Plane) -> Plane:
    """-log p of each value, p its share in a histogram of 100 bins between the extremes, one added to each bin."""
    return -np.log((shares(values, BINS) * values.size + 1) / (values.size + BINS))


def channel_rarity(channel: Plane) -> Plane:
    """The information of a channel, brought to [0, 1]; zeros for a constant one."""
    raised = information(channel)
    raised -= raised.min()
    return raised / (raised.max() or 1)


def colour_probability(image: Photograph) -> Plane:
    """The share of pixels that have about the same colour: in a histogram of 8 bins for each channel."""
    red, green, blue = np.moveaxis(image.astype("intp") * COLOUR_BINS // 256, 2, 0)
    places = (red * COLOUR_BINS + green) * COLOUR_BINS + blue
    return (np.bincount(places.ravel(), minlength=COLOUR_BINS**3) / places.size)[places]


def torralba(bands: list[Plane]) -> Plane:
    """The information of the oriented bands, one plus a weighted sum, with a peak of one.

    Weights double after every six bands, as in the release, though its pyramid has four orientations a scale: they are
    2, 4 and 8, and do not follow the scales.
    """
    weighted = [2.0 ** (i // 6 + 1) * information(band) for i, band in enumerate(bands)]
    total = 1 + np.sum(weighted, 0)
    return total / total.max()


def centre_distance(size: Size) -> Plane:
    """The distance from the centre.

    The centre is the pixel before the middle, as in the release: of 5x5 pixels the second in the second row.
    """
    return distance_from((size[0] // 2 - 1, size[1] // 2 - 1), size)


def _without_rounding(band):
    return band if np.abs(band).max() >= FAINT else np.zeros(band.shape)
