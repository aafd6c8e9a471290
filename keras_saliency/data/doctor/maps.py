"""Faults of maps."""

import re

import numpy as np

from keras_saliency.data.doctor.finding import EXAMPLES, PICTURES, Examined, Found

# What the reader says of an image that is left out; see `Sample.read`, `Sample.read_ground_truth` and `folder.read`.
SIZES = re.compile(r"the image is \(.*(fixations were recorded on|map) \(")
# Pixels that were looked at, for each square of 8x8 that has any: what JPEG leaves of a point is all over it. In real
# data they are 1.0 to 1.7, in the images of synthetic, which are small, 3.
SQUARE, CROWDED = 8, 8.0
BRIGHT = 0.5  # of all pixels


def lossy(examined: Examined) -> Found | None:
    """Maps of points that were saved as JPEG."""
    return _of_maps(examined, lambda found: found.is_points and found.is_lossy)


def inverted(examined: Examined) -> Found | None:
    """Maps in which what was looked at is dark; or fixations on more than half of all pixels, from such maps."""
    return _of_maps(examined, lambda found: found.is_inverted) or _of_samples(
        examined, lambda share, crowd: share > BRIGHT
    )


def ringing(examined: Examined) -> Found | None:
    """Fixations all over squares of 8x8 pixels: those of a JPEG file whose values above zero were all taken."""
    return _of_samples(examined, lambda share, crowd: share <= BRIGHT and crowd >= CROWDED)


def wrong_size(examined: Examined) -> Found | None:
    """Maps, or recorded coordinates, of another size than their image."""
    found = _of_maps(examined, lambda one: one.size and one.image_size and one.size != one.image_size)
    lines = [line for line in examined.skipped if SIZES.search(line)]
    return found or (Found(len(lines), len(lines) + len(examined.samples), lines[:EXAMPLES]) if lines else None)


def _of_maps(examined, is_faulty):
    maps = examined.files.maps
    names = [found.name for found in maps if not found.error and is_faulty(found)]
    return Found(len(names), len(maps), names[:EXAMPLES]) if names else None


def _of_samples(examined, is_faulty):
    """The samples, if most of them are so, by the share of pixels with fixations, and their number in a square."""
    seen = [sample for sample in examined.samples if len(sample.fixations)]
    chosen = [sample for sample in seen if is_faulty(*_crowd(sample))]
    if not chosen or len(chosen) < len(seen) / 2:
        return None
    texts = [f"{sample.name}: {len(sample.fixations)} fixations" for sample in chosen[:EXAMPLES]]
    return Found(len(chosen), len(seen), texts, chosen[:PICTURES])


def _crowd(sample):
    rows, columns = sample.fixations.pixels()
    width = sample.size[1]
    different = len(np.unique(rows * width + columns))
    squares = len(np.unique(rows // SQUARE * width + columns // SQUARE))
    return different / np.prod(sample.size), different / squares
