"""Unpacks archives that nobody vouches for: plain files and folders inside one folder, and not too much of them."""

import filecmp
import fnmatch
import gzip
import shutil
import tarfile
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from keras_saliency.data.facts import size_text
from keras_saliency.data.fetching.members import RefusedError, members, size_of
from keras_saliency.writing.files import naming_full_disk, part_of, require_room

FILES = 1_000_000
BYTES = 200_000_000_000
# As many times the size of the archive may its content have, and what is less than `SMALL` is never too much.
TIMES, SMALL = 100, 1_000_000_000
BLOCK = 1 << 18


class UnusableError(ValueError):
    """An archive that is not whole, or would do harm."""


def unpack(archive: Path, folder: Path, within: str = "") -> list[Path]:
    """Unpacks a ZIP, tar or tar.gz file.

    Everything is unpacked beside its place first, and then moved there: after an error nothing has changed.

    Args:
        archive: The file.
        folder: Where to; what is there stays, and is an error where it differs.
        within: The folder inside the archive of which the content is taken, and nothing else; `*` in it is any name.

    Returns:
        Where its files are, also those that were there and are equal.

    Raises:
        UnusableError: If it is no such file or not whole, a name in it leads outside or stands there twice, or it has
            links, devices, or far more in it than its size tells.
        ValueError: If it cannot be unpacked by Python, or other files are in the place of its own.
        OSError: If the disk is full.
    """
    beside = part_of(folder / f"{archive.name} unpacked")
    shutil.rmtree(beside, ignore_errors=True)  # what a process that was killed has left
    try:
        beside.mkdir(parents=True)
        most = min(BYTES, max(SMALL, TIMES * archive.stat().st_size))
        require_room(beside, min(most, size_of(archive)))
        with naming_full_disk(beside):
            names = _write(archive, beside, PurePosixPath(within), most)
        if not names:
            raise ValueError(f"{archive} has no file{f' in a folder {within}' if within else ''}. Unpack it by hand.")
        return _move(beside, folder, names)
    except RefusedError as error:
        raise UnusableError(f"{archive} is not unpacked, since {error}. It may be made to do harm.") from error
    except (zipfile.BadZipFile, tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError, UnicodeError) as error:
        raise UnusableError(f"{archive} is damaged, or no ZIP or tar file ({error}).") from error
    except RuntimeError as error:  # a password, or a method of compression that Python has not
        raise ValueError(f"{archive} cannot be unpacked here ({error}). Unpack it by hand in {folder}.") from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _write(archive: Path, beside: Path, within: PurePosixPath, most: int) -> list[PurePosixPath]:
    """Writes the files, and gives their paths in the folder."""
    names, total = [], 0
    with members(archive) as found:
        for count, member in enumerate(found, 1):
            total += member.size
            if count > FILES or total > most:
                raise RefusedError(f"it has more than {FILES:,} files or {size_text(most / 1e6)} in it")
            name = _inside(member.path, within)
            if name is None:
                continue
            part = beside / name
            try:
                (part if member.folder else part.parent).mkdir(parents=True, exist_ok=True)
                if not member.folder:
                    with member.open() as source, part.open("xb") as out:
                        shutil.copyfileobj(source, out, BLOCK)
                    names.append(name)
            except (FileExistsError, NotADirectoryError) as error:
                raise RefusedError(f"{str(name)!r} stands in it twice") from error
    return names


def _inside(path, within):
    """The path in the folder `within`; None for what is not in it."""
    count = len(within.parts)
    if len(path.parts) <= count or not all(map(fnmatch.fnmatchcase, path.parts, within.parts)):
        return None
    return PurePosixPath(*path.parts[count:])


def _move(beside, folder, names):
    """Moves files to their place, if no other is there."""
    places = [folder / name for name in names]
    there = {place for place in places if place.exists()}
    for name, place in zip(names, places, strict=True):
        if place in there and not (place.is_file() and filecmp.cmp(beside / name, place, shallow=False)):
            raise ValueError(f"{place} is there already, and is another one. Move it away, or choose another folder.")
    for name, place in zip(names, places, strict=True):
        if place not in there:
            place.parent.mkdir(parents=True, exist_ok=True)
            (beside / name).rename(place)
    return places
