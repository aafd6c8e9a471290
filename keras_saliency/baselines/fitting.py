"""How baselines are fitted, and what is said where a fit ends at its limit instead of its optimum."""

import itertools
import warnings
from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np

GROWTH = 20  # steps by which a search goes on beyond its grid
STEPS, TOLERANCE = 10_000, 1e-9  # of expectation maximisation; in nats per fixation
MORE = "Give the validation split more images: its fixations decide."

_T = TypeVar("_T")


class NotConverged(RuntimeWarning):
    """A fit has ended at its limit, and its value is not known to be the best."""


def ask(converged: bool, found: str, remedy: str) -> None:
    """Warns unless a fit has converged: of what was found instead, a sentence, and what helps, another."""
    if not converged:
        warnings.warn(f"{found} {remedy}", NotConverged, stacklevel=2)


def search(grid: Sequence[float] | np.ndarray, fit: Callable[[float], tuple[float, _T]], name: str) -> tuple[float, _T]:
    """The value of a geometric grid that makes data most likely, and what was fitted with it.

    While the best value is at an end, the grid goes on there by its own factor: the best one lies between two others,
    or nothing is gained any more.

    Args:
        grid: The values, in ascending order.
        fit: A function from a value to the log-likelihood and what else is fitted.
        name: What the value is called where the search ends at its limit.
    """
    found = {float(value): fit(float(value)) for value in grid}
    for step in itertools.count():
        low, best, high = min(found), max(found, key=lambda value: found[value][0]), max(found)
        if low < best < high or step == GROWTH:
            break
        further = float(best * grid[1] / grid[0] if best == high else best * grid[0] / grid[1])
        found[further] = fit(further)
    reached = f"The best {name} is {best:.3g}, at the end of what was tried, {low:.3g} to {high:.3g}."
    ask(low < best < high, reached, MORE)
    return best, found[best][1]


def fit_mixture(likelihoods: np.ndarray) -> tuple[np.ndarray, float]:
    """The weights of the components of a mixture by expectation maximisation.

    Args:
        likelihoods: Of each fixation under each component, `(components, fixations)`.

    Returns:
        The weights, and the log-likelihood.
    """
    weights = np.full(len(likelihoods), 1 / len(likelihoods))
    for _ in range(STEPS):
        gains = np.mean(likelihoods / (weights @ likelihoods), 1)
        # The log-likelihood is concave in the weights: no others are better by more than this.
        if gains.max() - 1 <= TOLERANCE:
            break
        weights = weights * gains
    missing = np.max(np.mean(likelihoods / (weights @ likelihoods), 1)) - 1
    found = (
        f"The weights of the mixture are not found after {STEPS} steps: up to {missing:.1e} nat a fixation is missing."
    )
    ask(missing <= TOLERANCE, found, MORE)
    return weights, float(np.sum(np.log(weights @ likelihoods)))
