"""Times EMD by the size of the maps: `python scripts/benchmark.py emd`."""

import time
from unittest import mock

import numpy as np
import rich.console
import rich.table
from scipy.ndimage import gaussian_filter1d

from keras_saliency.formulas import emd as formula

SIZES = ((600, 800), (1080, 1920), (1440, 2560), (2160, 3840))


def make_maps(size, seed=0, fixations=20):
    """Twenty fixations blurred by a 32nd of the width; a Gaussian of a quarter of the sides; uniform."""
    rng, sigma = np.random.default_rng(seed), size[1] / 32
    blurred = (gaussian_filter1d(np.eye(side)[:, rng.integers(0, side, fixations)], sigma, axis=0) for side in size)
    y, x = ((np.arange(side) - side / 2) / (side / 4) for side in size)
    maps = (
        np.einsum("yf,xf->yx", *blurred),
        np.exp(-(y[:, None] ** 2 + x**2) / 2),
        np.ones(size),
    )
    return [map_[None, ..., None] for map_ in maps]


def emd() -> None:
    """Time EMD by the size of the maps, exact and on the next coarser grid."""
    table = rich.table.Table("size", "compared with", "EMD", "seconds", "coarser: EMD", "seconds", "error")
    for size in SIZES:
        truth, gaussian, uniform = make_maps(size)
        for name, prediction in {"Gaussian": gaussian, "uniform": uniform}.items():
            exact, seconds = _timed(truth, prediction)
            cells = np.prod([-(-side // formula.REDUCTION) for side in size])
            with mock.patch.object(formula, "CELLS", cells - 1):
                coarse, less = _timed(truth, prediction)
            row = f"{exact:.4f}", f"{seconds:.2f}", f"{coarse:.4f}", f"{less:.2f}", f"{coarse / exact - 1:+.2%}"
            table.add_row(f"{size[1]}x{size[0]}", name, *row)
    rich.console.Console().print(table)


def _timed(*maps):
    started = time.perf_counter()
    return formula.emd(*maps)[0], time.perf_counter() - started
