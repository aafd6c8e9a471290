"""Maps of very many photographs, on a Ray cluster: each of its actors holds a model and predicts a batch at a time."""

import hashlib
import json
import logging
import math
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

from keras_saliency.data.machines import connect, hold_to
from keras_saliency.formulas.types import Size
from keras_saliency.models.calling import FEW
from keras_saliency.serving.load import load
from keras_saliency.serving.photographs import find_images, is_complete, plan
from keras_saliency.serving.prediction import Existing, Predicted, predict_planned
from keras_saliency.writing import files

BATCH, MOST = 16, 4096  # photographs of a batch, and batches of a job before they grow
# The columns of the Parquet files: the map as 8-bit PNG and, where wanted, the exact log-density as an NPY file.
COLUMNS = ("photograph", "saliency_png", "log_density_npy", "error")


def predict_on_ray(
    model: str | Path,
    images: str | Path | Iterable[str | Path],
    out: str | Path,
    log_density: bool = False,
    existing: Existing = "error",
    size: Size | None = None,
    pixels_per_degree: float | None = None,
    parquet: bool = False,
    address: str | None = None,
    cores: int = 1,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Predicted:
    """Writes what `keras_saliency.predict` writes, to the bit, by all machines of a Ray cluster.

    The model, the photographs and the folder must lie at the same places on every machine. What one was at when it was
    lost is done again by another. A photograph that cannot be predicted ends nothing: it is left out and named.

    Args:
        model: The folder of a run, a `.keras` file, or the name of a model that comes with the package.
        images: Files and folders.
        out: The folder to write to.
        log_density: As in `predict_files`.
        existing: As in `predict_files`; Parquet files are not replaced.
        size: As in `predict`.
        pixels_per_degree: As in `predict`.
        parquet: Whether the maps are rows of Parquet files, one file for each batch, with the columns `photograph` (its
            path), `saliency_png`, `log_density_npy` and `error`, in place of a file for each map and overlay.
        address: Of the cluster, such as `"auto"`; None starts one on this machine.
        cores: Of each actor.
        progress: Called with the numbers of images done and in all.

    Raises:
        ImportError: If Ray is not installed.
        ConnectionError: If there is no cluster at the address.
        FileNotFoundError: If the model or a path does not exist, or there is no image at all.
        FileExistsError: If a file to be written exists, unless told otherwise; nothing has been written then.
        ValueError: If two images would write the same file, Parquet files are to be replaced, or the model gives no
            saliency maps, or not the log-density asked for, or does not take images of the size.
        OSError: If `out` cannot be written to.
    """
    if parquet and existing == "overwrite":
        raise ValueError("Parquet files are not replaced. Choose another folder, or existing='resume' (--resume).")
    out = Path(out).absolute()
    listed = [images] if isinstance(images, str | Path) else [*images]
    found = [(path.absolute(), relative) for path, relative in find_images(listed)]
    planned = plan(found, out, log_density, "resume" if parquet else existing)
    files.require_writable(out)
    before = _rows_in(out) if parquet else {}
    if before and existing == "error":
        raise FileExistsError(f"{out} has Parquet files already. Choose another folder, or --resume.")
    if parquet:
        kept = {path for path, _ in planned if str(path) in before}
    else:
        kept = {path for path, group in planned if existing == "resume" and is_complete(path, group)}
    errors = {Path(name): said for name, said in before.items() if said}
    missing = [row for row in planned if row[0] not in kept]
    done = len(kept)
    if missing:
        load(model)  # Raises here, and not on each machine, if it is none.
        loaded = Path(model).absolute() if Path(model).exists() else model
        settings = {"log_density": log_density, "size": size, "pixels_per_degree": pixels_per_degree}
        settings["graph"] = len(planned) > FEW
        for row in _computed(connect(address), loaded, missing, settings, out if parquet else None, cores):
            if row["error"]:
                errors[Path(row["photograph"])] = row["error"]
            done += 1
            progress(done, len(planned))
    written = sorted(out.glob("*.parquet")) if parquet else [group[0] for path, group in planned if path not in errors]
    return Predicted(written, [errors[path] for path, _ in planned if path in errors])


def _computed(ray, model, missing, settings, parquet, cores):
    """A row for each photograph, as they are done."""
    from ray.data import ActorPoolStrategy, DataContext

    DataContext.get_current().enable_progress_bars = False
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    batch = max(BATCH, math.ceil(len(missing) / MOST))
    rows = [{"photograph": str(path), "files": [*map(str, group)]} for path, group in missing]
    actors = max(1, int(ray.cluster_resources().get("CPU", 1)) // cores)
    batches = math.ceil(len(rows) / batch)
    done = ray.data.from_items(rows, override_num_blocks=batches).map_batches(
        _Predictor,
        fn_constructor_args=(model, settings, parquet, cores),
        batch_size=None,  # a block
        compute=ActorPoolStrategy(min_size=1, max_size=min(actors, batches)),
        num_cpus=cores,
    )
    yield from done.iter_rows()


class _Predictor:
    """An actor with a model of its own."""

    def __init__(self, model, settings, parquet, cores):
        hold_to(cores)
        self.model, self.settings, self.parquet = load(model).model, settings, parquet

    def __call__(self, batch: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        names, groups = [*map(str, batch["photograph"])], [[*map(Path, group)] for group in batch["files"]]
        done = self._into_parquet(names, groups) if self.parquet else self._into_files(names, groups)
        return {"photograph": np.array(names, object), "error": np.array([done[name] for name in names], object)}

    def _into_files(self, names, groups):
        jobs = predict_planned(self.model, zip(map(Path, names), groups, strict=True), **self.settings)
        return {str(job.path): job.error for job in jobs}

    def _into_parquet(self, names, groups):
        import pyarrow
        import pyarrow.parquet

        file = self.parquet / f"{hashlib.sha256(json.dumps(names).encode()).hexdigest()[:20]}.parquet"
        if not file.exists():  # or else another machine has written it, and was lost before it said so
            jobs = predict_planned(
                self.model, zip(map(Path, names), groups, strict=True), **self.settings, write=lambda job: job
            )
            columns = {name: [] for name in COLUMNS}
            for job in jobs:
                png, _, *exact = job.contents or (None, None)
                for name, value in zip(
                    COLUMNS, (str(job.path), png, *(exact or [None]), job.error or None), strict=True
                ):
                    columns[name].append(value)
            kinds = [pyarrow.string(), pyarrow.binary(), pyarrow.binary(), pyarrow.string()]
            schema = pyarrow.schema([*zip(COLUMNS, kinds, strict=True)])
            file.parent.mkdir(parents=True, exist_ok=True)
            with files.whole(file) as part:
                pyarrow.parquet.write_table(pyarrow.table(columns, schema), part)
        return _errors_in(file)


def _errors_in(file):
    """From the photographs of a Parquet file to what is wrong with them, empty for most."""
    import pyarrow.parquet

    table = pyarrow.parquet.read_table(file, columns=["photograph", "error"]).to_pydict()
    return {name: said or "" for name, said in zip(table["photograph"], table["error"], strict=True)}


def _rows_in(folder):
    """The same of all files of a folder."""
    return {name: said for file in sorted(folder.glob("*.parquet")) for name, said in _errors_in(file).items()}
