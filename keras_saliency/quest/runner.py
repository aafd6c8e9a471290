"""Runs the cells of a study that have no result, one after the other."""

import functools
import shutil
from collections.abc import Mapping
from pathlib import Path

import rich.console

from keras_saliency import data as data_sets
from keras_saliency.data import DataSet, Place
from keras_saliency.formulas.view import View
from keras_saliency.losses import combo
from keras_saliency.models.architectures import find_architecture
from keras_saliency.quest.cell import require_runnable, run_cell
from keras_saliency.quest.judging import Judge
from keras_saliency.quest.results import Results
from keras_saliency.quest.status import Display
from keras_saliency.quest.study import Cell, Study
from keras_saliency.writing.progress import make_console

RESULTS, WORK, FEATURES = "results", "work", "features"
JUDGES = 8  # of splits of data sets, that memory holds: some hundred MB each


def run_study(
    study: Study,
    folder: str | Path,
    data: Mapping[str, Place] | None = None,
    shard: tuple[int, int] = (1, 1),
    again: bool = False,
    verbose: bool = True,
) -> Results:
    """Runs all cells of a study that have no result yet.

    What is interrupted, however, goes on where it was when this is called again, and what is finished is never
    repeated. A cell that fails, as where its loss diverges, is named and its error is its result; the others go on.

    Args:
        study: The study.
        folder: Where results lie, in `results/`, which several machines may share; and `features/` and `work/`, which
            may be deleted when nothing runs.
        data: Where data sets lie; see `train`.
        shard: `(2, 8)` runs the second of eight shares of the cells; whoever runs the others may use the same folder.
        again: Whether cells that failed are run again.
        verbose: Whether to print what is done.

    Returns:
        The results that there are.

    Raises:
        ValueError: If the study names what there is not, before anything is run; if the shard is none of its number.
        FileNotFoundError: If a data set is missing.
    """
    folder, console = Path(folder), make_console(verbose)
    number, shares = shard
    if not 1 <= number <= shares:
        raise ValueError(f"A shard is I of N, with I from 1 to N. Received: {number} of {shares}.")
    results = Results(folder / RESULTS)
    for line in results.useless:
        console.print(line)
    opened = _open(study, results, dict(data or {}), console)

    @functools.lru_cache(JUDGES)
    def judge(name: str, split: str, shown: View) -> Judge:
        return Judge(opened[name], split, shown)

    def next_cell() -> Cell | None:
        """The first cell of this share that is to be run; results from elsewhere may have made some known."""
        results.read()
        for cell in study.cells(results.found)[0]:
            result = results.found.get(cell.key)
            missing = result is None or (again and "error" in result)
            if missing and cell.key not in tried and int(cell.key, 16) % shares == number - 1:
                return cell
        return None

    tried: set[str] = set()
    display = Display(study, results, console)
    with display.shown():
        while cell := next_cell():
            tried.add(cell.key)
            with display.running(cell):
                work, own_judge = folder / WORK / cell.key, functools.partial(judge, cell.data)
                quiet = make_console(verbose=False)
                try:
                    result = run_cell(cell, opened[cell.data], own_judge, work, folder / FEATURES, quiet)
                    results.write(cell, result)
                    shutil.rmtree(work, ignore_errors=True)
                except (OSError, MemoryError) as error:  # It is the machine's, and not the cell's.
                    console.print(f"not finished: {cell}: {error}")
                except Exception as error:
                    console.print(f"failed: {cell}: {error}")
                    results.write(cell, {"error": f"{type(error).__name__}: {error}"})
    return results


def _open(study: Study, results: Results, data: dict[str, Place], console: rich.console.Console) -> dict[str, DataSet]:
    """The data sets of a study, after all that may be wrong with it was looked for."""
    cells, _ = study.cells(results.found)
    for cell in cells:
        require_runnable(cell.recipe)
        find_architecture(cell.recipe.model.name)
    for recipe in {cell.loss: cell.recipe for cell in cells}.values():
        combo(recipe.loss, balance=recipe.balance)
    return {
        name: data_sets.open_data({name: data.get(name)}, console.print)
        for name in dict.fromkeys(cell.data for cell in cells)
    }
