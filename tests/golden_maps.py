"""The cases of the golden values: maps, fixations and densities that metrics stumble over, in NumPy and SciPy only.

Deterministic: each case draws from a `default_rng` of its own seed. Blurred maps are rounded to twelve decimals, so
that their ties do not depend on the version of SciPy.
"""

import collections
import functools
import os
from pathlib import Path

import numpy as np
from scipy.io import loadmat
from scipy.ndimage import gaussian_filter

DATA = Path(os.environ.get("KERAS_SALIENCY_DATA", Path(__file__).parents[2] / "shared" / "data"))
SMALL, ODD, LARGE = (48, 64), (61, 83), (600, 800)
# Sizes of other images; the centre of the second is at 49 * (64 / 98), in floating point just below 32.
OTHER_SIZES = ((48, 64), (49, 98), (33, 57), (120, 160), (600, 800))

# saliency `(height, width)`, float64; fixations `(n, 2)`, rows and columns with repeats; others: for each other image
# its size and `(n, 2)` continuous y, x; density: the blurred fixations; log_density, log_baseline: normalised, natural.
Case = collections.namedtuple("Case", "saliency fixations others density log_density log_baseline")


def blur(maps, sigma):
    blurred = gaussian_filter(maps, sigma)
    return np.round(blurred / blurred.max(), 12)


def grid(size):
    """The offsets from the centre of the image in units of its height and width."""
    return np.meshgrid(*((np.arange(n) + 0.5) / n - 0.5 for n in size), indexing="ij")


def make_case(saliency, fixations, others, sigma):
    """Adds what follows from a map and its fixations."""
    counts = np.zeros(saliency.shape)
    np.add.at(counts, tuple(fixations.T), 1)
    positive = saliency - min(saliency.min(), 0)
    log_density = np.log(0.99 * positive / positive.sum() + 0.01 / positive.size)
    y, x = grid(saliency.shape)
    centre = np.exp(-(y**2 + x**2) / (2 * 0.25**2))
    return Case(saliency, fixations, others, blur(counts, sigma), log_density, np.log(centre / centre.sum()))


def synthetic(make, seed, size=SMALL, count=30):
    """Half of the fixations follow the map, half are anywhere; the first five are repeated."""
    rng = np.random.default_rng(seed)
    saliency = np.asarray(make(rng, size), "float64")
    positive = saliency - min(saliency.min(), 0)
    followed = rng.choice(saliency.size, count // 2, p=positive.ravel() / positive.sum())
    drawn = np.concatenate([followed, rng.integers(saliency.size, size=count - count // 2)])
    fixations = np.stack(np.divmod(np.concatenate([drawn, drawn[:5]]), size[1]), axis=1)
    others = []
    for other_size in OTHER_SIZES:
        points = rng.beta(2, 2, (40, 2)) * other_size
        # Some at whole pixels, some twice, one in the centre.
        points = np.concatenate([points, np.floor(points[:20]), points[:5], [np.array(other_size) / 2]])
        others.append((other_size, points))
    return make_case(saliency, fixations, others, sigma=size[0] / 25)


@functools.cache
def osie_entries():
    path = DATA / "osie" / "eye" / "fixations.mat"
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing; set KERAS_SALIENCY_DATA to the folder that holds osie/.")
    return loadmat(path, squeeze_me=True, struct_as_record=False)["fixations"]


def osie(index, neighbours=10):
    """The map is made of the observers with an even number, the fixations are those of the others."""

    def points(entry, observers):
        chosen = [np.stack([s.fix_y, s.fix_x], axis=-1).reshape(-1, 2) for s in entry.subjects[observers]]
        chosen = np.concatenate(chosen).astype("float64")
        return chosen[((chosen >= 0) & (chosen < LARGE)).all(axis=1)]

    entries = osie_entries()
    counts = np.zeros(LARGE)
    np.add.at(counts, tuple(points(entries[index], slice(0, None, 2)).astype(int).T), 1)
    held_out = points(entries[index], slice(1, None, 2)).astype(int)
    others = [(LARGE, points(entry, slice(None))) for entry in entries[index + 1 : index + 1 + neighbours]]
    return make_case(blur(counts, 24), held_out, others, sigma=24)


def peak(rng, size):
    """One sharp peak on near zero."""
    y, x = grid(size)
    return np.exp(-((y - 0.113) ** 2 + (x + 0.071) ** 2) / (2 * 0.03**2)) + 1e-6 * rng.random(size)


def blob(rng, size):
    """A paraboloid, exact zeros outside it."""
    y, x = grid(size)
    return np.maximum(1 - ((y - 0.1) ** 2 + (x + 0.1) ** 2) / 0.04, 0)


CASES = {
    "random": functools.partial(synthetic, lambda rng, size: rng.random(size), 1),
    "smooth": functools.partial(synthetic, lambda rng, size: blur(rng.random(size), 4), 2),
    "peaked": functools.partial(synthetic, peak, 3),
    "tied": functools.partial(synthetic, lambda rng, size: np.round(7 * rng.random(size)) / 7, 4),
    "integers": functools.partial(synthetic, lambda rng, size: np.floor(255 * blur(rng.random(size), 2) ** 4), 5),
    "constant": functools.partial(synthetic, lambda rng, size: np.full(size, 0.5), 6),
    "negative": functools.partial(synthetic, lambda rng, size: rng.normal(size=size), 7),
    "blob": functools.partial(synthetic, blob, 8),
    "odd": functools.partial(synthetic, lambda rng, size: rng.random(size) ** 4, 9, ODD),
    "large": functools.partial(synthetic, lambda rng, size: blur(rng.random(size), 30), 10, LARGE, 140),
    "osie_1001": functools.partial(osie, 0),
    "osie_1350": functools.partial(osie, 349),
}
REAL = ("osie_1001", "osie_1350")
