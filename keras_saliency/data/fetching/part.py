"""What of a file has been fetched so far, and how to ask for the rest of it."""

import contextlib
import dataclasses
import json
import re
from pathlib import Path
from typing import Any

import requests

from keras_saliency.writing.files import part_of, write_whole

RANGE = re.compile(r"bytes (\d+)-\d+/(\d+|\*)")


@dataclasses.dataclass(frozen=True)
class Part:
    """What of a file has been fetched so far.

    Attributes:
        path: Where it lies.
        about: The file that remembers `total`, the bytes of the whole, and `state`, the tag or time by which the server
            tells whether its file is still the same; None where it did not say.
    """

    path: Path
    about: Path

    @classmethod
    def of(cls, file: Path) -> "Part":
        """The part of a file that is not there yet."""
        path = part_of(file)
        return cls(path, path.with_name(f"{path.name}.json"))

    @property
    def size(self) -> int:
        """How many bytes are there."""
        return self.path.stat().st_size if self.path.is_file() else 0

    def is_whole(self) -> bool:
        """Whether nothing is missing; False where the server did not say how large the file is."""
        return self.size > 0 and self.size == self._known().get("total")

    def asking(self) -> dict[str, str]:
        """The headers that ask for what is missing, or none where only the whole can be asked for."""
        known = self._known()
        if not (self.size and (known.get("state") or known.get("total"))):
            return {}
        return {"Range": f"bytes={self.size}-", **({"If-Range": known["state"]} if known["state"] else {})}

    def goes_on_with(self, response: requests.Response) -> bool:
        """Whether what a server sends follows what is there, and is of a file as large as before."""
        match = RANGE.fullmatch(response.headers.get("Content-Range", ""))
        total = self._known().get("total")
        if match is None or int(match[1]) != self.size:
            return False
        return total is None or match[2] in ("*", str(total))

    def begin(self, response: requests.Response, total: int | None) -> None:
        """Forgets what is there, and remembers which file is fetched now."""
        self.delete()
        tag = response.headers.get("ETag", "")
        # A weak tag stands for files that differ in their bytes.
        state = tag if tag.startswith('"') else response.headers.get("Last-Modified")
        write_whole(self.about, json.dumps({"total": total, "state": state}))

    def delete(self) -> None:
        """Forgets what is there."""
        self.path.unlink(missing_ok=True)
        self.about.unlink(missing_ok=True)

    def _known(self) -> dict[str, Any]:
        with contextlib.suppress(OSError, ValueError):
            return json.loads(self.about.read_text())
        return {}


def total_of(response: requests.Response) -> int | None:
    """The bytes of the whole file, of which a response may bring the rest; None where the server does not tell."""
    if response.status_code == 206:
        match = RANGE.fullmatch(response.headers.get("Content-Range", ""))
        told = match[2] if match else ""
    else:
        told = response.headers.get("Content-Length", "")
    return int(told) if told.isdecimal() else None
