"""Maps of very many photographs, on a Ray cluster: each of its actors holds a model and predicts a batch at a time."""

import hashlib
import itertools
import json
import logging
import math
import os
import uuid
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

from keras_saliency.data.machines import connect, hold_to
from keras_saliency.formulas.types import Size
from keras_saliency.models import require_log_density
from keras_saliency.models.calling import FEW
from keras_saliency.models.sizes import size_of
from keras_saliency.serving.load import load
from keras_saliency.serving.photographs import EXISTING, MAPS, find_images, is_complete, plan
from keras_saliency.serving.prediction import Existing, Predicted, predict_planned
from keras_saliency.writing import files

BATCH, MOST = 16, 4096  # photographs of a batch, and batches of a job before they grow
# The columns of the Parquet files: the map as 8-bit PNG and, where wanted, the exact log-density as an NPY file.
COLUMNS = ("photograph", "saliency_png", "log_density_npy", "error")
EXACT = "log_density"  # what the metadata of a file are called that say whether it has these


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
            path), `saliency_png`, `log_density_npy` and `error`, in place of a file for each map and overlay. What has
            an error is tried again by `"resume"`, and then has a row in a newer file, too.
        address: Of the cluster, such as `"auto"`; None starts one on this machine.
        cores: Of each actor.
        progress: Called with the numbers of images done and in all.

    Returns:
        A `Predicted`. With `parquet`, `written` are the files of the folder that have maps.

    Raises:
        ImportError: If Ray is not installed.
        ConnectionError: If there is no cluster at the address.
        FileNotFoundError: If the model or a path does not exist, or there is no image at all.
        FileExistsError: If a file to be written exists, unless told otherwise; nothing has been written then.
        ValueError: If two images would write the same file; Parquet files are to be replaced, are of something else, or
            have no log-densities where these are asked for; no machine has so many cores; or the model gives no
            saliency maps, or not the log-density asked for, or does not take images of the size.
        OSError: If `out` cannot be written to, here or by another machine.
    """
    if existing not in EXISTING:
        raise ValueError(f"Unknown existing={existing!r}. Known: {', '.join(EXISTING)}.")
    if parquet and existing == "overwrite":
        raise ValueError("Parquet files are not replaced. Choose another folder, or existing='resume' (--resume).")
    out = Path(out).absolute()
    listed = [images] if isinstance(images, str | Path) else [*images]
    # Without `..`, by which one has many names, and with links as they are called.
    found = [(Path(os.path.abspath(path)), relative) for path, relative in find_images(listed)]  # noqa: PTH100
    planned = plan(found, out, MAPS[: 2 + log_density], "resume" if parquet else existing)
    files.require_writable(out)
    network = load(model).model  # Here, and not on each machine, it is seen what it cannot do.
    size_of(network, size)
    if log_density:
        require_log_density(network)
    before = _rows_in(out, log_density) if parquet else {}
    if before and existing == "error":
        raise FileExistsError(f"{out} has Parquet files already. Choose another folder, or --resume.")
    if parquet:
        kept = {path for path, _ in planned if before.get(str(path)) == ""}
    else:
        kept = {path for path, group in planned if existing == "resume" and is_complete(path, group)}
    errors, done = {}, len(kept)
    missing = [row for row in planned if row[0] not in kept]
    if missing:
        place = Path(model).absolute() if Path(model).exists() else model
        settings = {"log_density": log_density, "size": size, "pixels_per_degree": pixels_per_degree}
        settings["graph"] = len(planned) > FEW
        for row in _computed(connect(address), place, missing, settings, out if parquet else None, cores):
            if row["error"]:
                errors[Path(row["photograph"])] = row["error"]
            done += 1
            progress(done, len(planned))
    if parquet:
        written = [file for file in _tables_in(out) if "" in _errors_in(file).values()]
    else:
        written = [group[0] for path, group in planned if path not in errors]
    return Predicted(written, [errors[path] for path, _ in planned if path in errors])


def _computed(ray, model, missing, settings, parquet, cores):
    """A row for each photograph, as they are done."""
    from ray.data import ActorPoolStrategy, DataContext

    most = max(int(node["Resources"].get("CPU", 0)) for node in ray.nodes() if node["Alive"])
    if cores > most:
        raise ValueError(f"No machine of the cluster has {cores} cores, {most} at most. Choose fewer: --cores {most}.")
    DataContext.get_current().enable_progress_bars = False
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    batch = max(BATCH, math.ceil(len(missing) / MOST))
    rows = [{"photograph": str(path), "files": [*map(str, group)]} for path, group in missing]
    actors = max(1, int(ray.cluster_resources().get("CPU", 1)) // cores)
    batches = math.ceil(len(rows) / batch)
    done = ray.data.from_items(rows, override_num_blocks=batches).map_batches(
        _Predictor,
        fn_constructor_args=(model, settings, parquet, uuid.uuid4().hex, cores),
        batch_size=None,  # a block
        compute=ActorPoolStrategy(min_size=1, max_size=min(actors, batches)),
        num_cpus=cores,
    )
    try:
        yield from done.iter_rows()
    except ray.exceptions.RayError as error:
        raise OSError(str(error).strip().splitlines()[-1]) from error


class _Predictor:
    """An actor with a model of its own."""

    def __init__(self, model, settings, parquet, job, cores):
        hold_to(cores)
        self.model, self.settings, self.parquet, self.job = load(model).model, settings, parquet, job

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

        file = self.parquet / f"{hashlib.sha256(json.dumps([self.job, *names]).encode()).hexdigest()[:20]}.parquet"
        if not file.exists():  # or else another machine has written it, and was lost before it said so
            rows = zip(map(Path, names), groups, strict=True)
            jobs = predict_planned(self.model, rows, **self.settings, write=lambda job: job)
            kinds = [pyarrow.string(), pyarrow.binary(), pyarrow.binary(), pyarrow.string()]
            exact = {EXACT: str(self.settings["log_density"])}
            schema = pyarrow.schema([*zip(COLUMNS, kinds, strict=True)], exact)
            file.parent.mkdir(parents=True, exist_ok=True)
            with files.whole(file) as part, pyarrow.parquet.ParquetWriter(part, schema) as writer:
                for some in _by(jobs, BATCH):
                    writer.write_table(pyarrow.Table.from_pylist([_row(job) for job in some], schema))
        return _errors_in(file)


def _by(items, count):
    """Lists of so many, the last one of what is left."""
    items = iter(items)
    while some := [*itertools.islice(items, count)]:
        yield some


def _row(job):
    png, _, *exact = job.contents or (None, None)
    return dict(zip(COLUMNS, (str(job.path), png, *(exact or [None]), job.error or None), strict=True))


def _tables_in(folder):
    """The Parquet files of a folder, but for what a lost machine was writing."""
    return sorted(file for file in folder.glob("*.parquet") if not file.name.startswith("."))


def _errors_in(file):
    """From the photographs of a Parquet file to what is wrong with them, empty for most."""
    import pyarrow.parquet

    with files.naming(file, "Choose another folder."):
        table = pyarrow.parquet.read_table(file, columns=["photograph", "error"]).to_pydict()
        return {name: said or "" for name, said in zip(table["photograph"], table["error"], strict=True)}


def _rows_in(folder, log_density):
    """The same of all files of a folder; what has a map in one of them has nothing wrong."""
    import pyarrow.parquet

    found: dict[str, str] = {}
    for file in _tables_in(folder):
        for name, said in _errors_in(file).items():
            found[name] = said and found.get(name, said)
        if log_density and (pyarrow.parquet.read_schema(file).metadata or {}).get(EXACT.encode()) != b"True":
            raise ValueError(f"{file} has no log-densities, which are asked for. Choose another folder.")
    return found
