"""Adaptive whitening saliency (Garcia-Diaz et al., 2012): what is far from the mean of its own image draws the eye."""

import functools

import cv2
import numpy as np
from scipy import fft

from keras_saliency.baselines.features import (
    ORIENTATIONS,
    check_image,
    lab,
    mirrored,
    resample,
    size_within,
    to_saliency,
)
from keras_saliency.formulas.types import Photograph, Plane, Size

SHORTEST = 3.0  # wavelength of the finest filters, pixels of the working size; each scale doubles it
SCALES = 8  # at most
BANDWIDTH = np.log(0.55)  # standard deviation over the logarithm of the frequency; about two octaves
DEVIATION = np.deg2rad(37.5)  # standard deviation over the angle
FLAT = 1e-10  # share of the largest variance below which a component is rounding


def aws(image: Photograph, longer_side: int = 400, blur: float = 0.021) -> Plane:
    """Saliency as the distance from the mean in features that are whitened on the image itself.

    The Lab colours of the image are whitened: principal components, each of unit variance. The energy of each
    component in log-Gabor filters of 4 orientations is taken at several scales. For each component and orientation
    the energies at all scales are whitened again, and the squared length of that vector is the squared distance of a
    pixel from the mean (Hotelling's T^2): high for an energy, or a combination of energies, that is rare in this
    image. The maps are blurred and their geometric mean taken. Nothing is learned, and no place is favoured.

    Args:
        image: `(height, width, 3)`, RGB, uint8.
        longer_side: The image is brought to this many pixels along its longer side, up or down; 400.
        blur: Standard deviation of the Gaussian as a share of the longer side; 0.021.

    Returns:
        `(height, width)`, float64, non-negative, with a peak of one; zeros for a constant image. A component without
        variance (colour, in a grey image) adds nothing; one of little variance counts as much as any other.

    Raises:
        ValueError: If the image has another shape or type.

    Source:
        Garcia-Diaz, Fdez-Vidal, Pardo & Dosil, "Saliency from hierarchical adaptation through decorrelation and
        variance normalization", Image and Vision Computing 30(1), 2012. Our own implementation, in the manner of
        AWS: the program of the authors is published in a form that cannot be read, but for the width of the blur, which
        is theirs. From memory of the paper, unchecked: the order of the steps; 4 orientations; octaves between at most
        8 scales; both bandwidths of the filters. Our choices: the working size; a shortest wavelength of 3 pixels of
        it, where we remember 6 of the image as it is; scales while the wavelength is below half the shorter side, as
        many for each component, where we remember fewer for colour; Lab scaled to unit variance before its principal
        components, so that the unit of a channel means nothing; the image mirrored beyond its borders; the geometric
        mean, where we remember a sum of maps scaled by their maximum: it needs no scaling, and did better on the
        validation images of OSIE.
    """
    original = check_image(image)
    # Shrunk in Lab, colours are mixed along the line between them: an image of two has one component at any size.
    colours = resample(lab(original), size_within(original.shape[:2], longer_side))
    return to_saliency(conspicuity(np.moveaxis(colours, 2, 0), blur * longer_side), original.shape[:2])


def conspicuity(planes: np.ndarray, sigma: float) -> Plane:
    """The geometric mean of the blurred distances of all components and orientations, of planes `(3, height, width)`.

    It is the same for planes with another gain and offset each.
    """
    found = [distance for plane in whitened(planes) for distance in distances(plane)]
    blurred = [cv2.GaussianBlur(each, (0, 0), sigma, borderType=cv2.BORDER_REFLECT) for each in found]
    # What varies nowhere is nowhere salient.
    logarithms = [np.log(each + np.finfo("float64").tiny) for each in blurred if each.any()]
    return np.exp(np.mean(logarithms, 0)) if logarithms else np.zeros(planes.shape[1:])


def distances(plane: Plane) -> list[Plane]:
    """For each orientation the squared distance of the energies at all scales from their mean."""
    larger, inside = mirrored(plane)
    spectrum = fft.fft2(larger.astype("float32"))
    radial, angular = log_gabors(spectrum.shape, scales(plane.shape))
    return [
        np.sum(whitened(np.stack([np.abs(fft.ifft2(part * scale))[inside] for scale in radial])) ** 2, 0)
        for part in (spectrum * lobe for lobe in angular)
    ]


def whitened(planes: np.ndarray) -> np.ndarray:
    """The principal components of planes `(n, height, width)`, of unit variance, the strongest first.

    The planes are scaled to unit variance beforehand. Planes and components that are flat but for rounding are left
    out, so there may be fewer, even none.
    """
    values = np.reshape(planes, (len(planes), -1)).astype("float64")
    power = np.mean(values**2, 1).max()
    values -= values.mean(1, keepdims=True)
    variances = np.mean(values**2, 1)
    varied = variances > FLAT * power
    values = values[varied] / np.sqrt(variances[varied, None])
    variances, axes = np.linalg.eigh(values @ values.T / values.shape[1])
    kept = variances > FLAT * len(variances)
    components = (axes[:, kept] / np.sqrt(variances[kept])).T[::-1] @ values
    return components.reshape(-1, *planes.shape[1:])


def scales(size: Size) -> int:
    """How many scales fit: as long as the wavelength is below half the shorter side, but at least one."""
    return max(1, sum(SHORTEST * 2**scale < min(size) / 2 for scale in range(SCALES)))


@functools.lru_cache(maxsize=4)
def log_gabors(size: Size, count: int) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """The radial factors of the filters, one for each scale, and the angular ones, in the order of the transform.

    Their answer to a constant is zero. The angular lobe lies on one side of the origin, so the answer to a grating is
    complex, and its modulus free of the phase.
    """
    y, x = np.meshgrid(*map(fft.fftfreq, size), indexing="ij")
    frequency = np.hypot(y, x)
    # Beyond half a period a pixel, and at it, the plane of frequencies is not the same in all directions.
    inside = (frequency > 0) & (frequency < 0.5)
    octaves = np.log(np.where(inside, frequency, 1) * SHORTEST)
    away = [np.angle(np.exp(1j * (np.arctan2(y, x) - angle))) for angle in ORIENTATIONS]
    radial = [inside * np.exp(-(((octaves + scale * np.log(2)) / BANDWIDTH) ** 2) / 2) for scale in range(count)]
    angular = [np.exp(-((angle / DEVIATION) ** 2) / 2) for angle in away]
    return [each.astype("float32") for each in radial], [each.astype("float32") for each in angular]
