"""The commands about data: which there are, whether they are sound, what they look like."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from keras_saliency.cli.common import console, start
from keras_saliency.reporting.columns import print_columns

# What a narrow terminal has room for, the most needed first.
NEEDED = ("name", "images", "observers", "download", "licence", "task", "seconds", "address")

app = typer.Typer(
    name="data",
    help="What data sets there are, how to get them, what is wrong with them, what they look like.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
)


@app.callback()
def _commands() -> None:
    """What stands before a command."""


@app.command("list")
def list_() -> None:
    """List the published data sets that can be read.

    A narrow terminal shows fewer columns; a pipe gets them all.

    Example: `keras-saliency data list`
    """
    start()
    from keras_saliency.data.facts import FACTS

    rows = [
        {
            "name": name,
            "images": _number(facts.images),
            "observers": _number(facts.observers),
            "task": facts.task,
            "seconds": _number(facts.seconds),
            "licence": facts.licence,
            "download": facts.download,
            "address": facts.address,
        }
        for name, facts in FACTS.items()
    ]
    print_columns(rows, console, NEEDED, ("images", "observers", "seconds"))


def _number(number: float | None) -> str:
    return "" if number is None else str(number).removesuffix(".0")


@app.command()
def fetch(
    name: Annotated[str, typer.Argument(help="A data set; `keras-saliency data list` lists them.")],
    directory: Annotated[
        Path | None,
        typer.Argument(
            metavar="DIR", help="Its folder; by default NAME in KERAS_SALIENCY_DATA, or in the current folder."
        ),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Fetch more than 1 GB without asking.")] = False,
) -> None:
    """Download a published data set from where its authors keep it, verify and unpack it.

    An interrupted download goes on where it was when the same command is given again. Mind the licence.

    Example: `keras-saliency data fetch mit1003 data/mit1003`
    """
    start()
    from keras_saliency import data

    data.fetch(name, directory, yes or (typer.confirm if sys.stdin.isatty() and console.is_terminal else False))
