"""The centre bias: where people look whatever the image."""

from typing import TYPE_CHECKING

import cv2
import numpy as np
from scipy.ndimage import gaussian_filter

from keras_saliency.baselines.fitting import search
from keras_saliency.formulas.types import Plane, Size

if TYPE_CHECKING:
    from keras_saliency.data.samples import Sample, Samples

GRID = (120, 160)
BANDWIDTHS = np.geomspace(0.01, 0.16, 17)
UNIFORM_SHARES = (1e-6, 1e-4, 1e-3, 0.01, 0.03, 0.1, 0.2, 0.4, 0.7, 1.0)  # never none: fixations may be anywhere


class CentreBias:
    """A kernel density estimate over the fixations of the training images, in coordinates relative to the image.

    Bandwidth and the share of a uniform density are those that make the validation fixations most likely.

    Args:
        train: The training split.
        validation: The validation split.

    Raises:
        ValueError: If either has neither fixations nor maps.

    Attributes:
        bandwidth: The standard deviation of the kernel as a share of the image's width.
        uniform_share: The weight of the uniform density.
        density: The density on a grid of 120x160, summing to one; positive everywhere.
    """

    def __init__(self, train: "Samples", validation: "Samples") -> None:
        seen, unseen = (sum(relative_counts(sample) for sample in part) for part in (train, validation))
        for name, counts in {"training": seen, "validation": unseen}.items():
            if np.sum(counts) == 0:
                raise ValueError(f"The {name} split has no fixations, and the centre bias is fitted on them. Add some.")

        def fit(bandwidth):
            kernel = gaussian_filter(seen / seen.sum(), bandwidth * GRID[1], mode="reflect")
            mixed = {share: (1 - share) * kernel / kernel.sum() + share / kernel.size for share in UNIFORM_SHARES}
            likelihood, share = max((np.sum(unseen * np.log(mixed[share])), -share) for share in mixed)
            return likelihood, (-share, mixed[-share])

        self.bandwidth, (self.uniform_share, self.density) = search(BANDWIDTHS, fit, "bandwidth of the centre bias")

    def log_density(self, size: Size) -> Plane:
        """The log-density `(height, width)` on an image of that size, summing to one in the exponential."""
        resized = cv2.resize(np.log(self.density), size[::-1], interpolation=cv2.INTER_LINEAR)
        return resized - np.log(np.sum(np.exp(resized)))


def relative_counts(sample: "Sample", grid: Size = GRID) -> Plane:
    """The fixations of an image counted on a grid that stretches over it; without any, its map as one fixation."""
    height, width = sample.size
    if sample.ground_truth is not None and not len(sample.fixations):
        resized = cv2.resize(sample.read_ground_truth(), grid[::-1], interpolation=cv2.INTER_AREA)
        return resized / resized.sum()
    return np.histogram2d(sample.fixations.y / height, sample.fixations.x / width, bins=grid, range=((0, 1), (0, 1)))[0]
