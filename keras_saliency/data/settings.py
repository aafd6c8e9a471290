"""What a reader is told besides its folder: by arguments, or by a file in it, which the command line reads, too."""

import functools
import inspect
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from keras_saliency.data.data_set import DataSet
from keras_saliency.data.index import remembered


def with_settings(name: str, read: Callable[..., DataSet]) -> Callable[..., DataSet]:
    """A reader that takes from `NAME.json` in its folder what it is not given as arguments, and is `remembered`.

    Args:
        name: The name of the data set.
        read: The reader; its first argument is the folder.
    """
    known = list(inspect.signature(read).parameters)[1:]

    @functools.wraps(read)
    def read_with(directory: Path, **options: Any) -> DataSet:
        settings = {**settings_in(directory, name), **options}
        unknown = [key for key in settings if key not in known]
        if unknown:
            raise ValueError(f"Unknown setting {unknown[0]!r} of {name!r}. Known settings: {', '.join(known)}.")
        return remembered(name, directory, settings, lambda: read(directory, **settings))

    return read_with


def settings_in(directory: Path, name: str) -> dict[str, Any]:
    """What `NAME.json` in a folder says; nothing if it is not there.

    Raises:
        ValueError: If it is no JSON object.
    """
    path = directory / f"{name}.json"
    if not path.is_file():
        return {}
    try:
        return dict(json.loads(path.read_text("utf-8-sig")))
    except (ValueError, TypeError) as error:
        raise ValueError(f"{path} is no JSON object ({error}). Write it again, or delete it.") from error
