"""What a run leaves for people and programs: `result.json`, `per_image.csv`, `report.md` and the figures."""

import dataclasses
import json
from pathlib import Path
from typing import Any

from keras_saliency.data import DataSet
from keras_saliency.evaluation.sources import Source
from keras_saliency.evaluation.splits import Evaluation
from keras_saliency.reporting import plotting, tables
from keras_saliency.reporting.samples import samples_to_show
from keras_saliency.serving.load import RESULT
from keras_saliency.training.recipe import Recipe
from keras_saliency.writing.files import write_whole


def write_report(
    workdir: str | Path,
    recipe: Recipe,
    data: DataSet,
    source: Source,
    history: list[dict[str, float]],
    seconds: dict[str, float],
    scored: Evaluation,
) -> dict[str, Any]:
    """Writes the report of a finished run.

    Args:
        workdir: The folder to write to.
        recipe: The recipe.
        data: The data set.
        source: That of the trained model.
        history: A list with a dictionary for each epoch; empty for a mixture, which is not trained itself.
        seconds: A dictionary with `features`, `training` and `evaluation`.
        scored: The scores of the test split.

    Returns:
        What `result.json` holds.
    """
    workdir = Path(workdir)
    (workdir / "figures").mkdir(exist_ok=True)
    result = _result(recipe, data, source.name, seconds, scored)
    tables.write_per_image(workdir / "per_image.csv", data.test.usable, scored.per_image, scored.fair)
    if history:
        plotting.plot_history(workdir / "figures" / "history.png", history)
    plotting.plot_samples(workdir / "figures" / "samples.png", samples_to_show(data.test, source, scored))
    write_whole(workdir / "report.md", _markdown(recipe, data, history, result["seconds"], scored))
    # Last: it marks the run as complete.
    write_whole(workdir / RESULT, json.dumps(result, indent=2) + "\n")
    return result


def _result(recipe, data, row, seconds, scored):
    summary, fair = dict(scored.summary), dict(scored.fair_summary)
    return {
        "recipe": recipe.name,
        "scores": summary.pop(row),
        "fair_scores": fair.pop(row, {}),
        "baselines": summary,
        "fair_baselines": fair,
        "reference": scored.reference,
        "seconds": {name: round(value, 1) for name, value in seconds.items()},
        **scored.provenance,
    }


def describe_training(recipe: Recipe, history: list[dict[str, float]], seconds: dict[str, float]) -> str:
    """Sentences on how often and how long was trained, of a mixture on what it is made of."""
    trained = f"A mixture of {', '.join(member.name for member in recipe.members)}, in the folders inside this one."
    if history:
        best = min(history, key=lambda row: row["val_loss"])["epoch"]
        trained = f"{len(history)} epochs, the best on validation was epoch {best}."
    stages = ", ".join(f"{name} {value:.0f} s" for name, value in seconds.items())
    return f"{trained} {stages[:1].upper() + stages[1:]}, of all stages."


def _markdown(recipe, data, history, seconds, scored):
    figure = "\n![history](figures/history.png)\n" if history else ""
    return f"""# {recipe.name}

{tables.score_table(scored.summary)}

{tables.describe(scored)}

{tables.fair(scored.fair_summary)}

## Training

{describe_training(recipe, history, seconds)}
{figure}
## Best, median and worst images

![samples](figures/samples.png)

## Skipped data

{tables.skipped(data)}

## Recipe

```json
{json.dumps(dataclasses.asdict(recipe), indent=2)}
```
"""
