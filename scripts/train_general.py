"""Trains the models that come with the package, and writes their files of weights.

`general`: two networks trained on OSIE, its mouse data, Scene and eyevis, with a head for each, and an average head for
all other pictures. The numbers of that are found on what is left out: the first network is trained without OSIE, Scene
and eyevis, too. `fast`: a small network that learns the maps of `general`. At last the first network is trained on each
data set alone, for the tables of docs/general.md. Hours on 2 CPU cores; what is interrupted goes on where it was. No
test split is read but to see that no photograph of it is trained on.
"""

from pathlib import Path
from typing import Annotated

import typer
from boxing.general import make

from keras_saliency.cli.common import folders
from keras_saliency.models.shipped import FOLDER


def main(
    data: Annotated[list[str], typer.Option(help="NAME=DIR for osie, scene and eyevis.")],
    workdir: Annotated[Path, typer.Option(help="The folder of all trainings.")] = Path("runs/general"),
    out: Annotated[Path, typer.Option(help="The folder of the files of weights.")] = FOLDER,
) -> None:
    """Train, calibrate and write the models that come with the package.

    Example: python scripts/train_general.py --data osie=data/osie --data scene=data/scene --data eyevis=data/eyevis
    """
    make(folders(data), workdir, out)


if __name__ == "__main__":
    typer.run(main)
