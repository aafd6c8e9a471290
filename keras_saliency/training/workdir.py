"""The folder of a run: whose it is, and who is at work in it."""

import contextlib
import dataclasses
import json
from pathlib import Path
from typing import Any

from keras_saliency.training.recipe import Recipe
from keras_saliency.writing.files import naming, part_of, write_whole

try:
    import fcntl
except ImportError:  # Windows, where two runs in one folder are not noticed.
    fcntl = None  # type: ignore[assignment]

CHECKPOINTS, FEATURES = "checkpoints", "features"
RECIPE, LOCK = "recipe.json", ".lock"


def claim_workdir(workdir: str | Path, recipe: Recipe, held: contextlib.ExitStack | None = None) -> Path:
    """Takes a folder for the run of a recipe, new or to be resumed.

    A recipe that another version saved is the same if all fields that both know are equal, and those it lacks have
    their defaults.

    Args:
        workdir: The folder.
        recipe: The recipe.
        held: Until its end nobody else can take the folder; the system gives it free when the process dies, too. With
            None it is not held.

    Raises:
        ValueError: If it holds the run of another recipe, or other files; nothing in it is touched. If another run is
            at work in it.
    """
    workdir = Path(workdir)
    _require_same_run(workdir, recipe)
    workdir.mkdir(parents=True, exist_ok=True)
    if held is not None:
        _lock(workdir, held)
        _require_same_run(workdir, recipe)
    if not (workdir / RECIPE).is_file():
        write_whole(workdir / RECIPE, json.dumps(dataclasses.asdict(recipe), indent=2) + "\n")
    return workdir


def _require_same_run(workdir, recipe):
    file = workdir / RECIPE
    if file.is_file():
        elsewhere = "Choose another --workdir, or delete that folder."
        with naming(file, elsewhere):
            saved = json.loads(file.read_text())
            changed = _differing(saved, recipe)
        if changed:
            raise ValueError(
                f"{workdir} holds the run of another recipe: {saved.get('name')!r}, which differs in "
                f"{', '.join(changed)}. {elsewhere}"
            )
    elif workdir.exists():
        # What a process leaves that is killed as it begins.
        begun = {LOCK, part_of(file).name}
        if not workdir.is_dir() or {path.name for path in workdir.iterdir()} - begun:
            raise ValueError(f"{workdir} is no empty folder and holds no run. Choose another --workdir.")


def _differing(saved: dict[str, Any], wanted: Any) -> list[str]:
    """The fields of a recipe, or of its model, in which one that was saved by any version differs."""
    fields = dataclasses.fields(wanted)
    return [
        field.name for field in fields if not _same(saved.get(field.name, _default(field)), getattr(wanted, field.name))
    ]


def _same(saved, wanted):
    if dataclasses.is_dataclass(wanted) and isinstance(saved, dict):
        return not _differing(saved, wanted)
    if isinstance(wanted, tuple | list) and isinstance(saved, tuple | list):
        return len(saved) == len(wanted) and all(map(_same, saved, wanted))
    return saved == wanted


def _default(field):
    return field.default if field.default_factory is dataclasses.MISSING else field.default_factory()


def _lock(workdir, held):
    if fcntl is None:
        return
    file = held.enter_context((workdir / LOCK).open("a"))
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise ValueError(f"Another run is at work in {workdir}. Wait for it, or choose another --workdir.") from error
    except OSError:  # A file system without locks.
        return
