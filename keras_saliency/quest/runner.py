"""Runs the cells of a study that have no result, one after the other or on a cluster."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import rich.console

from keras_saliency import data as data_sets
from keras_saliency.data import DataSet, Place
from keras_saliency.losses import combo
from keras_saliency.models.architectures import find_architecture
from keras_saliency.quest.bench import Bench, Outcome
from keras_saliency.quest.cell import require_runnable
from keras_saliency.quest.on_ray import run_on_ray
from keras_saliency.quest.results import Results
from keras_saliency.quest.status import Display
from keras_saliency.quest.study import Cell, Study
from keras_saliency.writing.progress import make_console

RESULTS = "results"
ENGINES = ("here", "ray")


def run_study(
    study: Study,
    folder: str | Path,
    data: Mapping[str, Place] | None = None,
    shard: tuple[int, int] = (1, 1),
    again: bool = False,
    verbose: bool = True,
    on: str = "here",
    address: str | None = None,
    cores: int = 1,
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
        on: `"here"`, one after the other in this process, or `"ray"`, as many at once as a Ray cluster has room for.
        address: Of the cluster; None for one on this machine. See `run_on_ray`.
        cores: Of each cell on the cluster. Small networks gain little from a second one.

    Returns:
        The results that there are.

    Raises:
        ValueError: If the study names what there is not, before anything is run; if the shard is none of its number,
            or `on` is unknown.
        FileNotFoundError: If a data set is missing.
        ImportError, ConnectionError: If Ray is not installed, or there is no cluster.
    """
    folder, console = Path(folder), make_console(verbose)
    number, shares = shard
    if not 1 <= number <= shares:
        raise ValueError(f"A shard is I of N, with I from 1 to N. Received: {number} of {shares}.")
    if on not in ENGINES:
        raise ValueError(f"Cells run on one of {', '.join(ENGINES)}. Received: on={on!r}.")
    results = Results(folder / RESULTS)
    for line in results.useless:
        console.print(line)
    opened = _open(study, results, dict(data or {}), console)
    tried: set[str] = set()

    def missing() -> list[Cell]:
        """The cells of this share that are to be run; results from elsewhere may have made some known."""
        results.read()
        return [
            cell
            for cell in study.cells(results.found)[0]
            if _is_missing(results.found.get(cell.key), again)
            and cell.key not in tried
            and int(cell.key, 16) % shares == number - 1
        ]

    display = Display(study, results, console)
    bench = Bench(folder, opened)
    if on == "ray":
        outcomes = run_on_ray(missing, display.begins, folder, {**opened, **(data or {})}, address, cores)
    else:
        outcomes = _run_here(missing, display.begins, bench)
    with display.shown():
        for cell, outcome in outcomes:
            tried.add(cell.key)
            display.ends(cell, _keep(cell, outcome, results, bench))
    return results


def _is_missing(result, again):
    return result is None or (again and "error" in result)


def _run_here(
    missing: Callable[[], list[Cell]], began: Callable[[Cell], None], bench: Bench
) -> Iterator[tuple[Cell, Outcome]]:
    while cells := missing():
        began(cells[0])
        yield cells[0], bench.run(cells[0])


def _keep(cell: Cell, outcome: Outcome, results: Results, bench: Bench) -> str:
    """Writes a result, and says in a word what became of the cell, with the reason where it has none."""
    if not isinstance(outcome, Exception):
        try:
            results.write(cell, outcome)
        except OSError as error:
            outcome = error
        else:
            bench.clear(cell)
            return f"failed: {outcome['error']}" if "error" in outcome else "done"
    # It is the machine's, and not the cell's.
    return f"not finished: {outcome}"


def _open(study: Study, results: Results, data: dict[str, Place], console: rich.console.Console) -> dict[str, DataSet]:
    """The data sets of a study, after all that may be wrong with it was looked for."""
    cells, _ = study.cells(results.found)
    for cell in cells:
        require_runnable(cell.recipe)
        find_architecture(cell.recipe.model.name)
    for recipe in {cell.loss: cell.recipe for cell in cells}.values():
        combo(recipe.loss, balance=recipe.balance, options=recipe.loss_options)
    # Those of cells that wait for a learning rate, too.
    names = dict.fromkeys(name for grid in study.grids for name in grid.data or study.data)
    return {name: data_sets.open_data({name: data.get(name)}, console.print) for name in names}
