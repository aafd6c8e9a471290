"""Faults of images: the same one twice, turned ones, screenshots of two widths."""

import collections
import concurrent.futures
import itertools
from collections.abc import Sequence

import cv2
import numpy as np

from keras_saliency.data.doctor.finding import EXAMPLES, PICTURES, Examined, Found
from keras_saliency.data.image_files import file_bytes
from keras_saliency.data.orientation import UPRIGHT
from keras_saliency.data.samples import Sample

SIDE, WAVES = 64, 16
# Of 255 bits. Other images differ in 60 and more (OSIE, Scene, eyevis, synthetic); the same one as JPEG of quality 30,
# scaled to 0.4, or a tenth brighter in up to 38; with 2 % cut off in 28 to 54.
DIFFERENT = 40
FLAT = 2.0  # grey levels of deviation, below which an image has nothing to tell it by
AT_ONCE = 2000  # images that are compared with all others
REDUCED = 512  # pixels of the shorter side, from which on a quarter of the resolution is enough
NEARLY = 0.02  # of the width
TOGETHER, RARER = 0.9, 0.01  # of the images, that the two widths have, and that the rarer one has


def twice(examined: Examined) -> Found | None:
    """Images that are in two splits."""
    part = [name for name, _ in examined.parts]
    pairs = [pair for pair in alike(examined.samples) if part[pair[0]] != part[pair[1]]]
    if not pairs:
        return None
    texts = [" and ".join(f"{examined.parts[i][1].name} ({examined.parts[i][0]})" for i in pair) for pair in pairs]
    shown = itertools.chain.from_iterable(pairs[: PICTURES - 1])
    return Found(len(pairs), len(part), texts[:EXAMPLES], [examined.samples[i] for i in shown])


def alike(samples: Sequence[Sample]) -> list[tuple[int, int]]:
    """The pairs of samples, by their positions, that have one image, or nearly so.

    They are told by a perceptual hash, the signs of the lowest waves of a cosine transform, which survives another size
    or compression. What has nothing to be told by, as an even grey, is like nothing.
    """
    with concurrent.futures.ThreadPoolExecutor() as pool:
        hashes = list(pool.map(_hash, samples))
    known = np.array([i for i, bits in enumerate(hashes) if bits is not None], int)
    if not len(known):
        return []
    signs = np.stack([hashes[i] for i in known]).astype("float32") * 2 - 1
    pairs: list[tuple[int, int]] = []
    for start in range(0, len(known), AT_ONCE):
        block = slice(start, start + AT_ONCE)
        different = (signs.shape[1] - signs[block] @ signs.T) / 2
        rows, columns = np.nonzero((different <= DIFFERENT) & (known[block, None] < known[None]))
        pairs += zip(known[block][rows].tolist(), known[columns].tolist(), strict=True)
    return pairs


def _hash(sample):
    """The signs of the waves but for the mean; None of what has none, or cannot be read here."""
    mode = cv2.IMREAD_REDUCED_GRAYSCALE_4 if min(sample.size) >= REDUCED else cv2.IMREAD_GRAYSCALE
    grey = cv2.imdecode(np.frombuffer(file_bytes(sample.image), "uint8"), mode)
    if grey is None or grey.std() < FLAT:
        return None
    small = cv2.resize(grey, (SIDE, SIDE), interpolation=cv2.INTER_AREA).astype("float32")
    waves = cv2.dct(small)[:WAVES, :WAVES].ravel()[1:]
    return waves > np.median(waves)


def turned(examined: Examined) -> Found | None:
    """Images that EXIF data turn, unless their fixations show that they belong to the upright picture."""
    chosen = [sample for sample in examined.samples if sample.orientation != UPRIGHT and not _upright(sample)]
    texts = [f"{sample.name} (orientation {sample.orientation})" for sample in chosen]
    return Found(len(chosen), len(examined.samples), texts[:EXAMPLES], chosen[:PICTURES]) if chosen else None


def _upright(sample):
    """Whether more fixations are in the picture as it is seen than would be in it as it is stored."""
    height, width = sample.size
    fixations = sample.fixations
    x, y = np.concatenate([[fixations.x, fixations.y], fixations.outside.T], axis=1)
    stored = (x >= 0) & (x < height) & (y >= 0) & (y < width)
    return len(fixations) > stored.sum()


def two_widths(examined: Examined) -> Found | None:
    """Two widths that nearly all images have, and that differ by a few pixels: screenshots of two browsers."""
    widths = collections.Counter(sample.size[1] for sample in examined.samples)
    images = len(examined.samples)
    for pair in itertools.combinations(sorted(widths), 2):
        counts = [widths[width] for width in pair]
        if pair[1] - pair[0] <= NEARLY * pair[1] and sum(counts) >= TOGETHER * images and min(counts) >= RARER * images:
            rarer = min(pair, key=widths.__getitem__)
            chosen = [f"{s.name} ({s.size[1]} wide)" for s in examined.samples if s.size[1] == rarer]
            return Found(len(chosen), images, chosen[:EXAMPLES], words={"widths": " and ".join(map(str, pair))})
    return None
