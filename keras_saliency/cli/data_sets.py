"""The commands about data: which there are, whether they are sound, what they look like."""

import sys
from pathlib import Path
from typing import Annotated

import typer

import keras_saliency as ks
from keras_saliency.cli.common import console, folders, start
from keras_saliency.reporting.columns import print_columns
from keras_saliency.writing.progress import Progress

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


@app.command()
def convert(
    data: Annotated[str, typer.Argument(metavar="NAME=DIR", help="A data set and its folder.")],
    out: Annotated[Path, typer.Argument(help="The folder of the shards, new or empty.")],
    size: Annotated[
        tuple[int, int],
        typer.Option(help="Height and width at which models see images: pipelines of that size decode nothing."),
    ] = (240, 320),
    encoded: Annotated[bool, typer.Option("--encoded", help="Store image files alone: small, not fast.")] = False,
) -> None:
    """Write a data set as shards, large files that a training reads fast, with a manifest and checksums.

    `--data shards=OUT` reads them, and so does tf.data: they are TFRecord files.

    Example: `keras-saliency data convert osie=data/osie shards/osie`
    """
    where = folders([data])
    start()
    found = ks.data.open_data(where, console.print)
    with Progress(console) as progress:
        task = progress.add_task("writing", total=len(found.train) + len(found.validation) + len(found.test))
        ks.data.convert(found, out, None if encoded else size, progress=lambda: progress.advance(task))
    console.print(f"{out}: {sum(path.stat().st_size for path in out.rglob('*')) / 1e6:,.0f} MB")
