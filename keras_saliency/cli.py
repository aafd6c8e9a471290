"""The command line: `keras-saliency train`, `evaluate`, `predict`, `export`, `recipes`."""

import functools
import os
import shutil
import sys
import time
from pathlib import Path
from typing import Annotated

import rich.console
import rich.table
import typer

app = typer.Typer(
    help="Predict where people look: train saliency models, apply them to photographs, export them for serving.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)
console = rich.console.Console(highlight=False)
TrainedModel = Annotated[Path, typer.Argument(help="The workdir of a finished run, or a .keras file.")]


def _recipes():
    import zoo

    return zoo.RECIPES


@app.command()
def train(
    recipe: Annotated[str, typer.Argument(help="A recipe; `keras-saliency recipes` lists them.")],
    data: Annotated[list[str] | None, typer.Option(help="Where a data set lies, NAME=DIR; may be repeated.")] = None,
    setting: Annotated[
        list[str] | None,
        typer.Option("--set", help="Changes the recipe, KEY=VALUE: epochs=3, loss.cc=2, model.backbone=vgg16."),
    ] = None,
    workdir: Annotated[Path | None, typer.Option(help="The folder of the run; by default runs/RECIPE.")] = None,
):
    """Train a recipe, score it on the test split, write the report and the SavedModel.

    An interrupted run goes on where it was when the same command is given again.

    Example: `keras-saliency train osie_lite0 --data osie=data/osie --set epochs=3 --workdir runs/short`
    """
    from keras_saliency.recipe import data_sets, override

    recipes = _recipes()
    if recipe not in recipes:
        raise ValueError(f"Unknown recipe {recipe!r}. Known recipes: {', '.join(recipes)}.")
    chosen = override(recipes[recipe], setting or [])
    folders = dict(_name_and_folder(item) for item in data or [])
    needed = data_sets(chosen)
    for name in folders:
        if name not in needed:
            raise ValueError(
                f"The recipe {recipe!r} reads {', '.join(needed)}. Received: --data {name}={folders[name]}."
            )
    run(chosen, folders, workdir or Path("runs") / recipe)


def _name_and_folder(item):
    name, equals, folder = item.partition("=")
    if not equals:
        raise ValueError(f"--data has the form NAME=DIR, such as osie=data/osie. Received: {item!r}.")
    return name, folder


def run(recipe, folders, workdir):
    """Trains, scores, reports and exports one recipe; `folders` says where data sets lie."""
    from keras_saliency import data, evaluation, training
    from keras_saliency.export import export_saved_model
    from keras_saliency.report import write_report
    from keras_saliency.sources import ModelSource

    read = functools.cache(lambda name: data.load(name, folders.get(name, folders.get(data.WITHIN.get(name)))))
    data_set = read(recipe.data)
    console.print(
        f"{data_set.name}: {len(data_set.train)} training, {len(data_set.validation)} validation, "
        f"{len(data_set.test)} test images; {len(data_set.skipped)} things skipped"
    )
    for line in data_set.skipped[:10]:
        console.print(f"  skipped: {line}")
    if len(data_set.skipped) > 10:
        console.print(f"  and {len(data_set.skipped) - 10} more, listed in the report")
    if (workdir / "result.json").is_file():
        training.claim_workdir(workdir, recipe)
        console.print(f"{workdir} is complete: {workdir / 'report.md'}")
        return
    model, history, seconds = training.train_with_stages(recipe, read, workdir, console)
    started = time.perf_counter()
    with training.progress_bars(console) as bars:
        task = bars.add_task("test images", total=len(data_set.test))
        source = ModelSource(model, recipe.name)
        scored = evaluation.evaluate([source], data_set, progress=lambda done: bars.update(task, completed=done))
    seconds = {**seconds, "evaluation": time.perf_counter() - started}
    shutil.rmtree(workdir / training.FEATURES, ignore_errors=True)
    # What an interrupted run may have left of it.
    shutil.rmtree(workdir / "saved_model", ignore_errors=True)
    export_saved_model(model, workdir / "saved_model" / "1")
    write_report(workdir, recipe, data_set, source, history, seconds, scored)
    _print_scores(data_set, scored)
    for title, path in {
        "report": "report.md",
        "scores": "result.json",
        "figures": "figures",
        "model": "model.keras",
        "SavedModel": "saved_model/1",
    }.items():
        console.print(f"{title:>10}: {workdir / path}")


@app.command()
def evaluate(
    sources: Annotated[
        list[str] | None,
        typer.Argument(
            help="What predicts: the workdir of a run, a .keras file, a SavedModel, a folder of maps (PNG, JPEG, NPY, "
            "MAT), a pysaliency HDF5 file, or a baseline: itti, gbvs, aim, signature, bms, rare. The first one is what "
            "the others are compared with."
        ),
    ] = None,
    data: Annotated[str, typer.Option(help="The data set, NAME=DIR, or NAME alone.")] = "synthetic",
    split: Annotated[str, typer.Option(help="train, validation or test.")] = "test",
    convention: Annotated[
        str, typer.Option(help="tuebingen, or mit, which resizes maps to their images.")
    ] = "tuebingen",
    out: Annotated[Path, typer.Option(help="The folder for the report.")] = Path("evaluation"),
):
    """Score predictions beside the field's baselines: report, JSON, values of every image, figures.

    Uniform, centre bias and the leave-one-observer-out gold standard are in every table.

    Example: `keras-saliency evaluate runs/osie_lite0 maps/ gbvs --data osie=data/osie --out scores`
    """
    from keras_saliency import data as data_sets
    from keras_saliency import evaluation, training
    from keras_saliency.evaluation_report import claim, quantisation_warnings, write_evaluation
    from keras_saliency.sources import open_source

    claim(out)
    name, _, folder = data.partition("=")
    data_set = data_sets.load(name, folder or None)
    wanted = [source for source in sources or [] if source not in evaluation.REFERENCES]  # these are always there
    opened = [open_source(source, convention == "mit", data_set) for source in wanted]
    evaluation.check(opened, split, convention)
    with training.progress_bars(console) as bars:
        task = bars.add_task("images", total=len(getattr(data_set, split)))
        scored = evaluation.evaluate(
            opened, data_set, split, convention, progress=lambda done: bars.update(task, completed=done)
        )
    write_evaluation(out, data_set, opened, scored)
    _print_scores(data_set, scored)
    for warning in quantisation_warnings(scored):
        console.print(warning)
    console.print(f"report: {out / 'report.md'}")


def _print_scores(data_set, scored):
    from keras_saliency import tables

    console.print(tables.caption(data_set, scored))
    table = rich.table.Table("", *(tables.TITLES.get(row, row) for row in scored.summary))
    for name in tables.known(scored.summary.values()):
        values = [row.get(name) for row in scored.summary.values()]
        table.add_row(tables.HEADINGS[name], *(tables.cell(name, v and {**v, "low": None}) for v in values))
    console.print(table)


@app.command()
def predict(
    model: TrainedModel,
    images: Annotated[list[Path], typer.Argument(help="Photographs (JPEG, PNG), or folders of them.")],
    out: Annotated[Path, typer.Option(help="The folder for maps and overlays.")] = Path("saliency"),
    log_density: Annotated[bool, typer.Option(help="Write the exact log-density as .npy, too.")] = False,
):
    """Write saliency maps and overlays for photographs.

    Example: `keras-saliency predict runs/osie_lite0 holiday/ --out maps`
    """
    from keras_saliency import prediction, training

    loaded = prediction.load_model(model)
    with training.progress_bars(console) as bars:
        task = bars.add_task("images", total=None)
        written, skipped = prediction.predict_files(
            loaded, images, out, log_density, lambda done, total: bars.update(task, completed=done, total=total)
        )
    for line in skipped:
        console.print(f"skipped: {line}")
    console.print(f"{written} images: maps and overlays are in {out}")
    if not written:
        raise ValueError("No image could be read.")


@app.command()
def export(
    model: TrainedModel,
    directory: Annotated[Path, typer.Argument(help="The folder of this version, such as served/NAME/1.")],
):
    """Write a SavedModel for TF Serving, preprocessing included."""
    from keras_saliency import prediction
    from keras_saliency.export import export_saved_model

    export_saved_model(prediction.load_model(model), directory)
    console.print(f"SavedModel: {directory}")


@app.command()
def recipes(
    cost: Annotated[
        bool, typer.Option("--cost", help="Build every model and count its parameters and operations: minutes.")
    ] = False,
    runs: Annotated[Path, typer.Option(help="The folder of runs, whose scores are shown.")] = Path("runs"),
):
    """List the recipes, with the scores of those that have been run.

    Example: `keras-saliency recipes --cost`
    """
    from keras_saliency.recipe_table import recipe_table

    listed = list(_recipes().values())
    columns = _costs(listed) if cost else {}
    wide = rich.console.Console(highlight=False, width=max(console.width, 200))
    wide.print(recipe_table(listed, runs, **columns))


def _costs(recipes):
    """What the table needs to know of models, which are built with random weights, so that nothing is downloaded."""
    from keras_saliency import cost, training
    from keras_saliency.models.architectures import find_architecture

    costs = {}
    with training.progress_bars(console) as bars:
        for recipe in bars.track(recipes, description="models"):
            model = training.untrained(recipe)
            costs[recipe.name] = cost.parameters(model), cost.flops(model)
    return {"cost": lambda recipe: costs[recipe.name], "published": lambda name: find_architecture(name).backbone}


def main():
    """Runs the command line; an error becomes one line. KERAS_SALIENCY_DEBUG=1 shows its traceback."""
    try:
        app()
    except Exception as error:
        if os.environ.get("KERAS_SALIENCY_DEBUG"):
            raise
        rich.console.Console(stderr=True, highlight=False, soft_wrap=True).print(f"error: {error}", markup=False)
        sys.exit(1)
