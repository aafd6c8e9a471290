"""Where samples are seen: the size of each on its canvas, and the windows that very long ones become."""

import dataclasses
import functools
from typing import Any, NamedTuple

import numpy as np

from keras_saliency.data import geometry
from keras_saliency.data.showing import windows
from keras_saliency.formulas.types import Size
from keras_saliency.formulas.view import LONGEST, View


class Places(NamedTuple):
    """Where samples are seen, a row for each.

    Attributes:
        canvases: The sizes at which they are, `(samples, 2)`, int32.
        boxes: Where on them the picture lies, `(samples, 4)`, int32: top, left, height, width.
    """

    canvases: np.ndarray
    boxes: np.ndarray


def places(samples: Any, size: Size | View, scale: float = 1.0) -> Places:
    """Where samples are seen.

    Args:
        samples: Samples, of which each is seen in a single window; see `in_windows`.
        size: The frame, or the view.
        scale: The size of what is made, such as targets, in sizes of what is seen by the view.

    Raises:
        ValueError: As `View.of`.
    """
    if not isinstance(size, View):
        canvases = np.tile(np.array(size, "int32"), (len(samples), 1))
        return Places(canvases, geometry.box(np.array([sample.size for sample in samples], "int32"), size).numpy())
    seen = np.array([_seen(samples, sample, size) for sample in samples])
    canvases = np.round(scale * np.minimum(seen, LONGEST * seen.min(1, keepdims=True))).astype("int32")
    return Places(canvases, np.concatenate([np.zeros_like(canvases), canvases], 1))


def in_windows(samples: Any, view: View) -> list[Any]:
    """Samples of which each is seen in a single window: those of very long pictures become several, `Sample.window`.

    Windows and frames that nothing is known of, as nobody looked into them, are left away.

    Args:
        samples: `Samples`.
        view: The view.

    Raises:
        ValueError: As `View.of`.
    """
    found = []
    for sample in samples:
        seen = _seen(samples, sample, view)
        if sample.window or max(seen) <= LONGEST * min(seen):
            if sample.frame is None or sample.is_usable:
                found.append(sample)
            continue
        _, _, parts = windows(sample.size, seen, view.stride)
        within = [cut(sample, *part) for part in parts.numpy().tolist()]
        found += [each for each in within if each.is_usable]
    return found


def _seen(samples, sample, view):
    degrees = sample.pixels_per_degree or samples.pixels_per_degree
    return _of(view, tuple(sample.whole_size), degrees, sample.name)


@functools.lru_cache(2**14)  # The same is asked for again and again, many thousand times in a training.
def _of(view, size, degrees, name):
    return view.of(size, degrees, name)


def cut(sample: Any, top: int, left: int, height: int, width: int) -> Any:
    """The part of a sample in a window; its name says which, and its fixations are those in it."""
    x, y = sample.fixations.x - left, sample.fixations.y - top
    inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    fixations = dataclasses.replace(sample.fixations, x=x, y=y)[inside]
    picture = sample.picture
    if picture is not None:
        lowest = np.clip(np.subtract(picture, (top, left, top, left)), 0, (height, width, height, width))
        picture = tuple(lowest.tolist())
    return dataclasses.replace(
        sample,
        name=f"{sample.name}[{top}:{top + height}, {left}:{left + width}]",
        group=sample.group,
        size=(height, width),
        fixations=fixations,
        density=None,
        letterboxed=None,
        picture=picture,
        window=(top, left, *sample.size),
    )
