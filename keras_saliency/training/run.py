"""The main job: a recipe becomes a model with its scores, report and SavedModel."""

import contextlib
import functools
import re
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import rich.console

from keras_saliency import data as data_sets
from keras_saliency.data import DataSet, Place, mixtures
from keras_saliency.evaluation.sources import ModelSource
from keras_saliency.evaluation.splits import score_split
from keras_saliency.models import SaliencyModel, mix
from keras_saliency.serving.export import export_saved_model
from keras_saliency.serving.load import MODEL, PARTS, Run, load
from keras_saliency.training import recipe as recipes
from keras_saliency.training.build import build
from keras_saliency.training.changes import change
from keras_saliency.training.devices import share_among
from keras_saliency.training.features import clear_features
from keras_saliency.training.loop import train_epochs
from keras_saliency.training.recipe import Recipe
from keras_saliency.training.report import write_report
from keras_saliency.training.scanpath_report import report_scanpaths
from keras_saliency.training.workdir import FEATURES, claim_workdir
from keras_saliency.writing.files import delete_own, others_in, whole
from keras_saliency.writing.progress import Progress, make_console

# What TensorFlow writes.
SAVED_MODEL = re.compile(r"assets|variables|(saved_model|fingerprint)\.pb|variables/variables\.(index|data-\d+-of-\d+)")
SKIPPED = 10  # lines about data that were left out, which are printed


def train(
    recipe: str | Recipe,
    data: DataSet | Mapping[str, Place] | None = None,
    workdir: str | Path | None = None,
    verbose: bool = True,
    devices: int = 1,
    **changes: Any,
) -> Run:
    """Trains a recipe, scores it on the test split, writes the report and the SavedModel.

    An interrupted run goes on where it was when it is called again with the same recipe and folder; a finished one is
    opened.

    Args:
        recipe: The name of a recipe of `keras_saliency.zoo.RECIPES`, or a `Recipe`.
        data: Where data sets lie, from name to folder, such as `{"osie": "data/osie"}`, or the `DataSet` itself, alone
            or in place of a folder. What is not named is looked for in the folder that the environment variable
            `KERAS_SALIENCY_DATA` names.
        workdir: The folder of the run, new, or to be resumed; by default `runs/NAME`.
        verbose: Whether to print what is done.
        devices: How many devices of this host share each batch out: GPUs, where there are some. What is trained is the
            same up to rounding, but each device has batch statistics and dropout of its own.
        **changes: Fields of the recipe: `epochs=3`, `loss={"kld": 1}`, `model={"backbone": "vgg16"}`. Its field `data`,
            the name of the data set, is changed by giving a `Recipe`.

    Returns:
        The `Run`: model, scores and paths.

    Raises:
        ValueError: If a name or value in the recipe is unknown, the folder holds something else, there are not so many
            devices, or the loss diverges.
        FileNotFoundError: If data or weights are missing.

    Example:

    ```python
    run = keras_saliency.train("osie_lite0", data={"osie": "data/osie"}, workdir="runs/short", epochs=3)
    run.scores["nss"]["mean"]
    ```
    """
    from keras_saliency.zoo import find_recipe

    chosen = change(recipe if isinstance(recipe, Recipe) else find_recipe(recipe), changes)
    if isinstance(data, str | Path):
        raise ValueError(f"data says which data set lies where: data={{'{chosen.data}': {str(data)!r}}}.")
    folders = {data.name: data} if isinstance(data, DataSet) else dict(data or {})
    needed = recipes.data_sets(chosen)
    for name in folders:
        if name not in needed:
            raise ValueError(f"The recipe {chosen.name!r} reads {', '.join(needed)}. Received: data for {name}.")
    workdir = Path(workdir or Path("runs") / chosen.name)
    with contextlib.ExitStack() as held:
        return _run(chosen, folders, workdir, make_console(verbose), devices, held)


