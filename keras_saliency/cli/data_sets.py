"""The commands about data: which there are, whether they are sound, what they look like."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import rich.table
import typer

import keras_saliency as ks
from keras_saliency.cli.common import console, folders, start
from keras_saliency.cli.reading import opened, reads_data
from keras_saliency.reporting.columns import print_columns
from keras_saliency.writing.files import require_new
from keras_saliency.writing.progress import Progress

if TYPE_CHECKING:
    from keras_saliency.data.doctor import Finding

# What a narrow terminal has room for, the most needed first.
NEEDED = ("name", "images", "observers", "download", "licence", "task", "seconds", "address")

app = typer.Typer(
    name="data",
    help="What data sets there are, how to get them, what is wrong with them, what they look like.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
)
Wanted = Annotated[str, typer.Argument(metavar="NAME=DIR", help="The data set, NAME=DIR, or NAME alone.")]
OTHER_OUT = "Choose another --out folder."
COMPARED = 100  # images, of which the agreement of observers is measured


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
@reads_data
def convert(
    data: Wanted,
    out: Annotated[Path, typer.Argument(help="The folder of the shards, new or empty.")],
    size: Annotated[
        tuple[int, int],
        typer.Option(help="Height and width at which models see images: pipelines of that size decode nothing."),
    ] = (240, 320),
    encoded: Annotated[bool, typer.Option("--encoded", help="Store image files alone: small, not fast.")] = False,
    reading: Any = None,
) -> None:
    """Write a data set as shards, large files that a training reads fast, with a manifest and checksums.

    `--data shards=OUT` reads them, and so does tf.data: they are TFRecord files.

    Example: `keras-saliency data convert osie=data/osie shards/osie`
    """
    start()
    found = ks.data.open_data(opened(_place(data), reading), console.print)
    with Progress(console) as progress:
        task = progress.add_task("writing", total=len(found.samples))
        ks.data.convert(found, out, None if encoded else size, progress=lambda: progress.advance(task))
    console.print(f"{out}: {sum(path.stat().st_size for path in out.rglob('*')) / 1e6:,.0f} MB")


@app.command()
@reads_data
def check(
    data: Wanted,
    out: Annotated[Path | None, typer.Option(help="A folder for pictures of what is found.")] = None,
    reading: Any = None,
) -> None:
    """Find what is wrong with a data set, before a training is wasted: each finding with its remedy.

    The exit status is 1 if there are findings, 0 if there are none.

    Example: `keras-saliency data check table=recordings --out findings`
    """
    if out is not None:
        require_new(out, OTHER_OUT)
    start()
    from keras_saliency.data import examine

    (place,) = _place(data).items()
    console.print(f"reading {place[0]}")
    diagnosis = examine(*place, **reading)
    console.print(diagnosis.looked_at)
    if not diagnosis.findings:
        console.print("nothing was found")
        return
    console.print(_findings(diagnosis.findings), soft_wrap=False)
    if out is not None:
        _draw(diagnosis.findings, out)
    raise typer.Exit(1)


def _place(text: str) -> dict[str, str | None]:
    return folders([text]) if "=" in text else {text: None}


def _findings(findings: list["Finding"]) -> rich.table.Table:
    table = rich.table.Table(show_lines=True)
    for heading in ("found", "how many", "such as", "what to do"):
        table.add_column(heading, overflow="fold")
    for finding in findings:
        count = f"{finding.count} of {finding.of} {finding.counted}"
        table.add_row(finding.fault, count, "\n".join(finding.examples), finding.remedy)
    return table


def _draw(findings: list["Finding"], out: Path) -> None:
    from keras_saliency.reporting.data_page import plot_finding

    drawn = [finding for finding in findings if finding.samples]
    if not drawn:
        console.print("none of them can be shown by a picture")
        return
    out.mkdir(parents=True, exist_ok=True)
    for finding in drawn:
        plot_finding(out / f"{finding.fault.replace(' ', '_')}.png", finding)
    console.print(f"pictures: {out}")


@app.command()
@reads_data
def show(
    data: Wanted,
    out: Annotated[Path, typer.Option(help="The folder for the page.")] = Path("shown"),
    reading: Any = None,
) -> None:
    """Draw one page of a data set: samples, centre bias, counts, durations, agreement of observers.

    Example: `keras-saliency data show osie=data/osie --out shown`
    """
    require_new(out, OTHER_OUT)
    start()
    from keras_saliency.data import open_data
    from keras_saliency.evaluation.agreement import agreement
    from keras_saliency.reporting.data_page import plot_data

    found = open_data(opened(_place(data), reading), console.print)
    console.print("drawing")
    out.mkdir(parents=True, exist_ok=True)
    page = out / f"{found.name}.png"
    plot_data(page, found, agreement(found.samples[:: -(-len(found.samples) // COMPARED)]))
    console.print(f"page: {page}")
