"""The progress of long work: bars in a terminal and in a notebook, lines of text everywhere else."""

import operator
import time
from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

import rich.console
import rich.progress

_T = TypeVar("_T")
EVERY = 5.0  # seconds between the lines of a task
PIPE = 400  # characters


def make_console(verbose: bool = True, stderr: bool = False) -> rich.console.Console:
    """A console that prints texts as they are: what is in brackets or between colons belongs to a name.

    Args:
        verbose: Whether it prints at all.
        stderr: Whether to the stream of errors.

    Returns:
        The console, as wide in a pipe as any table.
    """
    console = rich.console.Console(
        highlight=False, markup=False, emoji=False, quiet=not verbose, stderr=stderr, soft_wrap=True
    )
    if not (console.is_terminal or console.is_jupyter):
        console.width = PIPE
    return console


class Progress(rich.progress.Progress):
    """Rich's bars; where nobody could see them move, a line when a task begins, while it lasts, and when it is done.

    Args:
        console: Where to write.
    """

    def __init__(self, console: rich.console.Console) -> None:
        columns = (
            rich.progress.TextColumn("{task.description:<12}", markup=False),
            rich.progress.BarColumn(),
            rich.progress.MofNCompleteColumn(),
            rich.progress.TimeElapsedColumn(),
            rich.progress.TimeRemainingColumn(),
        )
        self.lines = not (console.is_terminal or console.is_jupyter)
        self.told: dict[rich.progress.TaskID, float] = {}
        super().__init__(*columns, console=console, disable=self.lines)

    def add_task(self, description: str, *args: Any, **options: Any) -> rich.progress.TaskID:
        """As Rich's."""
        task = super().add_task(description, *args, **options)
        if self.lines:
            self.told[task] = time.monotonic()
            self.console.print(f"{description.strip()} ...")
        return task

    def update(self, task_id: rich.progress.TaskID, **options: Any) -> None:
        """As Rich's."""
        super().update(task_id, **options)
        self._tell(task_id)

    def advance(self, task_id: rich.progress.TaskID, advance: float = 1) -> None:
        """As Rich's."""
        super().advance(task_id, advance)
        self._tell(task_id)

    def track(
        self,
        sequence: Iterable[_T],
        total: float | None = None,
        completed: int = 0,
        task_id: rich.progress.TaskID | None = None,
        description: str = "",
        update_period: float = 0.1,
    ) -> Iterator[_T]:
        """As Rich's, whose own counts in a thread that ends where there are no bars."""
        known = operator.length_hint(sequence) or None if total is None else total
        task = self.add_task(description, total=known, completed=completed) if task_id is None else task_id
        for item in sequence:
            yield item
            self.advance(task)

    def _tell(self, task_id):
        task = self.tasks[self.task_ids.index(task_id)]
        waited = time.monotonic() - self.told.get(task_id, float("inf"))
        if self.lines and task_id in self.told and (task.finished or waited >= EVERY):
            total = "?" if task.total is None else f"{task.total:.0f}"
            self.console.print(f"{task.description.strip()} {task.completed:.0f}/{total}, {task.elapsed or 0:.0f} s")
            self.told[task_id] = time.monotonic()
            if task.finished:
                del self.told[task_id]
