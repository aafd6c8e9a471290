"""The command line: parses, calls, prints."""

import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

import keras_saliency as ks
from keras_saliency.cli import adapting, data_sets, predicting, serving, studies
from keras_saliency.cli.common import console, debugging, folders, start
from keras_saliency.cli.reading import opened, reads_data
from keras_saliency.writing.progress import make_console

app = typer.Typer(
    help="Predict where people look: train saliency models, apply them to photographs, export them for serving.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)
app.add_typer(data_sets.app)


def _print_version(wanted: bool) -> None:
    if wanted:
        console.print(ks.__version__)
        raise typer.Exit


Version = Annotated[bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version.")]


@app.callback()
def _options(version: Version = False) -> None:
    """What stands before a command."""


@app.command()
@reads_data
def train(
    recipe: Annotated[str, typer.Argument(help="A recipe; `keras-saliency recipes` lists them.")],
    data: Annotated[list[str] | None, typer.Option(help="Where a data set lies, NAME=DIR; may be repeated.")] = None,
    setting: Annotated[
        list[str] | None,
        typer.Option("--set", help="Changes the recipe, KEY=VALUE: epochs=3, loss.cc=2, model.backbone=vgg16."),
    ] = None,
    workdir: Annotated[Path | None, typer.Option(help="The folder of the run; by default runs/RECIPE.")] = None,
    devices: Annotated[int, typer.Option(help="How many GPUs of this machine share each batch out.")] = 1,
    reading: Any = None,
) -> None:
    """Train a recipe, score it on the test split, write the report and the SavedModel.

    An interrupted run goes on where it was when the same command is given again.

    Example: `keras-saliency train osie_lite0 --data osie=data/osie --set epochs=3 --workdir runs/short`
    """
    from keras_saliency.training.changes import override

    chosen = override(ks.zoo.find_recipe(recipe), setting or [])
    where = folders(data or [])
    start()
    run = ks.train(chosen, opened(where, reading), workdir or Path("runs") / recipe, devices=devices)
    if run.result:
        _print_scores(run.result, {chosen.name: run.result["scores"], **run.result["baselines"]})
    for title, path in run.paths.items():
        console.print(f"{title:>11}: {path}")


@app.command()
@reads_data
def evaluate(
    sources: Annotated[
        list[str] | None,
        typer.Argument(
            help="What predicts: the workdir of a run, a .keras file, a SavedModel, a network of another runtime, a "
            "folder of maps (PNG, JPEG, NPY, MAT), a pysaliency HDF5 file, or a baseline: itti, gbvs, aim, signature, "
            "bms, rare, aws, judd, edn, iseel, lemeur; of videos, lemeur-video. The first one is what the others are "
            "compared with."
        ),
    ] = None,
    data: Annotated[str, typer.Option(help="The data set, NAME=DIR, or NAME alone.")] = "synthetic",
    split: Annotated[str, typer.Option(help="train, validation or test.")] = "test",
    convention: Annotated[
        str, typer.Option(help="tuebingen, or mit, which resizes maps to their images.")
    ] = "tuebingen",
    out: Annotated[Path, typer.Option(help="The folder for the report.")] = Path("evaluation"),
    jobs: Annotated[
        int | None, typer.Option(min=1, help="Images that are scored at once; by default one for each usable core.")
    ] = None,
    average: Annotated[
        str | None,
        typer.Option(help="Of videos: video, the mean over videos, by default; or frame, the mean over all frames."),
    ] = None,
    reading: Any = None,
) -> None:
    """Score predictions beside the field's baselines: report, JSON, values of every image, figures.

    Uniform, centre bias and the leave-one-observer-out gold standard are in every table.

    Example: `keras-saliency evaluate runs/osie_lite0 maps/ gbvs --data osie=data/osie --out scores`
    """
    start()
    from keras_saliency.evaluation.report import quantisation_warnings

    where = opened(folders([data]) if "=" in data else {data: None}, reading)
    scored = ks.evaluate(sources or [], where, split, convention, out, jobs=jobs, average=average)
    _print_scores(scored.provenance, scored.summary)
    for warning in quantisation_warnings(scored):
        console.print(warning)
    console.print(f"report: {out / 'report.md'}")


def _print_scores(provenance: dict, rows: dict) -> None:
    from keras_saliency.reporting import tables

    console.print(tables.caption(provenance))
    console.print(tables.terminal_table(rows), soft_wrap=False)
    for reason in tables.reasons(rows):
        console.print(reason)


@app.command()
def submit(
    source: Annotated[Path, typer.Argument(help="A run, a .keras file, a SavedModel, a folder of maps, or HDF5.")],
    data: Annotated[str, typer.Option(help="The images whose fixations are withheld: mit300=DIR or cat2000=DIR.")],
    out: Annotated[Path, typer.Option(help="A new .hdf5 file of log-densities, or a new folder of 8-bit maps.")],
) -> None:
    """Write predictions as saliency.tuebingen.ai takes them, and check what was written.

    Example: `keras-saliency submit runs/osie_lite0 --data mit300=data/mit300 --out mit300.hdf5`
    """
    start()
    ks.submit(source, folders([data]), out)
    console.print(f"checked: {out}")


@app.command()
def recipes(
    cost: Annotated[
        bool, typer.Option("--cost", help="Build every model and count its parameters and operations: minutes.")
    ] = False,
    runs: Annotated[Path, typer.Option(help="The folder of runs, whose scores are shown.")] = Path("runs"),
) -> None:
    """List the recipes, with the scores of those that have been run.

    A narrow terminal shows fewer columns; a pipe gets them all.

    Example: `keras-saliency recipes --cost`
    """
    from keras_saliency.training.recipe_table import print_recipes

    listed, costs = list(ks.zoo.RECIPES.values()), None
    if cost:
        start()
        from keras_saliency.training.costs import costs_of

        costs = costs_of(listed, console)
    print_recipes(listed, runs, console, costs)


app.command()(predicting.predict)
app.command()(predicting.export)
app.command()(adapting.adapt)
app.command()(serving.serve)
app.command()(studies.quest)


def main() -> None:
    """Runs the command line; an error becomes one line. KERAS_SALIENCY_DEBUG=1 shows its traceback."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    try:
        app()
    except Exception as error:
        if debugging():
            raise
        make_console(stderr=True).print(f"error: {error}")
        sys.exit(1)
