"""RARE2012 (Riche et al., 2013): what is rare over several scales, in colour or orientation, draws the eye."""

import cv2
import numpy as np

from keras_saliency.baselines.features import check_image, resample, size_within, to_saliency

ORIENTATIONS = np.arange(8) * np.pi / 8
PERIODS = (4.0, 4 * np.sqrt(2), 8.0)  # of the Gabor filters, pixels of the working size
ENVELOPE, REACH = 0.5, 3  # standard deviation in periods; radius of the kernel in standard deviations
SCALES = (1, 1 / 2, 1 / 4, 1 / 8)  # at which occurrences are counted
BINS = 11
FLAT = 1e-4  # of the range of intensity; a feature that varies by less, as colour in a grey image, tells nothing


def rare(image, longer_side=400, blur=0.02):
    """Saliency as the rarity of colours and orientations.

    The colours of the image are decorrelated by principal component analysis. Each of the three channels is a
    low-level feature itself, and the energy in it of Gabor filters of 8 orientations and 3 scales are medium-level
    ones. Each feature's rarity is -log p, where p is the share of pixels that have about the same value, the mean
    of four resolutions. Rarity maps are summed with their efficiency as weight, (maximum - mean)^2 of the map in
    [0, 1], which is high for a few isolated peaks: first the orientations of a channel, then with its colour, then
    the channels.

    Args:
        image: `(height, width, 3)`, RGB, uint8.
        longer_side: The image is brought to this many pixels along its longer side, up or down; 400.
        blur: Standard deviation of the final Gaussian as a share of the longer side; 0.02.

    Returns:
        `(height, width)`, float64, non-negative, with a peak of one; zeros for a constant image. A channel without
        variation (colour, in a grey image) adds nothing.

    Raises:
        ValueError: If the image has another shape or type.

    Source:
        Riche, Mancas, Duvinage, Mibulumukini, Gosselin & Dutoit, "RARE2012: a multi-scale rarity-based saliency
        detection with its comparative statistical analysis", Signal Processing: Image Communication 28(6), 2013. Our
        own implementation. Our choices: the working size; the periods of the Gabor filters (4, 5.7 and 8 pixels of
        it), without answer to a constant; 11 bins between the extremes of a feature at each of the scales 1, 1/2,
        1/4, 1/8; the efficiency as the weight in every fusion, without a ranking; the final blur.
    """
    original = check_image(image)
    channels = decorrelated(_resized(original, longer_side / max(original.shape[:2])))
    saliency = fused([fused([rarity(channel), fused(map(rarity, _energies(channel)))]) for channel in channels])
    blurred = cv2.GaussianBlur(saliency, (0, 0), blur * longer_side, borderType=cv2.BORDER_REFLECT)
    return to_saliency(blurred, original.shape[:2])


def decorrelated(image):
    """The three principal components of the colours of an image, the strongest first."""
    centred = image - image.mean((0, 1))
    axes = np.linalg.eigh(np.einsum("yxi,yxj->ij", centred, centred))[1][:, ::-1]
    # An axis may point either way; its largest entry shall be positive.
    largest = axes[np.abs(axes).argmax(0), range(3)]
    return list(np.ascontiguousarray(np.moveaxis(centred @ (axes * np.sign(largest)), 2, 0)))


def rarity(feature):
    """-log of the share of pixels with about the same value, the share being the mean over the scales."""
    if np.ptp(feature) <= FLAT:
        return np.zeros(feature.shape)
    shares = (_shares(_resized(feature, scale)) for scale in SCALES)
    return -np.log(np.mean([cv2.resize(share, feature.shape[::-1]) for share in shares], 0))


def fused(maps):
    """The sum of maps brought to [0, 1], each weighted with its efficiency."""
    total = 0
    for rare_map in maps:
        raised = rare_map - rare_map.min()
        unit = raised / (raised.max() or 1)
        total = total + (unit.max() - unit.mean()) ** 2 * unit
    return total


def _resized(image, scale):
    return resample(image, size_within(image.shape[:2], scale * max(image.shape[:2])))


def _shares(feature):
    """For each pixel the share of all that lie in its bin, of 11 between the extremes."""
    extent = np.ptp(feature) or 1
    # The highest value belongs to the last bin, not to one of its own.
    places = np.minimum((feature - feature.min()) * (BINS / extent), BINS - 1).astype("intp")
    return np.bincount(places.ravel())[places] / feature.size


def _energies(channel):
    """The energy of each of the quadrature pairs of Gabor filters."""
    for pair in _GABORS:
        yield np.hypot(*(cv2.filter2D(channel, -1, part, borderType=cv2.BORDER_REFLECT) for part in pair))


def _gabor_pair(angle, period):
    """The even and the odd filter that answer to a grating whose normal lies at the angle."""
    sigma = ENVELOPE * period
    radius = int(np.ceil(REACH * sigma))
    y, x = np.mgrid[-radius : radius + 1, -radius : radius + 1]
    envelope = np.exp(-(x**2 + y**2) / (2 * sigma**2))
    phase = 2 * np.pi / period * (x * np.cos(angle) + y * np.sin(angle))
    even, odd = envelope * np.cos(phase), envelope * np.sin(phase)
    even -= envelope * even.sum() / envelope.sum()
    return even / np.abs(even).sum(), odd / np.abs(odd).sum()


_GABORS = [_gabor_pair(angle, period) for period in PERIODS for angle in ORIENTATIONS]
