"""The numbers of a recording's head, found by maximum likelihood, and how far they hold on what is left out."""

import dataclasses
import functools
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import scipy.optimize
from keras import ops

from keras_saliency.formulas.measures import nll
from keras_saliency.formulas.mirrored import gaussian_matrix
from keras_saliency.formulas.recording import recorded
from keras_saliency.formulas.types import Maps, Values

NAMES = ("gain", "centre_weight", "uniform_share", "blur")
AS_IT_IS = np.array([1.0, 0.0, 0.0, 0.0])
BOUNDS = ((0.0, 10.0), (-2.0, 10.0), (0.0, 0.9))  # of the first three
BLURS = (0.003, 0.2)  # of the square root of a map's pixels, if there is one at all
CLOSE = 0.05  # steps of its logarithm, the same for all folds, so that matrices are made once
WAY = (0.25, 0.5, 0.75, 1.0)  # from the model as it is to the best fit
BIT = np.log(2.0)

CentreBiases = Callable[[frozenset[int], tuple[int, int]], Maps]  # of all folds but some, at a size


class Part(NamedTuple):
    """Images of one fold that have one size, `(images, height, width, 1)` each, float64.

    Attributes:
        fold: Its number.
        score: The log-density that the network gives.
        before: The log-density of the model as it is.
        share: The share of an image's fixations in each pixel, of whatever sum: the weight of the image.
    """

    fold: int
    score: Maps
    before: Maps
    share: Maps


class Blurred(NamedTuple):
    """A part with a blur and the logarithm of a centre bias, `(1, height, width, 1)`."""

    score: Maps
    bias: Maps
    share: Maps


@dataclasses.dataclass(frozen=True)
class LeftOut:
    """How left-out images are predicted, in bit a fixation, `(images,)` each.

    Attributes:
        way: How far the head went, from 0, the model as it is, to 1, the best fit to all others.
        over_before: By how much better than by the model as it is.
        over_bias: By how much better than by the centre bias of the others alone.
    """

    way: float
    over_before: Values
    over_bias: Values


def fit(parts: Sequence[Part], biases: CentreBiases, without: int | None = None, gain: bool = True) -> np.ndarray:
    """The four numbers, as in `AS_IT_IS`, that make fixations most likely, all images weighing alike.

    Args:
        parts: The images.
        biases: From folds and a size to the log centre bias of all others. Images get one in which their own fold is
            not.
        without: A fold that is left out of all centre biases, too.
        gain: Whether pictures count; otherwise the centre bias is all that there is, and the gain 0.
    """
    left_away = frozenset() if without is None else frozenset({without})
    own_biases = [biases(left_away | {part.fold}, part.score.shape[1:3]) for part in parts]
    bounds = BOUNDS if gain else ((0.0, 0.0), *BOUNDS[1:])
    tried: list[tuple[float, tuple[float, ...]]] = []

    def with_blur(width):
        blurred = [
            Blurred(_blurred(part.score, width), bias, part.share) for part, bias in zip(parts, own_biases, strict=True)
        ]
        start = min(tried)[1][:3] if tried else (float(gain), 0.1, 0.01)
        found = scipy.optimize.minimize(loss_and_slope, start, blurred, "L-BFGS-B", jac=True, bounds=bounds)
        tried.append((float(found.fun), (*found.x.tolist(), width)))
        return found.fun

    with_blur(0.0)
    if gain:
        scipy.optimize.minimize_scalar(
            lambda log_width: with_blur(float(np.exp(CLOSE * round(log_width / CLOSE)))),
            bounds=np.log(BLURS),
            method="bounded",
            options={"xatol": CLOSE},
        )
    return np.array(min(tried)[1])


def loss_and_slope(numbers: np.ndarray, parts: Sequence[Blurred]) -> tuple[float, np.ndarray]:
    """The mean negative log-likelihood of a fixation, in nat, and its gradient by the first three numbers."""
    share_of_all = numbers[2]
    loss, slope = 0.0, np.zeros(3)
    for score, bias, share in parts:
        log_density = recorded(score, bias, *numbers)
        density, uniform = np.exp(log_density), 1.0 / score[0].size
        # Of the two terms of the mixture, the one that gain and centre bias act on.
        weight = share * (1.0 - share_of_all * uniform / density)
        softmax = (density - share_of_all * uniform) / (1.0 - share_of_all)
        by_logit = softmax * weight.sum((1, 2, 3), keepdims=True) - weight
        loss -= np.sum(share * log_density)
        slope += np.sum(by_logit * score), np.sum(by_logit * bias), np.sum(share / density * (softmax - uniform))
    mass = sum(part.share.sum() for part in parts)
    return loss / mass, slope / mass


def left_out(parts: Sequence[Part], biases: CentreBiases) -> LeftOut:
    """Leaves out one fold after the other.

    Args:
        parts: The images of all folds.
        biases: As in `fit`.
    """
    found: dict[str | float, list[Values]] = {key: [] for key in ("before", "alone", *WAY)}
    for fold in sorted({part.fold for part in parts}):
        others = [part for part in parts if part.fold != fold]
        fitted, alone = fit(others, biases, fold), fit(others, biases, fold, gain=False)
        for part in parts:
            if part.fold == fold:
                bias = biases(frozenset({fold}), part.score.shape[1:3])
                found["before"].append(-nll(part.share, part.before))
                found["alone"].append(likelihoods(part, bias, alone))
                for way in WAY:
                    found[way].append(likelihoods(part, bias, on_the_way(fitted, way)))
    bits = {key: np.concatenate(values) / BIT for key, values in found.items()}
    best = max(WAY, key=lambda way: bits[way].mean())
    return LeftOut(best, bits[best] - bits["before"], bits[best] - bits["alone"])


def named(numbers: np.ndarray) -> dict[str, float]:
    """Numbers as `RecordingHead.set` takes them."""
    return dict(zip(NAMES, numbers.tolist(), strict=True))


def on_the_way(found: np.ndarray, way: float) -> np.ndarray:
    """The numbers at a share of the way from the model as it is."""
    return AS_IT_IS + way * (found - AS_IT_IS)


def likelihoods(part: Part, bias: Maps, numbers: np.ndarray) -> Values:
    """The mean log-likelihood of the fixations of each image, `(images,)`, in nat."""
    return -nll(part.share, recorded(_blurred(part.score, numbers[3]), bias, *numbers[:3]))


def _blurred(score, width):
    """Blurred by a share of the square root of the pixels, as `RecordingHead` does, in NumPy: many times as fast."""
    if not width:
        return score
    sides = score.shape[1:3]
    down, across = (_matrix(side, width * float(np.sqrt(np.prod(sides)))) for side in sides)
    return (down @ score[..., 0] @ across.T)[..., None]


@functools.lru_cache(256)
def _matrix(side, pixels):
    return ops.convert_to_numpy(gaussian_matrix(side, pixels, "float64"))
