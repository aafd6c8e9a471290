"""The folder of a run: whose it is."""

import dataclasses
import json
from pathlib import Path

from keras_saliency.reporting.files import write_whole
from keras_saliency.training.recipe import Recipe

CHECKPOINTS, FEATURES = "checkpoints", "features"


def claim_workdir(workdir: str | Path, recipe: Recipe) -> Path:
    """Takes a folder for the run of a recipe, new or to be resumed.

    Raises:
        ValueError: If it holds the run of another recipe, or other files; nothing in it is touched.
    """
    workdir = Path(workdir)
    # Through JSON, as it will be read back.
    wanted = json.loads(json.dumps(dataclasses.asdict(recipe)))
    file = workdir / "recipe.json"
    if file.is_file():
        found = json.loads(file.read_text())
        if found != wanted:
            changed = [key for key in wanted if found.get(key) != wanted[key]]
            raise ValueError(
                f"{workdir} holds the run of another recipe: {found.get('name')!r}, which differs in "
                f"{', '.join(changed)}. Choose another --workdir, or delete that folder."
            )
        return workdir
    if workdir.exists() and (not workdir.is_dir() or any(workdir.iterdir())):
        raise ValueError(f"{workdir} is no empty folder and holds no run. Choose another --workdir.")
    workdir.mkdir(parents=True, exist_ok=True)
    write_whole(file, json.dumps(wanted, indent=2) + "\n")
    return workdir
