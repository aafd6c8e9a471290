"""Entropic optimal transport between two densities, on a coarse grid and without its bias."""

from keras import ops

from keras_saliency.formulas.maps import Map
from keras_saliency.formulas.types import Maps, Tensor, Values

GRID = 32  # cells along the longer side, at most
LEAST = 1e-36  # of what reaches a cell: where no mass is, at all
COARSE_STEPS = 3  # at each blur above the one that is asked for
LEAST_BLUR = 0.08  # of which float32 holds the kernel from corner to corner


def sinkhorn(
    density: Maps | Map, prediction: Maps | Map, valid: Maps | None = None, blur: float = 0.1, steps: int = 16
) -> Values:
    """The Sinkhorn divergence of two densities: the least work that moves one into the other, blurred and debiased.

    To move mass by a distance d takes d^2 / 2, with lengths in shares of the diagonal. Both densities are gathered in
    square cells, at most 32 along the longer side. In [0, 0.5], but for what the steps leave open; zero for equal
    maps. The gradient is that of the converged value, a difference of potentials: none goes through the steps, in
    which a Gaussian kernel is applied to rows and columns one after the other.

    Args:
        density: As in `measures.kld`.
        prediction: As in `measures.kld`.
        valid: As in `measures.kld`.
        blur: The standard deviation of that kernel, the root of the entropy's weight, at least 0.08.
        steps: Of the iteration at that blur; it begins with three at each of 1, 1/2, 1/4 that are above it.
    """
    s, p = (Map.of(maps, valid) for maps in (density, prediction))
    known = None not in s.raw.shape[1:3]
    sides = s.raw.shape[1:3] if known else ops.shape(s.raw)[1:3]
    low, high = (min, max) if known else (ops.minimum, ops.maximum)
    longest = high(*sides)
    counts = (low(side, -(-GRID * side // longest)) for side in sides)
    lengths = [ops.cast(side, p.raw.dtype) for side in (*sides, longest)]
    cell, diagonal = ops.maximum(lengths[2] / GRID, 1.0), ops.sqrt(ops.square(lengths[0]) + ops.square(lengths[1]))
    rows, columns = (_axis(side, count, cell, diagonal) for side, count in zip(sides, counts, strict=True))
    s, p = (ops.einsum("yi,bijc,xj->byx", rows[0], each.density, columns[0]) for each in (s, p))
    # From each to the other, and from each to itself.
    masses = ops.stop_gradient(ops.stack([p, s, s, p]))
    scalings, before = ops.ones_like(masses), 1.0
    for width in (*(width for width in (1.0, 0.5, 0.25) if width > blur), blur):
        kernel = [ops.exp(-work / width**2) for work in (rows[1], columns[1])]
        scalings, before = scalings ** (before / width) ** 2, width
        scalings = ops.where(scalings > 1.0 / LEAST, 1.0 / LEAST, scalings)
        for _ in range(steps if width == blur else COARSE_STEPS):
            # Each root by itself: the quotient may leave the range of float32.
            scalings = ops.sqrt(scalings) / ops.sqrt(_brought(masses, scalings, *kernel))
    of_s, of_p, own_s, own_p = ops.unstack(-(blur**2) * ops.log(_brought(masses, scalings, *kernel)))
    return ops.sum(s * (of_s - own_s), (1, 2)) + ops.sum(p * (of_p - own_p), (1, 2))


def _axis(side, count, cell, diagonal):
    """The share of each pixel of an axis that each cell gets, and the work from cell to cell."""
    pixels, begin = (ops.cast(ops.arange(number), cell.dtype) for number in (side, count))
    begin = begin[:, None] * cell
    inside = ops.minimum(begin + cell, pixels + 1.0) - ops.maximum(begin, pixels)
    return ops.maximum(inside, 0.0), ops.square((begin - ops.transpose(begin)) / diagonal) / 2


def _brought(masses: Tensor, scalings: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """What the kernel brings to each cell, from mass that is scaled by the one beside it."""
    moved = ops.matmul(ops.matmul(rows, masses * ops.take(scalings, [1, 0, 2, 3], axis=0)), columns)
    return ops.where(moved < LEAST, LEAST, moved)
