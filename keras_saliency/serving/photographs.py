"""Which files are photographs, and what is written for each."""

import collections
from collections.abc import Iterable, Sequence
from pathlib import Path

from keras_saliency.data import image_files

SUFFIXES = (*image_files.READ, *image_files.REFUSED)
# What prediction writes for `NAME.jpg`: the map, which is written last and so says that all is there, and the rest.
MAPS, SCANPATHS = ("_saliency.png", "_overlay.jpg", "_log_density.npy"), ("_scanpaths.png", "_scanpaths.csv")
ENDINGS = MAPS + SCANPATHS
EXISTING = ("error", "resume", "overwrite")


def find_images(paths: Iterable[str | Path]) -> list[tuple[Path, Path]]:
    """The images among files and folders, in order, and their paths within these; folders are searched deeply.

    What prediction has written beside one of them, such as `NAME_saliency.png` beside `NAME.jpg`, is none.

    Raises:
        FileNotFoundError: If a path does not exist, or there is no image at all.
    """
    found, paths = [], list(paths)
    for path in map(Path, paths):
        if not path.exists():
            raise FileNotFoundError(f"{path} does not exist.")
        inside = sorted(p for p in path.rglob("*") if _is_image(p)) if path.is_dir() else [path]
        found += [(p, p.relative_to(path) if path.is_dir() else Path(p.name)) for p in inside]
    names = {path.with_suffix("") for path, _ in found if not _is_refused(path)}
    found = [pair for pair in found if _photograph_of(pair[0]) not in names]
    if not found:
        where = ", ".join(map(str, paths)) or "an empty list"
        raise FileNotFoundError(f"No {', '.join(image_files.READ)} files in {where}.")
    return found


def _is_image(path):
    # What a killed writer leaves is hidden.
    return path.suffix.lower() in SUFFIXES and not path.is_dir() and not path.match(".*.part.*")


def _is_refused(path):
    return path.suffix.lower() in image_files.REFUSED


def _photograph_of(path):
    """The photograph, without suffix, beside which prediction would write a file; None if it would write no such."""
    return next((path.with_name(path.name.removesuffix(end)) for end in ENDINGS if path.name.endswith(end)), None)


def plan(
    images: Iterable[tuple[Path, Path]], directory: Path, ends: Sequence[str], existing: str
) -> list[tuple[Path, list[Path]]]:
    """The photographs among images, each with the files to be written for it.

    Args:
        images: What `find_images` gives.
        directory: Where to write; the folders of the images below those that were searched are kept.
        ends: Of the names of the files of each, such as `MAPS`.
        existing: What is done about files that are there, one of `EXISTING`.

    Raises:
        FileExistsError: If a file is there, and `existing` is `"error"`.
        ValueError: If two images would write the same file, or `existing` is unknown.
    """
    if existing not in EXISTING:
        raise ValueError(f"Unknown existing={existing!r}. Known: {', '.join(EXISTING)}.")
    planned = []
    for path, relative in images:
        target = directory / relative.with_suffix("")
        planned.append((path, [target.with_name(target.name + end) for end in ends]))
    made = {file.absolute() for _, files in planned for file in files}
    planned = [(path, files) for path, files in planned if path.absolute() not in made]
    readable = [files[0] for path, files in planned if not _is_refused(path)]
    for file, count in collections.Counter(readable).items():
        if count > 1:
            raise ValueError(f"{count} images would write {file}. Rename them, or predict them apart.")
    there = next((file for _, files in planned for file in files if file.exists()), None)
    if there and existing == "error":
        raise FileExistsError(f"{there} exists already. Choose another --out folder, or --resume or --overwrite.")
    return planned


def is_complete(path: Path, files: Iterable[Path]) -> bool:
    """Whether all files of a photograph are there; those of a kind that is refused are another's."""
    return not _is_refused(path) and all(file.exists() for file in files)
