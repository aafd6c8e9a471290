"""The commands about data: which there are, whether they are sound, what they look like."""

import rich.table
import typer

from keras_saliency.cli.common import console, start

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
