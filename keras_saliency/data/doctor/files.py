"""Faults of files: without partner, unreadable, refused by the reader."""

from pathlib import PurePosixPath

from keras_saliency.data.doctor.finding import EXAMPLES, Examined, Found
from keras_saliency.data.names import IMAGES, comparable, files_below
from keras_saliency.data.refusals import MissingImagesError

UNREADABLE = "the image cannot be decoded"  # see `image_files`
NAMELESS = "and no such image"  # see `tracker.read`
NEEDED = ("table", "tracker", "rows")  # whose images are named by something


def unmatched(examined: Examined) -> Found | None:
    """Images without map or fixations, and maps or fixations without image."""
    error, nameless = examined.error, _nameless(examined)
    missing, needed = (error.names, error.of) if isinstance(error, MissingImagesError) else ((), 0)
    names = [
        *(f"{name}: no such image" for name in missing),
        *examined.files.unmatched,
        *(line for line in examined.skipped if NAMELESS in line),
        *nameless,
    ]
    of = max(examined.files.images, len(examined.samples), needed, len(names))
    return Found(len(names), of, names[:EXAMPLES]) if names else None


def _nameless(examined):
    """The images that nothing names, in folders with images that are named; none that is called as one of these."""
    if examined.directory is None or examined.name not in NEEDED:
        return []
    used = [PurePosixPath(sample.name) for sample in examined.samples]
    folders, called = {path.parent for path in used}, {comparable(path.name) for path in used}
    left_out = {line.partition(": ")[0] for line in examined.skipped}
    return [
        f"{path}: no fixations"
        for path in files_below(examined.directory)
        if path.suffix.lower() in IMAGES
        and path.parent in folders
        and comparable(path.name) not in called
        and str(path) not in left_out
    ]


def unreadable(examined: Examined) -> Found | None:
    """Images and maps that cannot be decoded."""
    lines = [line for line in examined.skipped if UNREADABLE in line]
    lines += [found.error for found in examined.files.maps if found.error]
    files = len(examined.samples) + len(examined.files.maps) + len(lines)
    return Found(len(lines), files, lines[:EXAMPLES]) if lines else None


def refused(examined: Examined) -> Found | None:
    """What the reader says, where it gives up."""
    return Found(1, 1, [" ".join(str(examined.error).split())]) if examined.error else None
