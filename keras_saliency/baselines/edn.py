"""eDN (Vig, Dorr & Cox, 2014): networks with random filters, whose answers a linear classifier weighs."""

import functools
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from keras import ops
from PIL import Image
from scipy import ndimage

from keras_saliency.baselines.features import check_image, distance_from
from keras_saliency.formulas.types import Photograph, Plane, Size

RELEASED = Path(__file__).with_name("edn_weights")
SEED = 42  # of the filters of every layer
LONGER, SHORTER = 512, 384  # the size of which that of an image is brought near
PIXELS = 2**20  # at most so many
TINY = 1e-4  # added to every norm


class Norm(NamedTuple):
    """Division by the norm of all channels in a window; of what is left without their mean, if `centred`."""

    side: int
    stretch: float
    threshold: float  # what is less after stretching counts as one
    centred: bool = False


class Layer(NamedTuple):
    """Random filters, bounds of their answers, the norm of so high an order of each channel in a window, a `Norm`."""

    filters: int
    side: int
    low: float | None
    high: float | None
    pool: int
    order: int
    norm: Norm


class Network(NamedTuple):
    """The colours that a network sees, the norm of its input, and its layers."""

    colours: str
    norm: Norm
    layers: tuple[Layer, ...]


# What the authors' search has found.
NETWORKS = (
    Network(
        "RGB",
        Norm(7, 10, 1),
        (
            Layer(32, 3, None, None, 3, 10, Norm(7, 1, 1)),
            Layer(16, 7, None, 1, 5, 10, Norm(9, 10, 1)),
            Layer(128, 9, 0, None, 9, 10, Norm(9, 1, 0.1)),
        ),
    ),
    Network(
        "YCbCr",
        Norm(3, 0.1, 10),
        (
            Layer(32, 5, None, 1, 9, 10, Norm(3, 0.1, 10)),
            Layer(32, 7, 0, 1, 7, 10, Norm(7, 1, 10)),
            Layer(128, 5, None, 1, 9, 1, Norm(3, 0.1, 10, True)),
        ),
    ),
    Network(
        "YCbCr",
        Norm(3, 10, 10),
        (
            Layer(32, 5, None, 1, 9, 10, Norm(3, 0.1, 10)),
            Layer(32, 7, 0, 1, 7, 10, Norm(5, 1, 10)),
            Layer(128, 5, None, None, 9, 1, Norm(5, 0.1, 10, True)),
        ),
    ),
    Network(
        "YCbCr",
        Norm(7, 0.1, 0.1),
        (
            Layer(16, 5, None, None, 3, 2, Norm(5, 1, 1)),
            Layer(64, 9, 0, 1, 9, 10, Norm(7, 0.1, 1)),
        ),
    ),
    Network(
        "RGB",
        Norm(7, 1, 1),
        (
            Layer(16, 3, None, None, 7, 10, Norm(7, 1, 0.1, True)),
            Layer(64, 7, 0, None, 9, 10, Norm(9, 0.1, 0.1, True)),
            Layer(256, 7, None, 1, 9, 2, Norm(9, 0.1, 10, True)),
        ),
    ),
    Network(
        "RGB",
        Norm(9, 10, 10),
        (
            Layer(32, 9, None, None, 7, 1, Norm(5, 0.1, 1)),
            Layer(32, 5, 0, None, 7, 10, Norm(7, 0.1, 10, True)),
            Layer(128, 7, None, None, 9, 2, Norm(7, 0.1, 10)),
        ),
    ),
)
FEATURES = sum(network.layers[-1].filters for network in NETWORKS)


