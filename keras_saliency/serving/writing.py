"""Maps and overlays in files: one photograph is read and others are written while one is predicted."""

import collections
import dataclasses
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from keras_saliency.data import geometry, image_files
from keras_saliency.formulas.types import Photograph, Plane
from keras_saliency.reporting import plotting
from keras_saliency.writing import files

STRIP = 1 << 20  # pixels that are drawn at once
COMPRESSION = 4  # of PNG: 6, which is customary, takes twice the time for a fifth less


@dataclasses.dataclass
class Job:
    """A photograph on its way to its files.

    Attributes:
        path: The photograph.
        files: Its map, its overlay and, where wanted, its log-density.
        image: Its pixels, once it has been read.
        shown: The frame, or the view, in which the model sees it.
        seen: What it sees.
        prediction: What it gives for that.
        contents: Those of its files.
        error: Why there are none.
    """

    path: Path
    files: Sequence[Path]
    image: Photograph | None = None
    shown: Any = None
    seen: Any = None
    prediction: Any = None
    contents: Sequence[bytes] = ()
    error: str = ""


def in_order(
    pool: Executor, function: Callable[[Any], Any], items: Iterable, room: int, weight: Callable[[Any], int]
) -> Iterator:
    """Yields what a function makes of each item, in order, in a pool.

    Args:
        pool: Where it is computed.
        function: Of one item.
        items: They are taken one by one, none before there is room for it.
        room: How much all that is not yet yielded may weigh; an item that weighs more goes alone.
        weight: Of an item.
    """
    pending: collections.deque = collections.deque()
    for item in items:
        weighs = weight(item)
        while pending and sum(weighed for _, weighed in pending) + weighs > room:
            yield pending.popleft()[0].result()
        pending.append((pool.submit(function, item), weighs))
        del item  # It may be large, and the next is waited for.
    while pending:
        yield pending.popleft()[0].result()


def attempt(step: Callable[[Job], None]) -> Callable[[Job], Job]:
    """A step of a job that an error does not end: the job keeps what it says, and takes no further steps."""

    def take(job: Job) -> Job:
        try:
            if not job.error:
                step(job)
        except Exception as error:  # Broken files raise whatever their bytes lead to.
            named = isinstance(error, image_files.ImageError)
            job.error = str(error) if named else f"{job.path}: {str(error) or type(error).__name__}"
        return job

    return take


def draw(image: Photograph, predicted: Plane, is_log_density: bool, exact: bool) -> list[bytes]:
    """The bytes of the files of one photograph: the map as PNG, the overlay as JPEG, and the exact values as NPY.

    Args:
        image: The photograph.
        predicted: What a model gives for it, at its size.
        is_log_density: Whether that is a log-density.
        exact: Whether the exact values are wanted.
    """
    grey, overlay, peak = np.empty(predicted.shape, "uint8"), np.empty_like(image), predicted.max()
    height = max(1, STRIP // predicted.shape[1])
    for top in range(0, len(predicted), height):
        rows = slice(top, top + height)
        saliency = geometry.to_saliency(predicted[rows, :, None], is_log_density, peak).numpy()[..., 0]
        grey[rows] = np.round(255 * saliency)
        overlay[rows] = plotting.overlay(image[rows], saliency)
    made = [_saved(Image.fromarray(grey).save, format="PNG", compress_level=COMPRESSION)]
    made.append(_saved(Image.fromarray(overlay).save, format="JPEG", quality=92))
    return [*made, _saved(lambda file: np.save(file, predicted))] if exact else made


def _saved(save, **options):
    file = io.BytesIO()
    save(file, **options)
    return file.getvalue()


def write(job: Job) -> Job:
    """Writes the files of a job, the first one last: where it lies, all lie.

    Raises:
        OSError: If one cannot be written.
    """
    for path, content in reversed([*zip(job.files, job.contents, strict=False)]):
        path.parent.mkdir(parents=True, exist_ok=True)
        with files.whole(path) as part:
            part.write_bytes(content)
    return Job(job.path, job.files, error=job.error)
