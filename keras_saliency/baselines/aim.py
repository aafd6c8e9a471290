"""Attention by Information Maximisation (Bruce & Tsotsos, 2009): what is improbable within its image is salient."""

from collections.abc import Iterable

import cv2
import numpy as np

from keras_saliency.baselines.features import check_image, shares, to_saliency
from keras_saliency.baselines.fitting import ask
from keras_saliency.formulas.types import Photograph, Plane

SCALE = 0.5  # patches are learned and images read at half size, the default of the authors' code
PATCHES = 200  # drawn from each image that the basis is learned from
VARIANCE = 0.95  # share that the principal components keep
NEGLIGIBLE = 1e-9  # variance of a direction in units of [0, 1]; less is rounding
ITERATIONS, TOLERANCE = 500, 1e-3  # of the independent component analysis
BINS = 100
FLAT = 1e-3  # a coefficient has unit variance over the patches learned from; one varying by less tells nothing
BLUR = 8.0  # standard deviation in pixels at half size


class AIM:
    """Saliency as the self-information of a patch's independent components within the image.

    A basis of independent components is learned from random colour patches. The coefficients of an image are counted
    in one histogram per component, over the image itself, which gives each coefficient its probability p. The map is
    the sum of -log p over the components, as if they were independent, less its minimum, and blurred.

    Args:
        images: The images to learn from, an iterable of `(height, width, 3)`, RGB, uint8. Some 100 will do: 200
            patches are drawn from each.
        patch: The side of a patch in pixels at half size, odd; 21.
        components: How many principal components to keep for the analysis; None for as many as keep 95% of the
            variance.
        seed: Of the draw of patches and of the analysis.

    Attributes:
        basis: `(components, patch, patch, 3)`, float32: the filters whose answers are the coefficients.

    Raises:
        ValueError: If there is no image, one has another shape or type or is smaller than a patch, the side of the
            patch is even, or the patches do not vary in as many directions as there shall be components.

    Source:
        Bruce & Tsotsos, "Saliency, attention, and visual search: an information theoretic approach", Journal of Vision
        9(3):5, 2009; "Saliency based on information maximization", NIPS 2005. Our own implementation. The analysis is
        FastICA of patches of whatever images are given, where the authors use infomax or JADE on images of their own,
        and the share of variance is theirs. Our choices: 100 bins between the extremes of each coefficient;
        probabilities of the patches that lie within the image only, and the map continued outwards with its nearest
        value, where the authors' code sets that margin to the minimum, which favours the centre.
    """

    def __init__(
        self, images: Iterable[Photograph], patch: int = 21, components: int | None = None, seed: int = 0
    ) -> None:
        if patch % 2 == 0:
            raise ValueError(f"The side of the patch is {patch}. Pass an odd number, so that a patch has a centre.")
        self.patch = patch
        generator = np.random.default_rng(seed)
        drawn = [self._draw(self._halved(check_image(image)), generator) for image in images]
        if not drawn:
            raise ValueError("There is no image to learn the basis from. Pass some 100.")
        self.basis = _independent(np.concatenate(drawn), components, seed).reshape(-1, patch, patch, 3)

    def __call__(self, image: Photograph) -> Plane:
        """The saliency map of an image.

        Args:
            image: `(height, width, 3)`, RGB, uint8; at least a patch at half size.

        Returns:
            `(height, width)`, float64, non-negative, with a peak of one; zeros for a constant image.

        Raises:
            ValueError: If the image has another shape or type, or is smaller than a patch at half size.
        """
        original = check_image(image)
        planes = cv2.split(self._halved(original))
        margin = self.patch // 2
        inside = tuple(slice(margin, side - margin) for side in planes[0].shape)
        information = np.zeros(planes[0][inside].shape)
        for component in self.basis:
            kernels = np.ascontiguousarray(np.moveaxis(component, 2, 0))
            answers = (cv2.filter2D(plane, -1, kernel) for plane, kernel in zip(planes, kernels, strict=True))
            information += self_information(sum(answers)[inside])
        information = np.pad(information - information.min(), margin, mode="edge")
        return to_saliency(
            cv2.GaussianBlur(information, (0, 0), BLUR, borderType=cv2.BORDER_REFLECT), original.shape[:2]
        )

    def _halved(self, image):
        """The image at half size, float32."""
        height, width = (round(side * SCALE) for side in image.shape[:2])
        if min(height, width) < self.patch:
            raise ValueError(
                f"The image measures {image.shape[0]}x{image.shape[1]} pixels, at half size less than a patch of "
                f"{self.patch}x{self.patch}. Enlarge it, or learn a basis of smaller patches."
            )
        return cv2.resize(image.astype("float32"), (width, height), interpolation=cv2.INTER_AREA)

    def _draw(self, image, generator):
        """Random patches of an image, one in each row."""
        windows = np.lib.stride_tricks.sliding_window_view(image, (self.patch, self.patch), (0, 1))
        rows, columns = (generator.integers(0, side, PATCHES) for side in windows.shape[:2])
        return np.moveaxis(windows[rows, columns], 1, -1).reshape(PATCHES, -1)


def self_information(coefficients: np.ndarray, bins: int = BINS) -> np.ndarray:
    """-log p of each coefficient, p the share of all of them that lie in its bin; zeros where they hardly vary."""
    if np.ptp(coefficients) <= FLAT:
        return np.zeros(coefficients.shape)
    return -np.log(shares(coefficients, bins))


def _independent(patches, components, seed):
    """The filters, one in each row, that bring patches (in rows) to independent components of unit variance."""
    from sklearn.decomposition import FastICA

    centred = patches - patches.mean(0)
    variances, axes = np.linalg.eigh(centred.T @ centred / len(centred))
    variances, axes = np.maximum(variances[::-1].astype("float64"), 0), axes[:, ::-1]
    if components is None:
        components = 1 + np.searchsorted(np.cumsum(variances), VARIANCE * variances.sum())
    if not 1 <= components <= np.count_nonzero(variances > NEGLIGIBLE):
        raise ValueError(
            f"The patches vary in {np.count_nonzero(variances > NEGLIGIBLE)} directions, and {components} components "
            "are asked for. Pass images that vary more, or ask for fewer components, one at least."
        )
    whitening = axes[:, :components] / np.sqrt(variances[:components])
    analysis = FastICA(whiten=False, max_iter=ITERATIONS, tol=TOLERANCE, random_state=seed)
    unmixing = analysis.fit(centred @ whitening).components_
    found = f"The independent components of AIM are not found after {ITERATIONS} iterations."
    ask(analysis.n_iter_ < ITERATIONS, found, "Pass more images, or ask for fewer components.")
    return (unmixing @ whitening.T).astype("float32")
