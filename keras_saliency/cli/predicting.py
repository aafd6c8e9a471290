"""The commands that apply models to photographs, and write them for other programs."""

from pathlib import Path
from typing import Annotated, Literal

import typer

import keras_saliency as ks
from keras_saliency.cli.common import console, start
from keras_saliency.writing.progress import Progress

ImageSize = Annotated[
    tuple[int, int] | None,
    typer.Option(help="Height and width of a frame for all images; by default the model sees them as it was made to."),
]
BY_DEFAULT, SAVED_MODEL = "general", "saved-model"
COME_ALONG = (BY_DEFAULT, "fast")  # `models.SHIPPED`, for which TensorFlow would have to be started
# What tells a model from photographs: suffixes, and files in its folder.
MODEL_FILES, IN_MODELS = (".keras", ".h5", ".hdf5"), ("model.keras", "recipe.json", "saved_model.pb")
TrainedModel = Annotated[
    Path, typer.Argument(help="The workdir of a finished run, a .keras file, or general or fast, which come along.")
]


def predict(
    sources: Annotated[
        list[Path],
        typer.Argument(
            metavar="[MODEL] IMAGES...",
            help="Photographs, or folders of them; before them, the workdir of a finished run, a .keras file, or "
            "general or fast, which come along. Without one it is general.",
        ),
    ],
    out: Annotated[Path, typer.Option(help="The folder for maps and overlays.")] = Path("saliency"),
    log_density: Annotated[bool, typer.Option(help="Write the exact log-density as .npy, too.")] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Leave photographs alone whose files are there.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace files that are there.")] = False,
    size: ImageSize = None,
    pixels_per_degree: Annotated[
        float | None, typer.Option(min=1e-3, help="Of the photographs, for a model that sees degrees.")
    ] = None,
    scanpaths: Annotated[
        int, typer.Option(min=0, help="Draw so many scanpaths over each photograph, too, where eyes may go in turn.")
    ] = 0,
    fixations: Annotated[int, typer.Option(min=1, help="Of each scanpath; the first is in the middle.")] = 8,
    seed: Annotated[int, typer.Option(min=0, help="Equal seeds draw equal scanpaths.")] = 0,
    on: Annotated[str, typer.Option(help="Where they are predicted: here, or ray, on a Ray cluster.")] = "here",
    address: Annotated[str | None, typer.Option(help="Of the Ray cluster; without it one is started here.")] = None,
    cores: Annotated[int, typer.Option(min=1, help="Of each model on the cluster.")] = 1,
    parquet: Annotated[
        bool, typer.Option("--parquet", help="On the cluster: maps as rows of Parquet files, without overlays.")
    ] = False,
) -> None:
    """Write saliency maps and overlays for photographs.

    Examples: `keras-saliency predict holiday/ --out maps`,
    `keras-saliency predict photograph.jpg --scanpaths 10`,
    `keras-saliency predict general archive/ --out maps --on ray --address auto --resume`
    """
    if on not in ("here", "ray"):
        raise ValueError(f"--on is here or ray. Received: {on!r}.")
    if on == "here" and (address or parquet or cores != 1):
        raise ValueError("--address, --cores and --parquet are for --on ray.")
    if size and scanpaths:
        raise ValueError("--scanpaths look at photographs as the model was made to, without --size.")
    if on == "ray" and scanpaths:
        raise ValueError("--scanpaths are drawn here alone, without --on ray.")
    images = sources[1:] if _is_model(*sources) else sources
    if not images:
        raise ValueError(
            f"{sources[0]} is a model. Say of which photographs: keras-saliency predict {sources[0]} holiday/."
        )
    if resume and overwrite:
        raise ValueError("--resume and --overwrite exclude each other.")
    start()
    from keras_saliency.serving.photographs import SCANPATHS, find_images, plan

    existing: Literal["error", "resume", "overwrite"] = "resume" if resume else "overwrite" if overwrite else "error"
    model = sources[0] if len(images) < len(sources) else BY_DEFAULT
    if on == "ray":
        if model == BY_DEFAULT and Path(BY_DEFAULT).exists():
            raise ValueError(
                f"Here lies something called {BY_DEFAULT}. Say which model: a path before the photographs."
            )
        predicted = _on_ray(model, images, out, log_density, existing, size, pixels_per_degree, parquet, address, cores)
    else:
        if scanpaths:  # Nothing is predicted if these cannot be written.
            plan(find_images(images), out, SCANPATHS, existing)
        console.print("loading the model")
        loaded = ks.load(model) if model != BY_DEFAULT else ks.models.load_shipped(BY_DEFAULT)
        predicted = ks.predict(
            loaded,
            images,
            out,
            log_density,
            existing=existing,
            size=size,
            pixels_per_degree=pixels_per_degree,
        )
    for line in predicted.skipped:
        console.print(f"skipped: {line}")
    what = "files of maps" if parquet else "images: maps and overlays"
    console.print(f"{len(predicted.written)} {what} are in {out}")
    if not predicted.written:
        raise ValueError("No image could be predicted.")
    if scanpaths:
        drawn = _draw_scanpaths(loaded, images, out, scanpaths, fixations, seed, existing, pixels_per_degree)
        for line in drawn.skipped:
            console.print(f"no scanpaths: {line}")
        console.print(f"scanpaths of {len(drawn.written)}: *{SCANPATHS[0]} and *{SCANPATHS[1]} beside them")


