"""What a server is asked to serve: runs, `.keras` files, SavedModels, models that come along."""

import re
from pathlib import Path
from typing import NamedTuple

from keras_saliency.models import SHIPPED, is_shipped
from keras_saliency.server.versions import GRAPH, Model, is_version
from keras_saliency.serving.export import export_saved_model
from keras_saliency.serving.load import PARTS, load, name_of

NAME = re.compile(r"[^/:=]+")


class Place(NamedTuple):
    """Where the versions of a model lie: its name, their folder, and which in it is served, None for the newest."""

    name: str
    base: Path
    only: str | None = None


def open_models(texts: list[str], scratch: Path) -> dict[str, Model]:
    """Loads what is to be served.

    Args:
        texts: `PATH` or `NAME=PATH` each.
        scratch: An empty folder, in which SavedModels of what is none are written.

    Raises:
        FileNotFoundError: If there is nothing at a path.
        ValueError: If it is no model of saliency, or two have one name.
    """
    places = [_place(text, scratch / str(i)) for i, text in enumerate(texts)]
    for i, place in enumerate(places):
        if place.name in (other.name for other in places[:i]):
            raise ValueError(f"Two models are called {place.name}: give one another name, NAME={place.base}.")
    return {place.name: Model(*place) for place in places}


def _place(text, scratch):
    name, equals, rest = text.partition("=")
    if not equals or Path(text).exists():
        name, rest = "", text
    path = Path(rest)
    name = name or (rest if is_shipped(rest) else name_of(path))
    if not NAME.fullmatch(name):
        raise ValueError(f"A model cannot be called {name!r} in a URL: give another name, NAME={rest}.")
    if not is_shipped(rest):
        if not path.exists():
            raise FileNotFoundError(
                f"{path} does not exist. Expected the folder of a run, a .keras file, a SavedModel, a folder of its "
                f"versions, or a model that comes with the package: {', '.join(SHIPPED)}."
            )
        if (path / GRAPH).is_file() and is_version(path.absolute()):
            return Place(name, path.absolute().parent, path.absolute().name)
        if (path / GRAPH).is_file():
            # The version of a folder that is not called by a number is 1.
            scratch.mkdir()
            (scratch / "1").symlink_to(path.absolute())
            return Place(name, scratch)
        if path.is_dir() and any(map(is_version, path.iterdir())):
            return Place(name, path)
        if (path / PARTS["saved_model"] / GRAPH).is_file():
            return Place(name, (path / PARTS["saved_model"]).parent)
    export_saved_model(load(rest).model, scratch / "1")
    return Place(name, scratch)
