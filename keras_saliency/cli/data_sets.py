"""The commands about data: which there are, whether they are sound, what they look like."""

from pathlib import Path
from typing import Annotated

import rich.table
import typer

import keras_saliency as ks
from keras_saliency.cli.common import console, folders, start
from keras_saliency.writing.progress import Progress

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

    Example: `keras-saliency data list`
    """
    start()
    from keras_saliency.data.facts import FACTS

    table = rich.table.Table(box=None, padding=(0, 2, 0, 0))
    for heading in ("name", "images", "observers", "task", "seconds", "licence", "address"):
        table.add_column(heading)
    for name, facts in FACTS.items():
        cells = (facts.images, facts.observers, facts.task, facts.seconds, facts.licence, facts.address)
        table.add_row(name, *("" if cell is None else str(cell) for cell in cells))
    console.print(table, soft_wrap=False)


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
