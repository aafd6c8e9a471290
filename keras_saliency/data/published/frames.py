"""What readers of videos share: folders of frames, each with a binary map of its fixations."""

import concurrent.futures
import itertools
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from keras_saliency.data.data_set import DataSet
from keras_saliency.data.fixations import Fixations
from keras_saliency.data.folder import NO_OBSERVERS
from keras_saliency.data.map_arrays import read_map
from keras_saliency.data.matlab import load_matlab, malformed
from keras_saliency.data.samples import Sample, Samples
from keras_saliency.data.splits import PARTS
from keras_saliency.formulas.types import Size
from keras_saliency.writing.progress import Progress, make_console

FRAMES = (".png", ".jpg", ".jpeg")
# Where fixation maps lie, and their suffix; the first that is there is read.
MAPS = (("fixation", ".png"), ("fixation/maps", ".mat"), ("maps", ".mat"))
VARIABLE = "I"  # of the MAT files
LONG = 5_000  # frames, of which it is told how far the reading has come


class Video(NamedTuple):
    """A folder with `images/` and maps of fixations.

    Attributes:
        folder: The folder; its name is that of the video, or of the shot.
        part: `"train"`, `"validation"` or `"test"`.
        group: The video, of which several folders may be shots.
    """

    folder: Path
    part: str
    group: str


def read_frames(name: str, videos: Sequence[Video], sigma: float, stride: int = 1) -> DataSet:
    """Reads the frames of videos and their fixation maps.

    The names of both end in the number of the frame. A pixel of a map that is not zero is a fixation, at its centre:
    several on one pixel are one, all count as one observer's, without order, and there is no gold standard. Frames
    without fixations stay in their videos. Frames are as they are stored; of each the header is read, and it is
    decoded when it is needed.

    Args:
        name: The name of the data set.
        videos: The folders.
        sigma: The ground-truth blur in pixels.
        stride: Reads each n-th frame of a video, from its first one.

    Raises:
        FileNotFoundError: If a video has no frames, or no maps.
        ValueError: If a frame has no map or a map no frame, numbers have a gap, frames of a video or a frame and its
            map are of different sizes, a file cannot be read, a map has several levels, or the stride is below one.
    """
    if stride < 1:
        raise ValueError(f"stride is a whole number from 1. Received: {stride}.")
    listed = {video: _pairs(video.folder) for video in videos}
    total = sum(map(len, listed.values()))
    samples: dict[str, list[Sample]] = {part: [] for part in PARTS}
    with Progress(make_console(total > LONG)) as bars, concurrent.futures.ThreadPoolExecutor() as pool:
        task = bars.add_task("frames", total=total)
        for video, pairs in listed.items():
            looked = pool.map(_look, *zip(*(pair[1:] for pair in pairs[::stride]), strict=True))
            size: Size | None = None
            for (number, image, _), (own, fixations) in zip(pairs[::stride], looked, strict=True):
                size = size or own
                if own != size:
                    raise ValueError(
                        f"{image} is {own}, and other frames of the video are {size}, both (height, width). Make the "
                        "frames again."
                    )
                called = f"{video.folder.name}/{image.stem}"
                samples[video.part].append(
                    Sample(called, image, size, fixations, sigma, group=video.group, as_stored=True, frame=number)
                )
            bars.advance(task, len(pairs))
    train, validation, test = (Samples(samples[part]) for part in PARTS)
    return DataSet(name, train, validation, test).noting(*_notes(samples, stride))


def folders_in(directory: Path, remedy: str) -> list[Path]:
    """The folders in a folder, by name.

    Raises:
        FileNotFoundError: If it is missing or has none; says the remedy.
    """
    found = sorted(path for path in directory.glob("[!.]*") if path.is_dir())
    if not found:
        raise FileNotFoundError(f"{directory} is missing, or has no videos. {remedy}")
    return found


def _notes(samples, stride):
    every = list(itertools.chain.from_iterable(samples.values()))
    empty = sum(not len(sample.fixations) for sample in every)
    if stride > 1:
        yield f"stride {stride}: one of {stride} frames is read"
    if empty:
        yield f"{empty} of {len(every)} frames have no fixations: they stay in their videos, and are not scored"
    yield NO_OBSERVERS


def _pairs(folder):
    """The number, frame and map of each frame of a video, in order."""
    frames = _numbered(folder / "images", FRAMES)
    if not frames:
        raise FileNotFoundError(f"{folder / 'images'} has no frames. Make them from the video, as 0001.png and so on.")
    maps = next(filter(None, (_numbered(folder / place, (suffix,)) for place, suffix in MAPS)), None)
    if maps is None:
        expected = ", ".join(f"{place}/*{suffix}" for place, suffix in MAPS)
        raise FileNotFoundError(f"{folder} has no fixation maps. Expected one of {expected}.")
    for these, those, what, other in ((frames, maps, "frames", "fixation map"), (maps, frames, "maps", "frame")):
        alone = sorted(these.keys() - those.keys())
        if alone:
            raise ValueError(
                f"{folder}: {len(alone)} of {len(these)} {what} have no {other}, the first is {these[alone[0]]}. "
                "Make the frames again, one for each map."
            )
    numbers = sorted(frames)
    for one, other in itertools.pairwise(numbers):
        if other != one + 1:
            raise ValueError(f"{folder}: after frame {one} comes frame {other}. Give all frames of the video.")
    return [(number, frames[number], maps[number]) for number in numbers]


def _numbered(folder, suffixes):
    """The files of a folder by the numbers that their names end in."""
    found: dict[int, Path] = {}
    for path in sorted(folder.glob("[!.]*")):
        if path.suffix.lower() not in suffixes:
            continue
        number = re.search(r"\d+$", path.stem)
        if not number:
            raise ValueError(f"{path} has no number. Expected the number of a frame at the end of its name.")
        if (other := found.setdefault(int(number[0]), path)) != path:
            raise ValueError(f"{other} and {path} have one number. Keep one of them.")
    return found


def _look(image, map_):
    """The size of a frame, and its fixations."""
    try:
        with Image.open(image, formats=("PNG", "JPEG")) as opened:
            size = opened.height, opened.width
    except Exception as error:  # Pillow raises whatever the broken bytes lead it to.
        raise ValueError(f"{image} cannot be read: it is no PNG or JPEG file. Make the frame again.") from error
    values = _read_matlab(map_) if map_.suffix.lower() == ".mat" else read_map(map_, "The fixation map")
    if values.shape != size:
        raise ValueError(
            f"{image} is {size} and its fixation map {values.shape}, both (height, width). Make the frames again, of "
            "the size of the maps."
        )
    rows, columns = np.divmod(np.flatnonzero(values != 0), values.shape[1])
    levels = np.unique(values[rows, columns])
    if len(levels) > 1:
        raise ValueError(f"{map_} has {len(levels) + 1} levels, and a map of fixations two. It is a density map.")
    zeros = np.zeros(len(rows), "int64")
    return size, Fixations(columns + 0.5, rows + 0.5, zeros, np.full(len(rows), np.nan))


def _read_matlab(path):
    values = np.asarray(load_matlab(path, VARIABLE))
    if values.ndim != 2 or values.dtype.kind not in "buif":
        raise malformed(path, f"{VARIABLE}, a matrix of zeros and ones, (height, width)")
    return values