def _run(
    recipe: Recipe,
    folders: dict,
    workdir: Path,
    console: rich.console.Console,
    devices: int,
    held: contextlib.ExitStack,
) -> Run:
    @functools.cache
    def read(name: str) -> DataSet:
        outer = folders.get(data_sets.WITHIN.get(name, name))
        found = folders.get(name, None if isinstance(outer, DataSet) else outer)
        return data_sets.open_data({name: found}, console.print)

    def read_for(chosen: Recipe) -> DataSet:
        found = {name: read(name) for name in recipes.names_of(chosen.data)}
        if chosen.degrees:
            found = {name: mixtures.with_blur(each, chosen.degrees) for name, each in found.items()}
        whole = mixtures.mix(found, chosen.data_weights) if len(found) > 1 else found.popitem()[1]
        return mixtures.with_few(whole, chosen.images, chosen.seed) if chosen.images else whole

    data = read_for(recipe)
    console.print(
        f"{data.name}: {len(data.train)} training, {len(data.validation)} validation, "
        f"{len(data.test)} test images; {len(data.skipped)} things skipped"
    )
    for line in data.skipped[:SKIPPED]:
        console.print(f"  skipped: {line}")
    if len(data.skipped) > SKIPPED:
        console.print(f"  and {len(data.skipped) - SKIPPED} more, listed in the report")
    if (workdir / PARTS["scores"]).is_file():
        claim_workdir(workdir, recipe)
        console.print(f"{workdir} is complete: {workdir / PARTS['report']}")
        return load(workdir)
    _require_own(workdir / PARTS["saved_model"])
    if recipe.histories and devices > 1:
        raise ValueError(f"{recipe.name} has histories, which are learned on one device. Received: devices={devices}.")
    with share_among(devices):
        model, history, seconds = train_with_stages(recipe, read_for, workdir, console, held=held)
    if devices > 1:
        model = load(workdir).model  # on one device
    if recipe.histories:
        _serve(model, workdir)
        return Run(workdir, model, report_scanpaths(recipe, data, workdir, history, seconds, console))
    started = time.perf_counter()
    source = ModelSource(model, recipe.name)
    console.print("scoring the test split")
    with Progress(console) as bars:
        task = bars.add_task("test images", total=len(data.test.usable))
        scored = score_split([source], data, "test", "tuebingen", lambda done: bars.update(task, completed=done))
    seconds = {**seconds, "evaluation": time.perf_counter() - started}
    console.print("writing report and SavedModel")
    _serve(model, workdir)
    return Run(workdir, model, write_report(workdir, recipe, data, source, history, seconds, scored))


def _serve(model, workdir):
    """Writes the SavedModel in place of the features."""
    served = workdir / PARTS["saved_model"]
    clear_features(workdir / FEATURES)
    _require_own(served)
    delete_own(served, SAVED_MODEL)  # An interrupted run may have come so far.
    export_saved_model(model, served)


def _require_own(served):
    """What others have put where the SavedModel goes is found before hours of work, and not deleted."""
    if others := others_in(served, SAVED_MODEL):
        raise ValueError(
            f"{others[0]} stands where the SavedModel goes, and is no part of one. Move it out of {served} and train "
            "again: the run goes on where it was."
        )


def train_with_stages(
    recipe: Recipe,
    read: Callable[[Recipe], DataSet],
    workdir: Path,
    console: rich.console.Console,
    features: Path | None = None,
    held: contextlib.ExitStack | None = None,
) -> tuple[SaliencyModel, list[dict[str, float]], dict[str, float]]:
    """Trains a recipe and, before it, what it starts from or mixes, each in a folder of its own inside.

    Args:
        recipe: What is trained.
        read: Opens the data of a recipe.
        workdir: The folder of the run, new or to be resumed; see `claim_workdir`.
        console: Where to write.
        features: The folder of the feature cache, by default inside `workdir`.
        held: What holds the folders; see `claim_workdir`.

    Returns:
        The model, the history of this recipe (empty for a mixture), and the seconds of all.
    """
    features = features or workdir / FEATURES
    seconds = {"features": 0.0, "training": 0.0}

    def before(other, folder):
        console.print(f"{other.name}, for {recipe.name}:")
        model, _, spent = train_with_stages(other, read, folder, console, features, held)
        for key, value in spent.items():
            seconds[key] += value
        return model

    history: list[dict[str, float]] = []
    if recipe.members or recipe.start:
        claim_workdir(workdir, recipe, held)
    if recipe.members:
        model = mix([before(m, workdir / m.name) for m in recipe.members], recipe.name, recipe.sizes)
        with whole(workdir / MODEL) as part:
            model.save(part)
    else:
        start = before(recipe.start, workdir / recipe.start.name) if recipe.start else None
        data = read(recipe)
        console.print("building the model, with the centre bias of the training fixations")
        built = build(recipe, data, start)
        model = built.model
        del start  # and its optimizer and graphs, before this one has its own
        if not recipe.start:  # Now that the recipe is known to make a model.
            claim_workdir(workdir, recipe, held)
        history, spent = train_epochs(recipe, data, built, workdir, console, features)
        seconds = {key: seconds[key] + spent[key] for key in seconds}
    return model, history, seconds
