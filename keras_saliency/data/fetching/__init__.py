"""Fetches published data sets from where their authors keep them: downloads, verifies, unpacks."""

import contextlib
import os
import shlex
from collections.abc import Callable, Sequence
from pathlib import Path

from rich.console import Console

from keras_saliency.data.facts import FACTS, WITHIN, Archive, Facts, size_text
from keras_saliency.data.fetching import downloading
from keras_saliency.data.fetching.record import Record
from keras_saliency.data.fetching.unpacking import UnusableError, unpack
from keras_saliency.writing.locks import lock
from keras_saliency.writing.progress import Progress, make_console

ASKED = 1000  # megabytes that are fetched without asking
MOST = 200_000  # megabytes of a file of unknown size
SLACK = 3  # how many times larger than it is said to be a file may be


def fetch(
    name: str,
    directory: str | Path | None = None,
    yes: bool | Callable[[str], bool] = False,
    verbose: bool = True,
) -> Path:
    """Fetches a published data set.

    An interrupted call is given again, and goes on from where it was. What is there is not fetched again, and nothing
    that is there is overwritten. An archive that was put into the folder by hand is taken from there.

    Args:
        name: One of `FACTS`.
        directory: The folder for it; by default the one of that name in the folder that `KERAS_SALIENCY_DATA` names,
            or in the current one.
        yes: Whether more than 1 GB may be fetched; or a function that is asked then.
        verbose: Whether to print what is done.

    Returns:
        The folder, as `load` takes it.

    Raises:
        ValueError: If the name is unknown, the data set cannot be had by HTTP, it is large and nobody agreed, a server
            sends something else, an archive is not what was published or would do harm, or other files are in the way.
        OSError: If a server cannot be reached, the connection breaks again and again, or the disk is full.
    """
    facts = _facts(name)
    folder = _folder(name, directory)
    console, record = make_console(verbose), Record(folder)
    missing = [archive for archive in facts.archives if not record.has(archive)]
    places = {archive: _place(archive, folder) for archive in missing}
    sizes = {archive: _megabytes(archive, place) for archive, place in places.items() if not place.exists()}
    if missing:
        console.print(f"{facts.title}. Licence: {facts.licence}. Its authors: {facts.address}")
        _require_consent(name, list(sizes.values()), yes)
        folder.mkdir(parents=True, exist_ok=True)
        with contextlib.ExitStack() as held:
            lock(folder, held, f"Another process fetches into {folder}. Wait for it, or choose another folder.")
            for archive in missing:
                _fetch(archive, folder, sizes.get(archive), record, console)
    go_on = f"keras-saliency data check {shlex.quote(f'{name}={folder}')}"
    console.print(f"{name} is complete in {folder}. Go on with: {go_on}")
    return folder


def _facts(name: str) -> Facts:
    if name not in FACTS:
        raise ValueError(f"Unknown data set {name!r}. Those that are published: {', '.join(FACTS)}.")
    facts = FACTS[name]
    if facts.form or not facts.archives:
        reason = facts.form or "no archive of it is known"
        raise ValueError(f"{name} cannot be fetched: {reason.rstrip('.')}. Get it by hand from {facts.address}")
    return facts


def _folder(name, directory):
    if directory is None:
        directory = Path(os.environ.get("KERAS_SALIENCY_DATA", ".")) / WITHIN.get(name, name)
    folder = Path(directory).expanduser()
    if folder.exists() and not folder.is_dir():
        raise ValueError(f"{folder} is a file. Choose another folder for {name}.")
    return folder


def _megabytes(archive, place):
    """How large a file is, by its row or else its server; None if neither tells."""
    if archive.megabytes is not None:
        return archive.megabytes
    told = downloading.length(archive.address, place)
    return None if told is None else told / 1e6


def _require_consent(name: str, sizes: Sequence[float | None], yes: bool | Callable[[str], bool]) -> None:
    """Asks before more is fetched than nobody minds."""
    known = [size for size in sizes if size is not None]
    if yes is True or (sum(known) <= ASKED and len(known) == len(sizes)):
        return
    size = size_text(sum(known)) if len(known) == len(sizes) else "of unknown size"
    if not (yes and yes(f"{name} is {size}. Fetch it?")):
        raise ValueError(f"{name} is {size}, and nobody agreed to fetch it: give --yes, or yes=True in Python.")


def _place(archive, folder):
    """Where a file is put; an archive that was put there by hand is found there."""
    return folder / ("" if archive.packed else archive.into) / archive.file


def _fetch(archive: Archive, folder: Path, megabytes: float | None, record: Record, console: Console) -> None:
    """Has what an archive holds in the folder, and remembers that."""
    place = _place(archive, folder)
    own = not place.exists()
    md5 = _download(archive, place, megabytes, console) if own else _verify(archive, place)
    if archive.md5 is None:
        console.print(f"{archive.file}: no checksum is published; md5 {md5}")
    files = [place]
    if archive.packed:
        console.print(f"unpacking {archive.file}")
        files = _unpack(archive, place, folder, own)
    record.add(archive, md5, files)
    if archive.packed and own:
        place.unlink()


def _download(archive, place, megabytes, console):
    """Puts a file into its place, and gives its checksum."""
    place.parent.mkdir(parents=True, exist_ok=True)
    most = MOST if megabytes is None else SLACK * (1 + megabytes)
    with Progress(console, sizes=True) as bars:
        task = bars.add_task(archive.file, total=None)

        def tell(done, total):
            bars.update(task, completed=done, total=total)

        return downloading.download(archive.address, place, most * 1e6, archive.md5, tell)


def _verify(archive, place):
    """The checksum of a file that was there before."""
    found = downloading.md5_of(place)
    if archive.md5 not in (None, found):
        raise ValueError(
            f"{place} is there already, and is not what was published: its md5 is {found}, not {archive.md5}. "
            "Move it away and fetch again."
        )
    return found


def _unpack(archive, place, folder, own):
    """Unpacks an archive; one that is our own is deleted if it is of no use."""
    try:
        return unpack(place, folder / archive.into, archive.within)
    except UnusableError as error:
        if own:
            place.unlink()
        raise ValueError(f"{error} {'It is deleted: fetch' if own else 'Move it away and fetch'} again.") from error
