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
    on: Annotated[str, typer.Option(help="Where cells run: here, or ray, on a Ray cluster.")] = "here",
    address: Annotated[str | None, typer.Option(help="Of the Ray cluster; without it one is started here.")] = None,
    cores: Annotated[int, typer.Option(min=1, help="Of each cell on the cluster.")] = 1,
    again: Annotated[bool, typer.Option("--again", help="Run cells again that failed.")] = False,
) -> None:
    """Train one network with many losses: all cells of a study that have no result yet.

    An interrupted study goes on where it was when the same command is given again. Several machines that share the
    folder share the work, each with a shard of its own; so do the nodes of a Ray cluster, which need not share it.

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

    out = out or Path("runs") / "quest" / study.name
    shares = int(found[1]), int(found[2])
    results = run_study(study, out, where, shares, again, on=on, address=address, cores=cores)
    failed = sum("error" in result for result in results.found.values())
    if failed:
        raise ValueError(f"{failed} cells have failed, as their files in {results.folder} say. Run them with --again.")
