"""Shows hostile files and settings to every reader: `python scripts/fuzz.py --inputs 5000 --seed 0`."""

from pathlib import Path
from typing import Annotated

import typer
from fuzzing import report, run
from fuzzing.kinds import KINDS


def fuzz(
    kind: Annotated[list[str] | None, typer.Option(help=f"What is made: {', '.join(KINDS)}; all without it.")] = None,
    inputs: Annotated[int, typer.Option(min=1, help="Inputs in all, the same number of each kind.")] = 5000,
    seed: Annotated[int, typer.Option(help="The same seed makes the same inputs.")] = 0,
    keep: Annotated[Path, typer.Option(help="The folder for inputs that fail.")] = Path("fuzz-failures"),
):
    """Change small valid files at random, add hand-made hostile ones, and read them all.

    Each input is read in a process of its own kind. It must be accepted with values that are finite and of the promised
    form, or refused with a declared error of one line. Anything else is a failure: a process that ends, another error,
    more than 10 seconds, or more than 1 GB above the idle process. Exit code 1 says that there were some; they lie in
    the folder of --keep, called KIND-SEED-NUMBER.

    Example: python scripts/fuzz.py --kind mat --kind hdf5 --inputs 500
    """
    unknown = set(kind or ()) - set(KINDS)
    if unknown:
        raise typer.BadParameter(f"{', '.join(sorted(unknown))}. Known kinds: {', '.join(KINDS)}.")
    results = run.run(kind or list(KINDS), inputs, seed, keep)
    report.print_table(results)
    raise typer.Exit(int(any(result.failures for result in results)))


if __name__ == "__main__":
    typer.run(fuzz)
