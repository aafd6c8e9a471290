"""What a run of a recipe with `histories` leaves: scores of the next fixation, their table and report."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import rich.console

from keras_saliency.data import DataSet
from keras_saliency.reporting import plotting, tables
from keras_saliency.scanpaths.next_fixation import NextFixationModel
from keras_saliency.scanpaths.scoring import score_scanpaths
from keras_saliency.serving.load import RESULT
from keras_saliency.training.recipe import Recipe
from keras_saliency.training.report import describe_training
from keras_saliency.writing.files import whole, write_whole
from keras_saliency.writing.progress import Progress

TABLE = "per_fixation.csv"


def report_scanpaths(
    recipe: Recipe,
    data: DataSet,
    workdir: Path,
    history: list[dict[str, float]],
    seconds: dict[str, float],
    console: rich.console.Console,
) -> dict[str, Any]:
    """Scores the test split and writes the report of a finished run.

    Args:
        recipe: The recipe.
        data: The data set.
        workdir: The folder of the run, in which `next_fixation.keras` is.
        history: A list with a dictionary for each epoch.
        seconds: Of features and training.
        console: Where progress is shown.

    Returns:
        What `result.json` holds: `scores` of the network over all fixations and `by_fixations` by the number of those
        before, the rows it is compared with, `baselines`, and the provenance.
    """
    console.print("scoring the scanpaths of the test split")
    with Progress(console) as bars:
        task = bars.add_task("test images", total=len(data.test))
        model = NextFixationModel(workdir, recipe.name)
        found = score_scanpaths([model], data, "test", lambda done: bars.update(task, completed=done))
    (workdir / "figures").mkdir(exist_ok=True)
    plotting.plot_history(workdir / "figures" / "history.png", history)
    with whole(workdir / TABLE) as part:
        found.table.to_csv(part, index=False)
    rows = {name: steps["all"] for name, steps in found.summary.items()}
    facts = tables.provenance(data, "test", "next fixation")
    del facts["blur_sigma_pixels"]  # There is no ground truth but fixations.
    result = {
        "recipe": recipe.name,
        "scores": rows.pop(recipe.name),
        "baselines": rows,
        "by_fixations": found.summary[recipe.name],
        "seconds": {name: round(value, 1) for name, value in seconds.items()},
        **facts,
        "averaging": "per fixation",
        "fixations": len(found.table) // found.table["model"].nunique(),
        "baseline": "centre bias of the training fixations but the first ones",
    }
    write_whole(workdir / "report.md", _markdown(recipe, data, history, result))
    write_whole(workdir / RESULT, json.dumps(result, indent=2) + "\n")  # Last: it marks the run as complete.
    return result


def _markdown(recipe: Recipe, data: DataSet, history: list, result: dict[str, Any]) -> str:
    by_fixations = result["by_fixations"]
    gains = [tables.cell("ig_spatial", row["ig_spatial"]) for row in by_fixations.values()]
    gained = tables.markdown([*by_fixations], [[tables.HEADINGS["ig_spatial"], *gains]])
    return f"""# {recipe.name}

{tables.score_table({recipe.name: result["scores"], **result["baselines"]})}

{tables.caption(result)} Of the next fixation, given the true ones before, with 95 % intervals of bootstrap resamples of
the images. IG is over the centre bias, and over the same network without history.

By the number of fixations before:

{gained}

## Training

{describe_training(recipe, history, result["seconds"])}

![history](figures/history.png)

## Skipped data

{tables.skipped(data)}

## Recipe

```json
{json.dumps(dataclasses.asdict(recipe), indent=2)}
```
"""
