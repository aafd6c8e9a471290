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
from keras_saliency.formulas.types import Maps, Plane, Values

GAINS, BIAS_WEIGHTS, SHARES = (0.0, 10.0), (-2.0, 10.0), (0.0, 0.9)  # between which numbers are looked for
BEGIN = {"gain": 1.0, "weight": 0.1, "share": 0.01}
BLURS = (0.003, 0.2)  # of the square root of a map's pixels, if there is one at all
CLOSE = 0.05  # steps of its logarithm, the same for all folds, so that matrices are made once
WAY = (0.25, 0.5, 0.75, 1.0)  # from the model as it is to the best fit
BIT = np.log(2.0)
CANCELLED = 0.1  # of the sum of the magnitudes of weights
CLOSE_ENOUGH = 1e-7  # of the loss

# From folds and a size to the logarithms of centre biases, `(1, height, width, biases)`: that of all folds but those,
# and what is known beside it.
CentreBiases = Callable[[frozenset[int], tuple[int, int]], Maps]


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
    """A part with a blur and the logarithms of centre biases, `(1, height, width, biases)`."""

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
    """The numbers that make fixations most likely, all images weighing alike.

    Args:
        parts: The images.
        biases: Centre biases. Images get those in which their own fold is not.
        without: A fold that is left out of all centre biases, too.
        gain: Whether pictures count; otherwise centre biases are all that there is, and the gain 0.

    Returns:
        The gain, the weight of each centre bias, the uniform share, and the blur.
    """
    left_away = frozenset() if without is None else frozenset({without})
    own_biases = [biases(left_away | {part.fold}, part.score.shape[1:3]) for part in parts]
    count = own_biases[0].shape[-1]
    bounds = (GAINS if gain else (0.0, 0.0), *[BIAS_WEIGHTS] * count, SHARES)
    first = (BEGIN["gain"] if gain else 0.0, *[BEGIN["weight"]] * count, BEGIN["share"])
    tried: list[tuple[float, tuple[float, ...]]] = []

    def with_blur(width):
        blurred = [
            Blurred(_blurred(part.score, width), bias, part.share) for part, bias in zip(parts, own_biases, strict=True)
        ]
        start = min(tried)[1][:-1] if tried else first
        found = _least(start, blurred, bounds)
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


def shares_of_maps(parts: Sequence[Part], biases: CentreBiases) -> np.ndarray:
    """The shares of several maps in the gain that make fixations most likely, without a blur, `(maps,)`.

    Args:
        parts: The images, whose scores have a channel for each map.
        biases: As in `fit`.
    """
    maps = parts[0].score.shape[-1]
    own = [Blurred(part.score, biases(frozenset({part.fold}), part.score.shape[1:3]), part.share) for part in parts]
    count = own[0].bias.shape[-1]
    start = (*[BEGIN["gain"] / maps] * maps, *[BEGIN["weight"]] * count, BEGIN["share"])
    bounds = (*[GAINS] * maps, *[BIAS_WEIGHTS] * count, SHARES)
    found = _least(start, own, bounds).x[:maps]
    return found / found.sum() if found.sum() else np.full(maps, 1.0 / maps)


def _least(start, parts, bounds):
    """The numbers of the least loss."""
    options = {"jac": True, "bounds": bounds, "options": {"ftol": CLOSE_ENOUGH}}
    return scipy.optimize.minimize(loss_and_slope, start, parts, "L-BFGS-B", **options)


def loss_and_slope(numbers: np.ndarray, parts: Sequence[Blurred]) -> tuple[float, np.ndarray]:
    """The mean negative log-likelihood of a fixation, in nat, and its gradient.

    Args:
        numbers: The gain of each map, the weight of each centre bias and the uniform share.
        parts: The images; of several maps a score has a channel for each.
    """
    share_of_all, loss, slope = numbers[-1], 0.0, np.zeros(len(numbers))
    for maps, biases, share in parts:
        count = maps.shape[-1]
        bias = biases @ numbers[count:-1, None]
        log_density = recorded(maps @ numbers[:count, None], bias, 1.0, 1.0, share_of_all)
        density, uniform = np.exp(log_density), 1.0 / share[0].size
        # Of the two terms of the mixture, the one that gain and centre bias act on.
        weight = share * (1.0 - share_of_all * uniform / density)
        softmax = (density - share_of_all * uniform) / (1.0 - share_of_all)
        by_logit = softmax * weight.sum((1, 2, 3), keepdims=True) - weight
        loss -= np.sum(share * log_density)
        slope[:count] += by_logit.ravel() @ maps.reshape(-1, count)
        slope[count:-1] += by_logit.sum(0).ravel() @ biases.reshape(-1, biases.shape[-1])
        slope[-1] += np.sum(share / density * (softmax - uniform))
    mass = sum(part.share.sum() for part in parts)
    return loss / mass, slope / mass


def left_out(parts: Sequence[Part], biases: CentreBiases, start: np.ndarray) -> LeftOut:
    """Leaves out one fold after the other.

    Args:
        parts: The images of all folds.
        biases: As in `fit`.
        start: The numbers of the model as it is, as `fit` gives them.
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
                    found[way].append(likelihoods(part, bias, on_the_way(fitted, way, start)))
    bits = {key: np.concatenate(values) / BIT for key, values in found.items()}
    best = max(WAY, key=lambda way: bits[way].mean())
    return LeftOut(best, bits[best] - bits["before"], bits[best] - bits["alone"])


def as_head(numbers: np.ndarray, densities: Sequence[Plane]) -> tuple[dict[str, float], Plane]:
    """Numbers of `fit` and the centre biases that they weigh, as `RecordingHead.set` takes them.

    The biases become one, whose weight is the sum of theirs; where they nearly cancel, of their magnitudes.
    """
    gain, *weights, share, width = numbers.tolist()
    total, size = sum(weights), max(sum(map(abs, weights)), CANCELLED)
    weight = total if abs(total) > CANCELLED * size else size
    log_density = np.tensordot(weights, np.log(densities), 1) / weight
    named = {"gain": gain, "centre_weight": weight, "uniform_share": share, "blur": width}
    return named, np.exp(log_density - log_density.max())


def on_the_way(found: np.ndarray, way: float, start: np.ndarray) -> np.ndarray:
    """The numbers at a share of the way from the model as it is."""
    return start + way * (found - start)


def likelihoods(part: Part, biases: Maps, numbers: np.ndarray) -> Values:
    """The mean log-likelihood of the fixations of each image, `(images,)`, in nat."""
    gain, *weights, share, width = numbers
    return -nll(
        part.share, recorded(_blurred(part.score, width), biases @ np.array(weights)[:, None], gain, 1.0, share)
    )


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
