"""Faults of coordinates: which are not where the image is, or not exactly."""

import dataclasses
import re

import numpy as np

from keras_saliency.data.doctor.finding import AXES, EXAMPLES, Examined, Found, inside
from keras_saliency.data.refusals import WrappedError

LEAST = 3  # fixations, below which nothing is said
OUTSIDE = 0.05  # of all fixations; of the web pages of eyevis, which users scrolled, 4 % are outside
MOST = 0.5  # of one image; on the worst page of eyevis it is a third
ALL = re.compile(r"(?P<name>.*): (?P<count>\d+) of (?P=count) fixations are outside the image")  # see `DataSet`
WRAPPED, WINDOW = (2**32, 2**16), 2**12  # and how far below they may be; exports move the origin
BEFORE = 10.0  # fixations in a pixel's width behind the first one, on average, without one in the first: by chance 5e-5
EDGE, STRIP, PILE = 5, 10, 5.0
CENTRE = (0.25, 0.6)  # where the middle of all fixations may lie, in shares of both sides; in real data 0.28 to 0.55
REACHED = 0.7  # of both sides, by 995 in 1000 fixations; in real data 0.93 and more
FEW = 50
SCREENS = [
    *((1024, 768), (1280, 720), (1280, 800), (1280, 960), (1280, 1024), (1366, 768), (1440, 900), (1600, 900)),
    *((1600, 1200), (1680, 1050), (1920, 1080), (1920, 1200), (2560, 1440), (3840, 2160)),
]
ALIKE = 0.08  # how far from the middle of a screen that of fixations may be


def swapped(examined: Examined) -> Found | None:
    """Coordinates of which most that are outside would be inside if x were y."""
    every = examined.near
    outside = every[~inside(every)]
    turned = every.rename(columns={"x": "y", "y": "x"})
    if len(outside) < max(LEAST, 0.01 * len(every)) or (~inside(turned)).sum() > len(outside) / 4:
        return None
    return examined.found(outside, len(every), file=examined.settings)


def on_screen(examined: Examined) -> Found | None:
    """Fixations that are centred on something larger or smaller than the image."""
    every = examined.near
    if len(every) < FEW:
        return None
    middle = [(every[axis] / every[side]).median() for axis, side in AXES]
    beyond = (every["x"] >= every["width"]) | (every["y"] >= every["height"])
    before = (every["x"] < 0) | (every["y"] < 0)
    large = max(middle) > CENTRE[1] and beyond.mean() > OUTSIDE and before.mean() < 0.1 * beyond.mean()
    reached = [(every[axis] / every[side]).quantile(0.995) for axis, side in AXES]
    small = max(middle) < 0.45 and max(reached) < REACHED
    if not large and not small:
        return None
    words = {"file": examined.settings, **_screen(every)}
    return examined.found(every[beyond] if large else every, len(every), **words)


def _screen(places):
    """How to name the screen in whose middle fixations have theirs."""
    middle = np.array([places[axis].median() for axis, _ in AXES])
    away = {screen: max(abs(2 * middle / screen - 1)) for screen in SCREENS}
    best = min(away, key=away.__getitem__)
    width, height = best if away[best] < ALIKE else ("WIDTH", "HEIGHT")
    return {"option": f"{width}x{height}", "screen": f"[{width}, {height}]"}


def outside(examined: Examined) -> Found | None:
    """More fixations outside their images than gaze that leaves a picture explains."""
    rows, kept = examined.outside, examined.fixations
    counts = rows["image"].value_counts()
    shares = counts / (counts + kept["image"].value_counts().reindex(counts.index, fill_value=0))
    # Images without any that is inside are no samples.
    names = {sample.name for sample in examined.samples}
    lost = [match for line in examined.skipped if (match := ALL.fullmatch(line)) and match["name"] not in names]
    count, total = (len(table) + sum(int(found["count"]) for found in lost) for table in (rows, kept))
    total += len(rows)
    far = len(examined.near) < len(kept) + len(rows)
    most = (shares[counts >= EDGE] > MOST).any() or any(int(found["count"]) >= EDGE for found in lost)
    if not count or not (far or most or count > OUTSIDE * total):
        return None
    shown = examined.found(rows, total)
    texts = [*shown.examples, *(found[0] for found in lost)][:EXAMPLES]
    return dataclasses.replace(shown, count=count, examples=texts)


def wrapped(examined: Examined) -> Found | None:
    """Coordinates just below a power of two: numbers below zero that were stored without their sign."""
    error = examined.error
    if isinstance(error, WrappedError):
        return Found(error.count, error.of, error.cells, words={"power": f"{2**32}"})
    rows = examined.outside
    for end in WRAPPED:
        close = (rows[["x", "y"]] - end).abs().min(axis=1) < WINDOW
        if close.any():
            return examined.found(rows[close], len(examined.fixations) + len(rows), power=f"{end}")
    return None


def one_based(examined: Examined) -> Found | None:
    """Whole numbers that begin with one and reach the side of the image, or so many that zero would be among them."""
    every = examined.near
    if len(every) < LEAST or (every[["x", "y"]] % 1 != 0).any(axis=None) or (every[["x", "y"]] < 1).any(axis=None):
        return None
    at_side = np.logical_or(*(every[axis] == every[side] for axis, side in AXES))
    beyond = np.logical_or(*(every[axis] > every[side] for axis, side in AXES))
    first = sum((every[axis] <= STRIP).sum() / STRIP for axis, _ in AXES)
    begins = at_side.any() and every[["x", "y"]].min().min() == 1
    if beyond.any() or not (begins or first >= BEFORE):
        return None
    sizes = {sample.size for sample in examined.samples}
    remedy = "subtract 0.5 from x and y in the file"
    if len(sizes) == 1:
        ((height, width),) = sizes
        remedy = f'--stimulus 0.5,0.5,{width},{height}, or "stimulus": [0.5, 0.5, {width}, {height}] in '
        remedy += examined.settings
    rows = every[at_side] if at_side.any() else every
    found = examined.found(rows, len(every), halves=remedy)
    return Found(len(every), len(every), found.examples, words=found.words)


def clipped(examined: Examined) -> Found | None:
    """Far more fixations in the pixels at an edge of the images than in those beside them."""
    every = examined.near
    at_edge = np.zeros(len(every), bool)
    for axis, side in AXES:
        ends = {"low": np.floor(every[axis]), "high": np.ceil(every[side] - every[axis]) - 1}
        ends["high"] = ends["high"].mask(every[axis] == every[side], 0)
        for pixel in ends.values():
            edge, beside = pixel == 0, pixel.between(1, STRIP).sum() / STRIP
            # Of the mouse data of OSIE, whose pointer stops at the edge, 1.5 times as many as beside.
            if edge.sum() >= max(EDGE, PILE * beside):
                at_edge |= edge
    return examined.found(every[at_edge], len(every)) if at_edge.any() else None