class EDN:
    """Saliency as a weighted sum of what six networks with random filters answer, and of the distance to the centre.

    Each layer of a network correlates its input with filters drawn at random from the seed of the authors, bounds the
    answers, pools and normalises them. A linear support vector machine has learned, on fixations of MIT1003, what each
    of the 832 answers counts. Its decision values are brought to the size of the image and blurred.

    Args:
        classifier: The file of the classifier, as LIBLINEAR writes it; by default the one that the authors released,
            with the distance to the centre, which comes with the package. It may be theirs without that distance.
        whitening: The file with the mean and the standard deviation of each feature, a line each; released with it.
        blur: The standard deviation of the final Gaussian in pixels of the image; 30, as in the authors' script.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If a file holds something else, or as many numbers as neither 832 features nor one more ask for.

    Source:
        Vig, Dorr & Cox, "Large-scale optimization of hierarchical features for saliency prediction in natural images",
        CVPR 2014. Our own implementation; networks and weights are those that the authors released (MIT licence,
        `edn_weights/LICENSE`). What differs: Pillow smooths an image that it shrinks, which the libraries of 2014 did
        not, and an image much longer than high, which would become larger than 2^20 pixels, is brought to so many.
    """

    def __init__(
        self,
        classifier: str | Path = RELEASED / "svm-slm-cntr",
        whitening: str | Path = RELEASED / "whiten-slm-cntr",
        blur: float = 30.0,
    ) -> None:
        self.weights = _numbers(classifier, _header(classifier))
        self.mean, self.deviation = _numbers(whitening).reshape(-1, 2).T
        self.blur = blur
        for file, found in ((classifier, self.weights), (whitening, self.mean)):
            if len(found) not in (FEATURES, FEATURES + 1) or len(found) != len(self.weights):
                raise ValueError(
                    f"{file} is for {len(found)} features. Expected {FEATURES}, or {FEATURES + 1} with the distance to "
                    f"the centre, in {classifier} and {whitening} alike."
                )

    def __call__(self, image: Photograph) -> Plane:
        """The saliency map of an image.

        Args:
            image: `(height, width, 3)`, RGB, uint8.

        Returns:
            `(height, width)`, float64, from zero to a peak of one. Of a constant image it shows the distance to the
            centre, and what the networks see of its borders.

        Raises:
            ValueError: If the image has another shape or type.
        """
        check_image(image)
        small = Image.fromarray(np.asarray(image)).resize(_size(image.shape[:2])[::-1], Image.Resampling.BICUBIC)
        found = [answers(np.asarray(small.convert(network.colours)), network) for network in NETWORKS]
        size = found[0].shape[:2]
        maps = [_zoom(plane, size) for each in found for plane in np.moveaxis(each, 2, 0)]
        if len(self.weights) > FEATURES:
            maps.insert(0, _zoom(from_centre(small.size[::-1]), size))
        decision = np.tensordot(self.weights / self.deviation, np.subtract(maps, self.mean[:, None, None]), 1)
        blurred = ndimage.gaussian_filter(_zoom(decision, image.shape[:2]), self.blur)
        return (blurred - blurred.min()) / (np.ptp(blurred) or 1)


def answers(image: np.ndarray, network: Network) -> np.ndarray:
    """What a network answers to an image in its colours: `(height, width, filters of its last layer)`, float32."""
    x = normalised(ops.cast(ops.convert_to_tensor(image[None]), "float32"), network.norm)
    for layer in network.layers:
        kernel = filters(layer.filters, layer.side, x.shape[-1])
        x = ops.conv(x, kernel, padding="same", data_format="channels_last")
        if layer.low is not None:
            x = ops.maximum(x, layer.low)
        if layer.high is not None:
            x = ops.minimum(x, layer.high)
        x = normalised(pooled(x, layer.pool, layer.order), layer.norm)
    return ops.convert_to_numpy(x)[0]


@functools.cache
def filters(count: int, side: int, depth: int) -> np.ndarray:
    """The random filters of a layer, `(side, side, depth, count)`: without a mean, and of norm one."""
    drawn = np.random.RandomState(SEED).uniform(size=(count, side, side, depth))
    drawn -= drawn.mean((1, 2, 3), keepdims=True)
    drawn /= np.sqrt((drawn**2).sum((1, 2, 3), keepdims=True))
    return np.moveaxis(drawn, 0, 3).astype("float32")


def normalised(x: Any, norm: Norm) -> Any:
    """Each place divided by the norm of all channels in the window about it; outside is zero."""
    total, squares = (_window(ops.sum(each, -1, keepdims=True), norm.side) for each in (x, ops.square(x)))
    if norm.centred:
        count = norm.side**2 * x.shape[-1]
        x, squares = x - total / count, ops.maximum(squares - ops.square(total) / count, 0.0)
    length = norm.stretch * (ops.sqrt(squares) + TINY)
    return norm.stretch * x / ops.where(length < norm.threshold + TINY, 1.0, length)


def pooled(x: Any, side: int, order: int) -> Any:
    """The norm of that order of each channel in the window about every second place; of order one, the sum."""
    return _window(x**order, side, 2) ** (1 / order) if order > 1 else _window(x, side, 2)


def _window(x, side, stride=1):
    """The sum of each channel over windows about places, zero outside."""
    around = (side // 2, side // 2)
    x = ops.pad(x, ((0, 0), around, around, (0, 0)))
    return side**2 * ops.average_pool(x, side, stride, "valid", data_format="channels_last")


def from_centre(size: Size) -> Plane:
    """The distance to the middle pixel."""
    return distance_from((size[0] // 2, size[1] // 2), size)


def _size(size):
    """The size at which an image is seen."""
    scale = LONGER / max(size) / 2 + SHORTER / min(size) / 2
    scale = min(scale, np.sqrt(PIXELS / (size[0] * size[1])))
    return tuple(max(1, int(side * scale)) for side in size)


def _zoom(plane, size):
    """A map at another size, by cubic splines, corners on corners."""
    return ndimage.zoom(plane, np.divide(size, plane.shape)) if plane.shape != size else plane


def _header(file):
    """The lines before the weights in a file of LIBLINEAR."""
    lines = Path(file).read_text().splitlines()
    if "w" not in lines:
        raise ValueError(f"{file} is no linear classifier as LIBLINEAR writes it: it has no line w.")
    return lines.index("w") + 1


def _numbers(file, skip=0):
    try:
        return np.loadtxt(file, skiprows=skip)
    except ValueError as error:
        raise ValueError(f"{file} does not hold numbers alone: {error}") from error
