"""Fits the saccades that come with the package: `python scripts/fit_saccades.py data/osie`."""

from pathlib import Path
from typing import Annotated

import typer


def fit(
    osie: Annotated[Path, typer.Argument(help="The folder of OSIE.")],
    out: Annotated[Path, typer.Option(help="The file, which must not be there.")] = Path("saccades.safetensors"),
):
    """Find what the next fixation owes to those before it, beside the density of general, on the validation split.

    Five minutes on 2 CPU cores. The file goes to keras_saliency/scanpaths.
    """
    import keras_saliency as ks
    from keras_saliency.scanpaths import SaccadeModel, Saccades, fit_saccades

    data = ks.data.load("osie", osie)
    fit_saccades(SaccadeModel("general", Saccades(), data=data), data.validation).save(out)


if __name__ == "__main__":
    typer.run(fit)
