"""Graph-based visual saliency (Harel, Koch & Perona 2006): where a walker drawn by differences spends its time."""

import cv2
import numpy as np

from keras_saliency.baselines.features import (
    FAINT,
    check_image,
    gabor_energy,
    opponents,
    pyramid,
    resample,
    size_within,
    to_saliency,
)
from keras_saliency.formulas.types import Photograph, Plane

LEVELS = (2, 3, 4)
MAP_SIDE = 32  # pixels of the longer side: the graph has an edge between any two of them
ACTIVATION_SPREAD, CONCENTRATION_SPREAD, BLUR = 0.15, 0.06, 0.02  # standard deviations as shares of the mean side


def gbvs(image: Photograph, longer_side: int = 640) -> Plane:
    """The saliency map of Harel, Koch & Perona, by random walks on the pixels of feature maps.

    Intensity, two opponent colours and the Gabor energy of four orientations, at three levels of a pyramid, are reduced
    to 32 pixels. On each of the 21 maps M a walker steps from i to j with a probability proportional to
    |M(i) - M(j)| exp(-d(i, j)^2 / 2 sigma^2); the share of time it spends at a pixel is the activation A. A second
    walker, with A(j) in place of the difference and a narrower Gaussian, gathers the activation in few places. The
    results are averaged within intensity, colour and orientation, these three added, and blurred. Pixels in the middle
    have more neighbours, so the map favours the centre by itself.

    Args:
        image: `(height, width, 3)`, RGB, uint8.
        longer_side: Pixels the longer side of the image is brought to, up or down, before anything else. The scales of
            the features are fixed in pixels; the default is the same as that of `itti`.

    Returns:
        The saliency map `(height, width)`, float64, non-negative, with a peak of one. An image without any contrast
        gives zeros, as a walker without differences has nowhere to go; in a grey one colour takes no part.

    Raises:
        ValueError: If the image has another shape or type; the message says what to do.

    Source:
        J. Harel, C. Koch, P. Perona: Graph-Based Visual Saliency. Advances in Neural Information Processing Systems 19,
        545-552, 2006. Our own implementation.

        Where the paper offers a choice: the dissimilarity is |M(i) - M(j)|, as in the authors' toolbox, not
        |log(M(i) / M(j))|, which is undefined for opponent colours. Where it is silent, numbers are those of the
        toolbox: levels 2, 3 and 4, a map of 32 pixels, spreads of 0.15, 0.06 and 0.02 of the map's mean side.

        Where it differs from the toolbox: opponent colours are those of Itti, Koch & Niebur (1998) instead of DKL, the
        Gabor filters those of `itti`. The second walk is that of the paper, which newer versions of the toolbox
        replace by the power 1.5. The equilibrium is exact, see `equilibrium`, where the toolbox iterates.
    """
    image = check_image(image)
    working = resample(image, size_within(image.shape[:2], longer_side))
    intensity, *opponent = (_levels(feature) for feature in opponents(working))
    channels = (
        intensity,
        [colour for colours in opponent for colour in colours],
        [energy for level in intensity for energy in gabor_energy(level)],
    )
    size = size_within(image.shape[:2], MAP_SIDE)
    activation, concentration = (_nearness(size, spread) for spread in (ACTIVATION_SPREAD, CONCENTRATION_SPREAD))
    walks = [[_walked(feature, size, activation, concentration) for feature in features] for features in channels]
    total = sum(np.mean(maps, 0) for maps in walks).reshape(size)
    blurred = cv2.GaussianBlur(total, (0, 0), BLUR * np.mean(size), borderType=cv2.BORDER_REFLECT)  # type: ignore[call-overload]
    return to_saliency(blurred, image.shape[:2])


def equilibrium(weights: np.ndarray) -> np.ndarray:
    """The share of time that a walker spends at each node of an undirected graph.

    It steps along an edge with a probability proportional to its weight. As much passes either way along each edge, so
    its time at a node is proportional to the weights there: no iteration is needed.

    Args:
        weights: `(nodes, nodes)`, symmetric, non-negative, not all zero.

    Returns:
        `(nodes,)`, summing to one.
    """
    return weights.sum(1) / weights.sum()


def _levels(feature):
    steps = pyramid(feature, max(LEVELS) + 1)
    return [steps[level] for level in LEVELS]


def _walked(feature, size, activation, concentration):
    """The equilibrium of both walks, one after the other, on a feature map; zeros where nothing differs."""
    feature = resample(feature, size).ravel()
    if np.ptp(feature) < FAINT:
        return np.zeros(feature.size)
    active = equilibrium(np.abs(np.subtract.outer(feature, feature)) * activation)
    # A factor of the node that is left cancels from the probabilities of its steps and makes the weights symmetric.
    return equilibrium(np.outer(active, active) * concentration)


def _nearness(size, spread):
    """The Gaussian of the distance between any two pixels, `(pixels, pixels)`."""
    y, x = np.indices(size).reshape(2, -1)
    squared = np.subtract.outer(y, y) ** 2 + np.subtract.outer(x, x) ** 2
    return np.exp(-squared / (2 * (spread * np.mean(size)) ** 2))
