"""Judd, Ehinger, Durand & Torralba (2009): where people look, learned as a weighted sum of features."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from keras_saliency.baselines.features import FAINT, check_image, resample, to_saliency
from keras_saliency.baselines.fitting import ask
from keras_saliency.baselines.judd_features import NAMES, SIDE, judd_features
from keras_saliency.data.samples import fixation_density
from keras_saliency.formulas.types import Photograph, Plane

if TYPE_CHECKING:
    from keras_saliency.data.samples import Sample

DRAWN = 10  # pixels of either kind from each image
TOP, BOTTOM = 0.2, 0.7  # shares of the pixels that salient ones and others are drawn from
BORDER = 10  # pixels of the features at each border that none is drawn from
FEWEST = 3  # images, so that there are two pixels for each feature
COST, ITERATIONS, TOLERANCE = 1.0, 1000, 1e-8  # of the support vector machine


class Judd:
    """Saliency as the weighted sum of features that tells fixated pixels from others.

    Of each image, brought to 200x200 pixels, ten pixels are drawn from the 20% where its blurred fixations are densest
    and ten from the 70% where they are least dense, none within ten pixels of the border. Features are brought to a
    mean of zero and a deviation of one over all of these, and a linear support vector machine finds their weights. Of
    an image, the map is the weighted sum, less its minimum.

    The 29 features (`NAMES`, in the order of the release): the high-pass and 12 oriented bands of a steerable pyramid;
    the conspicuity of colour, intensity and orientation of Itti, Koch & Niebur; red, green and blue; the rarity of
    each; the probability of a pixel's colour after five median filters; the improbability of the oriented bands
    (Torralba's saliency); the distance to the centre.

    Args:
        samples: What to learn from, an iterable of images with their fixations or maps. Some 100 will do.
        seed: Of the draw of pixels.

    Attributes:
        names: What the features are called.
        weights: Of each feature, in units of its deviation; positive where more of it attracts. `(29,)`, as the next.
        offset: What is added to the weighted sum: above zero, a pixel counts as fixated.
        mean: Of each feature over the pixels learned from.
        std: The standard deviation of each; one for a feature that did not vary, whose weight is zero.

    Raises:
        ValueError: If there are fewer than three images, or one has neither fixations nor a map.

    Source:
        Judd, Ehinger, Durand & Torralba, "Learning to predict where humans look", ICCV 2009. Our own implementation, in
        the manner of the released program. What it lacks: the detectors of cars, people and faces, and the horizon.
        What is ours: the weights, learned on whatever images are given; the conspicuity maps, which are those of
        `keras_saliency.baselines.itti`, not of the SaliencyToolbox; the steerable pyramid, made in the Fourier domain
        without subsampling, whose blur is the whole Gaussian; median filters of 3, 5, 9 and 17 pixels where those of
        the release are even; 8 bins for each channel in the histogram of colours; histograms of bands and channels
        between their extremes; the numbers of the draw and the cost of the machine, not checked against the paper; the
        shares counted within the border, ties in random order.
    """

    names = NAMES

    def __init__(self, samples: "Iterable[Sample]", seed: int = 0) -> None:
        generator = np.random.default_rng(seed)
        drawn = [_draw(sample, generator) for sample in samples]
        if len(drawn) < FEWEST:
            raise ValueError(f"There are {len(drawn)} images to learn from, {FEWEST} are the fewest. Pass some 100.")
        features = np.concatenate(drawn)
        salient = np.tile(np.repeat([True, False], DRAWN), len(drawn))
        self.mean, deviation = features.mean(0), features.std(0)
        self.std = np.where(np.ptp(features, 0) > FAINT, deviation, 1.0)
        self.weights, self.offset = _separate(self.whitened(features), salient, seed)

    def __call__(self, image: Photograph) -> Plane:
        """The saliency map of an image.

        Args:
            image: `(height, width, 3)`, RGB, uint8.

        Returns:
            `(height, width)`, float64, non-negative, with a peak of one. For a constant image the distance to the
            centre alone makes the map.

        Raises:
            ValueError: If the image has another shape or type.
        """
        size = check_image(image).shape[:2]
        score = self.whitened(judd_features(image)) @ self.weights
        return to_saliency(score - score.min(), size)

    def whitened(self, features: np.ndarray) -> np.ndarray:
        """Features `(..., 29)` less their mean, in units of their deviation over the pixels learned from."""
        return (features - self.mean) / self.std

    def ranked(self) -> dict[str, float]:
        """The weight of each feature by name, the largest first, whatever its sign."""
        order = np.argsort(-np.abs(self.weights), kind="stable")
        return {self.names[i]: float(self.weights[i]) for i in order}


def _draw(sample, generator):
    """The features of random pixels of an image, the salient ones first, one in each row."""
    if not sample.is_usable:
        raise ValueError(f"{sample.name} has neither fixations nor a map. Leave it out.")
    density = resample(fixation_density(sample), (SIDE, SIDE))
    inside = np.zeros((SIDE, SIDE), bool)
    inside[BORDER:-BORDER, BORDER:-BORDER] = True
    # Equal values, as there are where nobody looked, come in random order.
    pixels = generator.permutation(np.flatnonzero(inside))
    pixels = pixels[np.argsort(density.ravel()[pixels], kind="stable")]
    top, bottom = pixels[-round(TOP * len(pixels)) :], pixels[: round(BOTTOM * len(pixels))]
    chosen = np.concatenate([generator.choice(part, DRAWN, replace=False) for part in (top, bottom)])
    return judd_features(sample.read()).reshape(-1, len(NAMES))[chosen]


def _separate(features, salient, seed):
    """The weights and the offset of the hyperplane between salient pixels and others."""
    from sklearn.svm import LinearSVC

    machine = LinearSVC(C=COST, dual=False, tol=TOLERANCE, max_iter=ITERATIONS, random_state=seed)
    machine.fit(features, salient)
    found = f"The weights of Judd's model are not found after {ITERATIONS} iterations."
    ask(int(np.max(machine.n_iter_)) < ITERATIONS, found, "Pass more images.")
    return machine.coef_[0], float(machine.intercept_[0])