def _on_ray(model, images, out, *arguments):
    """As `predict_on_ray`, with a bar."""
    from keras_saliency.serving.on_ray import predict_on_ray

    with Progress(console) as bars:
        task = bars.add_task("images", total=None)

        def progress(done, total):
            bars.update(task, completed=done, total=total)

        return predict_on_ray(model, images, out, *arguments, progress=progress)


def _draw_scanpaths(model, images, out, *arguments):
    """As `draw_scanpaths`, with a bar."""
    from keras_saliency.scanpaths.drawing import draw_scanpaths
    from keras_saliency.scanpaths.next_fixation import open_scanpath_model

    with Progress(console) as bars:
        task = bars.add_task("scanpaths", total=None)

        def progress(done, total):
            bars.update(task, completed=done, total=total)

        return draw_scanpaths(open_scanpath_model(model), images, out, *arguments, progress=progress)


def _is_model(path: Path, *rest: Path) -> bool:
    """Whether a path is that of a model, as far as one was meant, and not of photographs."""
    if path.exists():
        return path.suffix in MODEL_FILES or any((path / name).is_file() for name in IN_MODELS)
    # A folder of photographs would be there.
    return path.suffix in MODEL_FILES or (not path.suffix and (bool(rest) or str(path) in COME_ALONG))


def export(
    model: TrainedModel,
    directory: Annotated[Path, typer.Argument(help="The folder of this version, such as served/NAME/1.")],
    to: Annotated[
        str, typer.Option(help="saved-model; or litert, onnx, openvino, which have no preprocessing in them.")
    ] = SAVED_MODEL,
    size: ImageSize = None,
    quantize: Annotated[str | None, typer.Option(help="int8: a smaller network, of another runtime.")] = None,
    photographs: Annotated[
        list[Path] | None, typer.Option(help="For int8, some such as it will see: files or folders; may be repeated.")
    ] = None,
) -> None:
    """Write a SavedModel for TF Serving, preprocessing included, or a network for another runtime.

    Examples: `keras-saliency export runs/osie_lite0 served/saliency/1`,
    `keras-saliency export fast small --to litert --quantize int8 --photographs holiday/`
    """
    if to == SAVED_MODEL and (quantize or photographs):
        raise ValueError("--quantize and --photographs are for --to litert, onnx or openvino.")
    start()
    console.print("loading the model")
    run = ks.load(model)
    if to == SAVED_MODEL:
        console.print("writing the SavedModel")
        ks.export_saved_model(run.model, directory, size)
        console.print(f"SavedModel: {directory}")
        return
    console.print(f"converting to {to}")
    lost = ks.export_network(run.model, directory, to, size, quantize, photographs or [])
    if lost is not None:
        console.print(f"{quantize} loses {lost:.4f} bit of a fixation, on these photographs and if the model is right")
    console.print(f"network: {directory}")
