"""Where the results of a study lie: a small JSON file for each cell, there whole or not at all."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from keras_saliency.quest.study import VERSION, Cell
from keras_saliency.writing.files import write_whole

DIGITS = 6  # of a score
KINDS: dict[str, Callable[..., Any]] = {"json": open, "json.gz": gzip.open}


class Results:
    """The results in a folder, which several machines may share; files that gzip has compressed are read, too.

    Args:
        folder: The folder; it need not be there.

    Attributes:
        found: The results by the keys of their cells: that of a cell that failed has an `"error"`.
        useless: A line for each file that is no result of this version; it is left as it is.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self.found: dict[str, dict[str, Any]] = {}
        self.useless: list[str] = []
        self.read()

    def read(self) -> None:
        """Reads what has come since, from here or elsewhere."""
        self.useless = []
        for file in sorted(self.folder.glob("*.json*")):
            key, _, kind = file.name.partition(".")
            if key in self.found or kind not in KINDS:
                continue
            try:
                with KINDS[kind](file, "rt") as opened:
                    result = json.load(opened)
                version, specification = result["version"], result["cell"]
            except (ValueError, TypeError, KeyError, EOFError, gzip.BadGzipFile):
                self.useless.append(f"{file} is no whole result: its cell is run again.")
                continue
            if version != VERSION or not isinstance(specification, dict):
                self.useless.append(f"{file} is a result of version {version}, and this is version {VERSION}.")
                continue
            self.found[key] = result

    def write(self, cell: Cell, result: dict[str, Any]) -> None:
        """Writes the result of a cell in one step."""
        self.folder.mkdir(parents=True, exist_ok=True)
        whole = {"version": VERSION, "cell": cell.specification, **result}
        write_whole(self.folder / f"{cell.key}.json", json.dumps(whole) + "\n")
        self.found[cell.key] = whole


def rounded(values: list[float]) -> list[float]:
    """Scores as a file keeps them."""
    return [float(f"{value:.{DIGITS}g}") for value in values]
