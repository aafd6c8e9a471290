"""Synthetic: pop-out arrays and textures with a known fixation density, embedded and deterministic by seed.

Half of the images are arrays of bars in which one or two differ in colour, orientation or size; half are oriented
noise with one or two patches of another orientation or grain. The density is a mixture of Gaussians on what stands
out, a little on everything else that is drawn, times a central Gaussian, plus a uniform share. Simulated observers
draw their fixations from it independently, so the information of the truth is known exactly.
"""

from collections.abc import Iterable, Mapping

import cv2
import numpy as np

from keras_saliency.data.data_set import DataSet, split
from keras_saliency.data.fixations import Fixations
from keras_saliency.data.samples import Sample
from keras_saliency.formulas.types import Plane

SIZE = (120, 160)
SPLITS = {"train": 400, "validation": 50, "test": 100}
OBSERVERS, FIXATIONS, FIXATION_SECONDS = 12, 8, 0.3
SIGMA = 5.0
UNIFORM_SHARE = 0.05
CENTRE_SPREAD = 0.45  # standard deviation of the centre bias as a share of each side


def read(seed: int = 0, splits: Mapping[str, int] | None = None) -> DataSet:
    """Makes the data set.

    Args:
        seed: Equal seeds make equal images and fixations.
        splits: The number of images in each split; by default `SPLITS`.

    Returns:
        The data set, whose samples know their `density`.
    """
    splits = splits or SPLITS
    parts = np.repeat(list(splits), list(splits.values()))
    samples = [_sample(i, np.random.default_rng([seed, i])) for i in range(len(parts))]
    return split("synthetic", samples, lambda i: parts[i])


def _sample(i, rng):
    image, spots = (_pop_out, _texture)[i % 2](rng)
    density = fixation_density(spots)
    ok, png = cv2.imencode(".png", np.clip(image, 0, 255).astype("uint8")[..., ::-1])
    assert ok
    return Sample(f"synthetic-{i:04d}", png.tobytes(), SIZE, _draw(density, rng), SIGMA, density)


def _grid():
    return np.mgrid[: SIZE[0], : SIZE[1]] + 0.5


def fixation_density(spots: Iterable[tuple[float, float, float, float]]) -> Plane:
    """The density of fixations on `SIZE` for rows `(y, x, sigma, weight)`; it sums to one."""
    y, x = _grid()
    salience = sum(
        weight / sigma**2 * np.exp(-((y - row) ** 2 + (x - column) ** 2) / (2 * sigma**2))
        for row, column, sigma, weight in spots
    )
    centre = sum(((axis / side - 0.5) / CENTRE_SPREAD) ** 2 for axis, side in zip((y, x), SIZE, strict=True))
    salience = salience * np.exp(-centre / 2)
    return (1 - UNIFORM_SHARE) * salience / salience.sum() + UNIFORM_SHARE / salience.size


def _draw(density, rng):
    return draw(density, rng, OBSERVERS, FIXATIONS)


def draw(density: Plane, rng: np.random.Generator, observers: int, each: int) -> Fixations:
    """Simulated observers, so many fixations of each: independent draws of a pixel, then of a point inside it."""
    pixels = rng.choice(density.size, observers * each, p=density.ravel())
    y, x = np.divmod(pixels, density.shape[1])
    within = rng.random((2, len(pixels)))
    observer, order = np.divmod(np.arange(len(pixels)), each)
    return Fixations.from_rows(np.stack([x + within[0], y + within[1], observer, order * FIXATION_SECONDS], 1))


def _pop_out(rng):
    """An array of bars; the odd ones attract ten times the fixations of the others together."""
    hue, angle, length = rng.integers(180), rng.uniform(0, 180), 11.0
    image = np.full((*SIZE, 3), rng.integers(90, 160), "uint8")
    rows, columns = 4, 6
    cells = [((r + 0.5) * SIZE[0] / rows, (c + 0.5) * SIZE[1] / columns) for r in range(rows) for c in range(columns)]
    odd = set(rng.choice(len(cells), rng.integers(1, 3), replace=False).tolist())
    feature = rng.choice(["colour", "orientation", "size"])
    spots = []
    for i, cell in enumerate(cells):
        y, x = np.add(cell, rng.uniform(-4, 4, 2))
        bar = {"hue": hue, "angle": angle, "length": length}
        if i in odd:
            bar |= {
                "colour": {"hue": (hue + 90) % 180},
                "orientation": {"angle": angle + 90},
                "size": {"length": 20.0},
            }[feature]
        _bar(image, y, x, **bar)
        spots.append((y, x, 5.0, 1.0 / len(odd) if i in odd else 0.1 / len(cells)))
    return image + rng.normal(0, 4, image.shape), spots


def _bar(image, y, x, hue, angle, length):
    colour = cv2.cvtColor(np.uint8([[[hue, 220, 230]]]), cv2.COLOR_HSV2RGB)[0, 0].tolist()
    corners = cv2.boxPoints(((x, y), (length, length / 2.75), angle))
    cv2.fillConvexPoly(image, np.round(corners * 16).astype("int32"), colour, cv2.LINE_AA, shift=4)


def _texture(rng: np.random.Generator) -> tuple[np.ndarray, list[tuple[float, float, float, float]]]:
    """Oriented noise; patches of another orientation or grain attract nine of ten fixations."""
    angle, period = rng.uniform(0, np.pi), 6.0
    image = _noise(rng, angle, period)
    spots = [(SIZE[0] / 2, SIZE[1] / 2, 60.0, 0.1)]
    patches = rng.integers(1, 3)
    change = rng.choice(["orientation", "grain"])
    y, x = _grid()
    for _ in range(patches):
        row, column, radius = *(rng.uniform(20, side - 20) for side in SIZE), rng.uniform(11, 15)
        other = _noise(rng, *((angle + np.pi / 2, period) if change == "orientation" else (angle, 2.2 * period)))
        inside = 1 / (1 + np.exp((np.hypot(y - row, x - column) - radius) / 1.0))
        image = inside * other + (1 - inside) * image
        spots.append((row, column, 8.0, 0.9 / patches))
    return np.repeat(image[..., None], 3, 2), spots


def _noise(rng, angle, period):
    """Noise whose energy lies around one orientation and one period in pixels."""
    fy, fx = np.fft.fftfreq(SIZE[0])[:, None], np.fft.fftfreq(SIZE[1])[None]
    along = fx * np.cos(angle) + fy * np.sin(angle)
    across = -fx * np.sin(angle) + fy * np.cos(angle)
    band = np.exp(-((np.abs(along) - 1 / period) ** 2 + across**2) / (2 * 0.03**2))
    noise = np.fft.ifft2(np.fft.fft2(rng.normal(size=SIZE)) * band).real
    return 127 + 45 * noise / noise.std()
