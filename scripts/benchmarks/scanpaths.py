"""Times the scores of scanpath models: `python scripts/benchmark.py scanpaths DIR`, the folder of OSIE."""

import dataclasses
import time
from pathlib import Path
from typing import Annotated

import rich.console
import rich.table
import typer


class Seen:
    """A model that has seen the photographs, and marks when it is first asked for one."""

    def __init__(self, model, samples):
        self.name, self.seen = model.name, list(model.conditionals(samples))

    def conditionals(self, samples):
        """Yields what was seen."""
        self.started = time.perf_counter()
        yield from self.seen


def scanpaths(
    folder: Annotated[Path, typer.Argument(help="That of OSIE.")],
    model: Annotated[str, typer.Option(help="What is scored: a model that comes along, with its saccades, or a run.")],
    photographs: Annotated[int, typer.Option(min=1, help="How many of the validation split.")] = 3,
) -> None:
    """Time how long a model's scanpaths are scored, without what it takes to see the photographs before."""
    from keras_saliency.data import load
    from keras_saliency.scanpaths import score_scanpaths
    from keras_saliency.scanpaths.next_fixation import open_scanpath_model

    data = load("osie", folder)
    data = dataclasses.replace(data, validation=data.validation[:photographs])
    seen, marks = Seen(open_scanpath_model(model), data.validation), []
    found = score_scanpaths([seen], data, "validation", lambda done: marks.append(time.perf_counter()))
    seconds, fixations = marks[-1] - seen.started, (found.table["model"] == seen.name).sum()
    table = rich.table.Table("", "value")
    table.add_row("seconds a photograph", f"{seconds / photographs:.2f}")
    table.add_row("milliseconds a fixation", f"{1000 * seconds / fixations:.1f}")
    for metric in ("log_likelihood", "nss", "auc"):
        table.add_row(metric.replace("_", "-"), f"{found.summary[seen.name]['all'][metric]['mean']:.6f}")
    rich.console.Console().print(table)
