"""What the benchmarks take whose fixations are withheld: predictions for the images of their tests."""

from collections.abc import Mapping
from pathlib import Path

import cv2
import h5py
import keras
import numpy as np

from keras_saliency.data.published import SUBMITTED
from keras_saliency.evaluation.map_files import LOG_TOLERANCE
from keras_saliency.evaluation.pysaliency import export_predictions
from keras_saliency.evaluation.sources import HDF5, Source, open_source
from keras_saliency.formulas.array_map import log_sum
from keras_saliency.serving.load import Run
from keras_saliency.writing.files import whole
from keras_saliency.writing.progress import Progress, make_console


def submit(
    source: Source | keras.Model | Run | str | Path,
    data: Mapping[str, str | Path | None],
    out: str | Path,
    verbose: bool = True,
) -> Path:
    """Writes predictions for a test whose fixations are withheld, as saliency.tuebingen.ai takes them.

    Args:
        source: What predicts, as in `keras_saliency.evaluate`: a run, a model, a folder of maps, an HDF5 file.
        data: The data set and its folder: `{"mit300": DIR}` or `{"cat2000": DIR}`.
        out: A new file `.hdf5`, which gets log-densities, one dataset for each image; or a new folder, which gets maps
            as 8-bit PNG files, as the MIT saliency benchmark took them: the density by its peak.
        verbose: Whether to print what is done.

    Returns:
        What was written. It is read again and checked: number, names, sizes, and whether densities sum to one.

    Raises:
        ValueError: If the data set is unknown, the source does not predict log-densities and a file of them is asked
            for, or what was written is not what was to be written.
        FileNotFoundError: If images or predictions are missing.
        FileExistsError: If `out` exists.
    """
    console, out = make_console(verbose), Path(out)
    if len(data) != 1 or not {*data} <= {*SUBMITTED}:
        raise ValueError(f"Expected {' or '.join(SUBMITTED)} with its folder. Received: {', '.join(data) or 'none'}.")
    if out.exists():
        raise FileExistsError(f"{out} exists already. Choose another --out.")
    ((name, directory),) = data.items()
    if directory is None:
        raise ValueError(f"{name} needs its folder: {name}=DIR.")
    console.print(f"reading the images of {name}")
    samples = SUBMITTED[name](Path(directory))
    opened = open_source(source)
    with Progress(console) as bars:
        predictions = bars.track(opened.predictions(samples), total=len(samples), description="images")
        if out.suffix.lower() in HDF5:
            export_predictions(map(_as_log_density, samples, predictions), samples, out)
            try:
                _check(out, samples)
            except ValueError:
                out.unlink()
                raise
        else:
            _write_maps(out, samples, predictions)
    return out


def _as_log_density(sample, prediction):
    if not prediction.is_log_density:
        raise ValueError(
            f"The map of {sample.name} is no log-density. A model with the head 'log-density' gives one; maps are "
            "submitted as a folder: --out FOLDER."
        )
    return prediction


def _write_maps(out, samples, predictions):
    with whole(out) as part:
        for sample, prediction in zip(samples, predictions, strict=True):
            part_of_it = (part / sample.name).with_suffix(".png")
            part_of_it.parent.mkdir(parents=True, exist_ok=True)
            part_of_it.write_bytes(cv2.imencode(".png", _eight_bit(prediction))[1].tobytes())


def _eight_bit(prediction):
    values = prediction.values
    values = np.exp(values - values.max()) if prediction.is_log_density else values / max(values.max(), 1e-300)
    return np.round(255 * values).astype("uint8")


def _check(file, samples):
    """Reads a written file again, as who scores it will."""
    with h5py.File(file, "r") as stored:
        names: list[str] = []
        stored.visititems(lambda name, item: names.append(name) if isinstance(item, h5py.Dataset) else None)
        if sorted(names) != sorted(sample.name for sample in samples):
            raise ValueError(f"{file} has {len(names)} maps, and there are {len(samples)} images. Write it again.")
        for sample in samples:
            values = stored[sample.name][()]
            if values.shape != tuple(sample.size) or not abs(log_sum(values.astype("float64"))) < LOG_TOLERANCE:
                raise ValueError(f"{file}: the map of {sample.name} is no log-density of its image. Write it again.")
