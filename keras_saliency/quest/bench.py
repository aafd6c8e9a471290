"""Where cells are run: in this process, with what they share kept open."""

import functools
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from keras_saliency.data import DataSet
from keras_saliency.quest.cell import run_cell
from keras_saliency.quest.judging import Judge
from keras_saliency.quest.shared_features import SharedFeatures
from keras_saliency.quest.study import Cell
from keras_saliency.writing.progress import make_console

WORK, FEATURES = "work", "features"
JUDGES = 8  # of splits of data sets, that memory holds: some hundred MB each

Outcome = dict[str, Any] | Exception


class Bench:
    """Runs cells one after the other.

    Args:
        folder: Has `features/`, which cells share, and `work/`, with a folder for each cell that is not finished.
        data: The data sets, by name.
    """

    def __init__(self, folder: Path, data: Mapping[str, DataSet]) -> None:
        self.folder, self.data = folder, data
        self.features = SharedFeatures(folder / FEATURES)
        self.judge = functools.lru_cache(JUDGES)(lambda name, split, shown: Judge(data[name], split, shown))

    def run(self, cell: Cell) -> Outcome:
        """The result of a cell, or its error where the cell is to blame; an exception where the machine is."""
        judge = functools.partial(self.judge, cell.data)
        quiet = make_console(verbose=False)
        try:
            return run_cell(cell, self.data[cell.data], judge, self._work(cell), self.features, quiet)
        except (OSError, MemoryError) as error:
            return error
        except Exception as error:
            return {"error": f"{type(error).__name__}: {error}"}

    def clear(self, cell: Cell) -> None:
        """Deletes what only an unfinished cell needs."""
        shutil.rmtree(self._work(cell), ignore_errors=True)

    def _work(self, cell):
        return self.folder / WORK / cell.key
