"""What the fixations of an image become before maps are compared with them: blurred as each convention does it."""

import functools
from collections.abc import Callable

import numpy as np
import scipy.fft
from scipy.ndimage import gaussian_filter1d

from keras_saliency.formulas.types import Plane

CYCLES = 8  # of the Gaussian of the MIT benchmark: its amplitude is one half at so many cycles in an image


def fourier_blur(counts: np.ndarray, sigma: float | None = None, cycles: float = CYCLES) -> np.ndarray:
    """Blurs a map as the MIT benchmark does: by a Gaussian in the Fourier domain, after padding it with zeros.

    Args:
        counts: A map `(height, width)`, or several, `(height, width, maps)`.
        sigma: Not used: the width depends on the size of the image alone, about 24 pixels at 1024.
        cycles: The frequency, in cycles per padded image, at which the amplitude is one half.
    """
    height, width = counts.shape[:2]
    side = 2 ** int(np.ceil(np.log2(max(height, width))))
    frequencies = np.meshgrid(scipy.fft.fftfreq(side, 1 / side), scipy.fft.rfftfreq(side, 1 / side), indexing="ij")
    transfer = np.exp(-np.log(2) * (frequencies[0] ** 2 + frequencies[1] ** 2) / cycles**2)
    transfer = transfer.reshape(*transfer.shape, *[1] * (counts.ndim - 2))
    blurred = scipy.fft.irfft2(scipy.fft.rfft2(counts, (side, side), (0, 1)) * transfer, (side, side), (0, 1))
    # The transform leaves values of -1e-17 where there should be none.
    return np.maximum(blurred[:height, :width], 0.0)


@functools.lru_cache(maxsize=8)
def _gaussian_matrix(side, sigma):
    return gaussian_filter1d(np.eye(side), sigma, axis=0, mode="reflect")


def gaussian_blur(maps: np.ndarray, sigma: float) -> np.ndarray:
    """Blurs a map `(height, width)`, or several, `(height, width, maps)`, by a Gaussian of `sigma` pixels.

    In float64; but several maps in float32 remain so, which takes half the time.

    It is cut at four sigma, with mirrored borders. Two matrix products, equal to SciPy's `gaussian_filter` up to
    rounding, in which what is zero takes no part: most of a plane of a few fixations, and of the matrices all that is
    further from their diagonal than the Gaussian reaches.
    """
    vertical, horizontal = (_gaussian_matrix(side, float(sigma)) for side in maps.shape[:2])
    if maps.ndim == 2 and np.count_nonzero(maps) < min(maps.shape):
        rows, columns = np.nonzero(maps)
        return (vertical[:, rows] * maps[rows, columns]) @ horizontal[:, columns].T
    across = _product(horizontal, maps.swapaxes(0, 1), sigma)
    return _product(vertical, across.swapaxes(0, 1), sigma)


def _product(matrix, maps, sigma):
    """The product of a Gaussian matrix and the first axis of maps, a band of rows after the other."""
    flat = maps.reshape(len(maps), -1)
    matrix = matrix.astype(flat.dtype if maps.ndim == 3 and flat.dtype == "float32" else "float64", copy=False)
    reach, product = int(4 * sigma + 0.5), np.empty(flat.shape, matrix.dtype)
    step = max(reach // 2, 32)
    for i in range(0, len(matrix), step):
        own, near = slice(i, i + step), slice(max(0, i - reach), i + step + reach)
        np.matmul(matrix[own, near], flat[near], out=product[own])
    return product.reshape(maps.shape)


# Convention -> the blur of the ground truth, and whether repeated fixations count in it.
BLURS: dict[str, tuple[Callable[[np.ndarray, float], np.ndarray], bool]] = {
    "tuebingen": (gaussian_blur, True),
    "mit": (fourier_blur, False),
}


def fixation_density(counts: Plane, sigma: float, convention: str = "tuebingen") -> Plane:
    """The blurred fixations of an image: what CC, SIM, KLD and EMD compare with.

    Args:
        counts: How many fixations fall on each pixel.
        sigma: The standard deviation of the blur in pixels.
        convention: `"tuebingen"` blurs all fixations by sigma with mirrored borders, `"mit"` the fixated pixels by
            `fourier_blur`, whatever sigma is.
    """
    blur, repeats = BLURS[convention]
    return blur(counts if repeats else np.minimum(counts, 1.0), sigma)
