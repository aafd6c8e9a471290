"""The command that fits a model to a recording."""

from pathlib import Path
from typing import Annotated, Any

import typer

import keras_saliency as ks
from keras_saliency.cli.common import console, folders, start
from keras_saliency.cli.reading import opened, reads_data
from keras_saliency.writing.files import whole


@reads_data
def adapt(
    model: Annotated[Path, typer.Argument(help="The workdir of a finished run, a .keras file, general or fast.")],
    data: Annotated[str, typer.Option(help="The recording, NAME=DIR, or NAME alone; its training split is fitted.")],
    out: Annotated[Path, typer.Option(help="The new .keras file.")] = Path("adapted.keras"),
    images: Annotated[int | None, typer.Option(min=1, help="So many images, drawn at random; by default all.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Another one draws others.")] = 0,
    reading: Any = None,
) -> None:
    """Fit a model to your recording: how sharp, how central and how scattered its fixations are, in a minute.

    Five images are enough to try. If images that are left out are not surely better predicted than before, it says so
    and writes nothing.

    Example: `keras-saliency adapt runs/osie_lite0 --data scene=data/scene --images 50 --out scene.keras`
    """
    if out.suffix != ".keras":
        raise ValueError(f"--out names a new .keras file. Received: {out}.")
    if out.exists():
        raise FileExistsError(f"{out} exists. Choose another --out, or move it away.")
    start()
    from keras_saliency.data import open_data
    from keras_saliency.data.mixtures import with_few

    where = opened(folders([data]) if "=" in data else {data: None}, reading)
    recording = open_data(where, console.print)
    if images:
        recording = with_few(recording, images, seed)
    adaptation = ks.adapt(model, recording)
    if not adaptation.changed:
        raise ValueError(adaptation.said)
    out.parent.mkdir(parents=True, exist_ok=True)
    with whole(out) as part:
        adaptation.model.save(part)
    console.print(adaptation.said)
    console.print(", ".join(f"{name.replace('_', ' ')} {value:.3f}" for name, value in adaptation.numbers.items()))
    console.print(f"model: {out}")
