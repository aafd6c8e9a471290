"""How far a study is: a live table in a terminal, lines of text elsewhere."""

import contextlib
import time
from collections.abc import Iterator, Sequence

import numpy as np
import rich.console
import rich.live
import rich.table

from keras_saliency.quest.results import Results
from keras_saliency.quest.study import Cell, Study


def table(study: Study, results: Results, running: Sequence[tuple[Cell, float]] = ()) -> rich.table.Table:
    """Cells that are done, failed and left, for each data set and model, and how long those left take one by one.

    Args:
        study: The study.
        results: Its results.
        running: The cells that are at work, and when each began, by `time.monotonic`.
    """
    cells, waiting = study.cells(results.found)
    shown = rich.table.Table(
        "data", "model", "done", "failed", "left", "minutes a cell", "minutes left", title=study.name
    )
    groups: dict[tuple[str, str], list[Cell]] = {}
    for cell in cells:
        groups.setdefault((cell.data, cell.model), []).append(cell)
    for group, own in groups.items():
        found = [results.found[cell.key] for cell in own if cell.key in results.found]
        spent = [sum(result["seconds"].values()) / 60 for result in found if "seconds" in result]
        left = len(own) - len(found)
        each = float(np.median(spent)) if spent else float("nan")
        times = [f"{value:.1f}" if spent else "?" for value in (each, each * left)]
        shown.add_row(*group, *map(str, (len(spent), len(found) - len(spent), left)), *times)
    notes = []
    if running:
        (cell, began), *others = running
        more = f" and {len(others)} more" if others else ""
        notes.append(f"running: {cell}, {(time.monotonic() - began) / 60:.1f} min{more}")
    if waiting:
        notes.append(f"{waiting} more wait for learning rates to be found")
    shown.caption = "; ".join(notes)
    return shown


class Display:
    """Shows a study while it runs.

    Args:
        study: The study.
        results: Its results, which grow.
        console: Where to write.
    """

    def __init__(self, study: Study, results: Results, console: rich.console.Console) -> None:
        self.study, self.results, self.console = study, results, console
        self.running: dict[str, tuple[Cell, float]] = {}
        self.live = rich.live.Live(console=console, get_renderable=self._table, refresh_per_second=0.2)

    def _table(self):
        return table(self.study, self.results, list(self.running.values()))

    @contextlib.contextmanager
    def shown(self) -> Iterator[None]:
        """A context in which the table is live, in a terminal; at its end the last one is printed elsewhere, too."""
        with self.live if self.console.is_terminal else contextlib.nullcontext():
            yield
        if not self.console.is_terminal:
            self.console.print(self._table(), soft_wrap=False)

    def begins(self, cell: Cell) -> None:
        """A cell is at work."""
        self.running[cell.key] = cell, time.monotonic()

    def ends(self, cell: Cell, outcome: str) -> None:
        """It is no more; the outcome is a word, and a reason after a colon."""
        _, began = self.running.pop(cell.key)
        word, _, reason = outcome.partition(": ")
        if reason:
            self.console.print(f"{word}: {cell}: {reason}")
        elif not self.console.is_terminal:
            self.console.print(f"{word}: {cell}, {time.monotonic() - began:.0f} s")
