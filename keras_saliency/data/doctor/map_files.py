"""The files of a `folder`: its maps, what each looks like, and what has no partner."""

import concurrent.futures
import dataclasses
import itertools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from keras_saliency.data import image_files
from keras_saliency.data.folder import RANKS
from keras_saliency.data.map_arrays import READERS, read_map
from keras_saliency.data.names import Index, files_below
from keras_saliency.data.orientation import TAG, TURNS, UPRIGHT
from keras_saliency.formulas.types import Plane, Size

JPEG = (".jpg", ".jpeg")
# From a pixel to the one beside it, of the range of the map: a point is a step of 0.98 and more, as JPEG of quality 30,
# too, and densities with a blur of a pixel, the narrowest, have steps of up to 0.57.
STEP = 0.75
FRAME = 0.1  # of each side


@dataclasses.dataclass(frozen=True)
class MapFile:
    """What a map looks like.

    Attributes:
        name: Its path in the folder.
        kind: What it is taken for, `"fixations"` or `"maps"`, which are densities.
        image_size: `(height, width)` of its image, as it is seen; None if that cannot be read.
        error: Why it cannot be read.
        size: Its own.
        is_points: Whether it has edges as sharp as single pixels have.
        is_lossy: Whether it was saved as JPEG, maybe before it was saved as what it is.
        is_inverted: Whether most is bright, and what is looked at is dark.
    """

    name: str
    kind: str
    image_size: Size | None = None
    error: str | None = None
    size: Size | None = None
    is_points: bool = False
    is_lossy: bool = False
    is_inverted: bool = False


@dataclasses.dataclass(frozen=True)
class MapFiles:
    """The maps of a folder, and the names of images without map and of maps without image."""

    maps: tuple[MapFile, ...] = ()
    unmatched: tuple[str, ...] = ()
    images: int = 0


def look(directory: Path, options: Mapping[str, Any]) -> MapFiles:
    """Looks at the maps of a folder that is laid out as `folder.read` says.

    Args:
        directory: The folder.
        options: Those of `folder.read`.
    """
    images = directory / options.get("images", "images")
    files = [path for path in files_below(images) if path.suffix.lower() in image_files.READ] if images.is_dir() else []
    pairs, unmatched = [], []
    for kind, ranks in RANKS.items():
        place = directory / options.get(kind, kind)
        if not place.is_dir():
            continue
        maps = [path for path in files_below(place) if path.suffix.lower() in READERS]
        index = Index(maps)
        found = {file: index.find(str(file), ranks) for file in files}
        used = {*itertools.chain.from_iterable(found.values())}
        unmatched += [f"{images.name}/{file}: no map" for file, paths in found.items() if not paths]
        unmatched += [f"{place.name}/{path}: no image" for path in maps if path not in used]
        pairs += [(kind, images / file, place, path) for file, paths in found.items() for path in paths[:1]]
    with concurrent.futures.ThreadPoolExecutor() as pool:
        return MapFiles(tuple(pool.map(lambda pair: _look(*pair), pairs)), tuple(unmatched), len(files))


def _look(kind, image, place, path):
    name = f"{place.name}/{path}"
    try:
        values = read_map(place / path, "The map")
    except ValueError as error:
        return MapFile(name, kind, error=str(error))
    low, high = values.min(), values.max()
    # As floats: a difference of whole numbers without sign overflows.
    scaled = (values.astype("float64") - low) / max(float(high) - float(low), 1e-12)
    points = max(np.abs(np.diff(scaled, axis=axis)).max(initial=0.0) for axis in (0, 1)) > STEP
    levels = len(np.unique(values))
    lossy = path.suffix.lower() in JPEG or (path.suffix.lower() == ".png" and levels > 2)
    inverted = np.median(scaled) > 0.5 and bool(levels == 2 or _is_bright_around(scaled))
    return MapFile(name, kind, _seen_size(image), None, values.shape, bool(points), lossy, inverted)


def _is_bright_around(values: Plane) -> bool:
    """Whether the frame of a map is brighter than the rest; in densities of fixations it is darker."""
    inner = tuple(slice(int(FRAME * side), side - int(FRAME * side)) for side in values.shape)
    rest = np.ones(values.shape, bool)
    rest[inner] = False
    return bool(rest.any() and values[rest].mean() > values[inner].mean())


def _seen_size(path):
    """The height and width of an image, upright, from its header."""
    try:
        with Image.open(path) as image:
            turn = image.getexif().get(TAG, UPRIGHT)
            across = turn in range(len(TURNS)) and TURNS[turn][0]
            return image.size if across else image.size[::-1]
    except Exception:  # Pillow raises whatever the broken bytes lead it to.
        return None
