"""Eye-tracking data: readers by name, the table of samples, and `tf.data` pipelines."""

import dataclasses
import functools
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from keras_saliency.data import doctor, folder, pysaliency, rows, shards, synthetic, synthetic_video, table, tracker
from keras_saliency.data.clips import clips
from keras_saliency.data.converting import convert
from keras_saliency.data.data_set import DataSet
from keras_saliency.data.doctor.finding import Finding
from keras_saliency.data.facts import FACTS, WITHIN, Facts
from keras_saliency.data.fetching import fetch
from keras_saliency.data.fixations import Fixations
from keras_saliency.data.flow import optical_flow, with_flow
from keras_saliency.data.mixtures import k_fold, leave_one_out, mix
from keras_saliency.data.pipeline import pipeline
from keras_saliency.data.published import PUBLISHED, SUBMITTED
from keras_saliency.data.samples import Sample, Samples
from keras_saliency.data.settings import with_settings

Place: TypeAlias = str | Path | DataSet | None  # the folder of a data set, itself, or None for where it is looked for

# People's own; what there is to be said of them may stand in a file beside them.
OWN = {"table": table, "folder": folder, "tracker": tracker, "rows": rows, "pysaliency": pysaliency, "shards": shards}
DATA_SETS: dict[str, Callable[..., DataSet]] = {
    **{name: with_settings(name, read) for name, read in PUBLISHED.items()},
    "synthetic": synthetic.read,
    "synthetic-video": synthetic_video.read,
    **{name: with_settings(name, own.read) for name, own in OWN.items()},
}
EMBEDDED = {"synthetic", "synthetic-video"}


def load(name: str, directory: str | Path | None = None, **options: Any) -> DataSet:
    """Reads a data set.

    Args:
        name: One of `DATA_SETS`.
        directory: Its folder; by default the folder of that name inside the one that the environment variable
            `KERAS_SALIENCY_DATA` names. What is embedded, `synthetic` and `synthetic-video`, needs none.
        **options: What the reader takes besides, such as `columns=` of a `table`; they may also stand in a file of the
            folder, `table.json`.

    Raises:
        ValueError: If the name is unknown, the fixations are withheld, no folder is given, or a file has a wrong form.
        FileNotFoundError: If the folder or a file in it is missing.
    """
    place = folder_of(name, directory)
    if place is None:
        return DATA_SETS[name](**options)
    data = DATA_SETS[name](place, **options)
    return data if data.facts or name not in FACTS else dataclasses.replace(data, facts=FACTS[name])


def folder_of(name: str, directory: str | Path | None = None) -> Path | None:
    """The folder of a data set, as `load` finds it; None for what is embedded.

    Raises:
        ValueError: If the name is unknown, the fixations are withheld, or no folder is given.
        FileNotFoundError: If the folder is missing.
    """
    if name in SUBMITTED and name not in DATA_SETS:
        raise ValueError(
            f"The fixations of {name!r} are withheld: nothing can be trained or scored on them. Write a submission for "
            "its images with keras-saliency submit."
        )
    if name not in DATA_SETS:
        raise ValueError(f"Unknown data set {name!r}. Known data sets: {', '.join(DATA_SETS)}.")
    if name in EMBEDDED:
        return None
    if directory is None and "KERAS_SALIENCY_DATA" in os.environ:
        directory = Path(os.environ["KERAS_SALIENCY_DATA"]) / WITHIN.get(name, name)
    if directory is None:
        raise ValueError(
            f"The data set {name!r} needs its folder: give {{'{name}': DIR}} in Python, --data {name}=DIR to the "
            f"command, or set KERAS_SALIENCY_DATA to a folder that holds {name}/."
        )
    directory = Path(directory).expanduser()
    if not directory.is_dir():
        raise FileNotFoundError(f"The folder {directory} of the data set {name!r} does not exist.")
    return directory


def open_data(data: DataSet | str | Mapping[str, Place], tell: Callable[[str], Any] = lambda text: None) -> DataSet:
    """The data set that a person means.

    Args:
        data: A `DataSet`; the name of one; or a dictionary from one name to its folder or to a `DataSet`.
        tell: Called with a line of text before a data set is read, which takes seconds.

    Raises:
        ValueError: If a dictionary has not one name; else as `load`.
        FileNotFoundError: As `load`.
    """
    if isinstance(data, DataSet):
        return data
    folders = {data: None} if isinstance(data, str) else dict(data)
    if len(folders) != 1:
        raise ValueError(f"Expected one data set, such as {{'osie': 'data/osie'}}. Received: {folders}.")
    ((name, folder),) = folders.items()
    if isinstance(folder, DataSet):
        return folder
    tell(f"reading {name}")
    return load(name, folder)


def examine(data: DataSet | str, directory: str | Path | None = None, **options: Any) -> doctor.Diagnosis:
    """What `check` finds, and what it has looked at."""
    if isinstance(data, DataSet):
        return doctor.examine(data.name, lambda: data)
    place = folder_of(data, directory)
    return doctor.examine(data, functools.partial(load, data, place, **options), place, options)


def check(data: DataSet | str, directory: str | Path | None = None, **options: Any) -> list[Finding]:
    """Finds what is wrong with a data set: the faults of `doctor.FAULTS`.

    What the reader refuses is a finding, too. A set without findings may still be wrong: the doctor sees what stands
    out in numbers and files, and not whether people looked there.

    Args:
        data: A `DataSet`, or the name of one. Of a `DataSet` no files but its images are looked at.
        directory: As in `load`.
        **options: As in `load`.

    Returns:
        The findings, none for a clean set.

    Raises:
        ValueError: If the name is unknown, or no folder is given.
        FileNotFoundError: If the folder is missing.
    """
    return examine(data, directory, **options).findings


__all__ = [
    "DATA_SETS",
    "FACTS",
    "DataSet",
    "Facts",
    "Finding",
    "Fixations",
    "Place",
    "Sample",
    "Samples",
    "check",
    "clips",
    "convert",
    "examine",
    "fetch",
    "k_fold",
    "leave_one_out",
    "load",
    "mix",
    "open_data",
    "optical_flow",
    "pipeline",
    "with_flow",
]
