"""What has been fetched into a folder: a file there tells it, so that it is not fetched again."""

import dataclasses
import json
from collections.abc import Iterable
from pathlib import Path

from keras_saliency.data.facts import Archive
from keras_saliency.writing.files import naming, write_whole

NAME = ".fetched.json"


@dataclasses.dataclass
class Record:
    """What has been fetched into a folder.

    Args:
        folder: The folder.

    Raises:
        ValueError: If it holds a record that cannot be read.
    """

    folder: Path

    def __post_init__(self) -> None:
        self._file = self.folder / NAME
        self._rows: dict[str, dict] = {}
        if self._file.is_file():
            with naming(self._file, "Delete it and fetch again: what is there stays."):
                self._rows = {row["address"]: row for row in json.loads(self._file.read_text())}
                for row in self._rows.values():
                    _ = row["md5"], row["files"].items()

    def has(self, archive: Archive) -> bool:
        """Whether an archive was fetched, and all its files are there in the size that they had."""
        row = self._rows.get(archive.address)
        if row is None or archive.md5 not in (None, row["md5"]):
            return False
        paths = {self.folder / name: size for name, size in row["files"].items()}
        return all(path.is_file() and path.stat().st_size == size for path, size in paths.items())

    def add(self, archive: Archive, md5: str, files: Iterable[Path]) -> None:
        """Remembers an archive, its checksum, and the files that came of it."""
        sizes = {path.relative_to(self.folder).as_posix(): path.stat().st_size for path in files}
        self._rows[archive.address] = {"address": archive.address, "md5": md5, "files": sizes}
        write_whole(self._file, json.dumps(list(self._rows.values())))
