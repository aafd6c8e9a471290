"""The command that runs a study of losses."""

import re
from pathlib import Path
from typing import Annotated

import typer

from keras_saliency.cli.common import folders, start


def quest(
    file: Annotated[Path, typer.Argument(help="The study, a Python file that says STUDY = Study(...).")],
    data: Annotated[list[str] | None, typer.Option(help="Where a data set lies, NAME=DIR; may be repeated.")] = None,
    out: Annotated[Path | None, typer.Option(help="The folder of the results; by default runs/quest/NAME.")] = None,
    shard: Annotated[str, typer.Option(help="I/N: the I-th of N shares of the cells, as in an array of jobs.")] = "1/1",
    again: Annotated[bool, typer.Option("--again", help="Run cells again that failed.")] = False,
) -> None:
    """Train one network with many losses: all cells of a study that have no result yet.

    An interrupted study goes on where it was when the same command is given again. Several machines that share the
    folder share the work, each with a shard of its own.

    Example: `keras-saliency quest quests/losses.py --data osie=data/osie --data scene=data/scene --shard 2/8`
    """
    found = re.fullmatch(r"(\d+)/(\d+)", shard)
    if not found:
        raise ValueError(f"--shard has the form I/N, such as 2/8. Received: {shard!r}.")
    from keras_saliency.quest.study import load_study

    study = load_study(file)
    where = folders(data or [])
    start()
    from keras_saliency.quest.runner import run_study

    results = run_study(study, out or Path("runs") / "quest" / study.name, where, (int(found[1]), int(found[2])), again)
    failed = sum("error" in result for result in results.found.values())
    if failed:
        raise ValueError(f"{failed} cells have failed, as their files in {results.folder} say. Run them with --again.")
