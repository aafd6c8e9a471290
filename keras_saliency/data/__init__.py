"""Eye-tracking data: readers by name, the table of samples, and `tf.data` pipelines."""

import os
from pathlib import Path

from keras_saliency.data import osie, scene, synthetic
from keras_saliency.data.fixations import DataSet, Fixations, Sample, Samples
from keras_saliency.data.pipeline import pipeline

DATA_SETS = {"osie": osie.read, "osie-mouse": osie.read_mouse, "scene": scene.read, "synthetic": synthetic.read}
EMBEDDED = {"synthetic"}
# Data sets that lie in the folder of another.
WITHIN = {"osie-mouse": "osie"}


def load(name, directory=None):
    """Reads a data set.

    Args:
        name: One of `DATA_SETS`.
        directory: Its folder; by default the folder of that name inside the one that the environment variable
            `KERAS_SALIENCY_DATA` names. The embedded `synthetic` needs none.

    Returns:
        A `DataSet`.

    Raises:
        ValueError: If the name is unknown, no folder is given, or a file has the wrong form.
        FileNotFoundError: If the folder or a file in it is missing.
    """
    if name not in DATA_SETS:
        raise ValueError(f"Unknown data set {name!r}. Known data sets: {', '.join(DATA_SETS)}.")
    if name in EMBEDDED:
        return DATA_SETS[name]()
    if directory is None and "KERAS_SALIENCY_DATA" in os.environ:
        directory = Path(os.environ["KERAS_SALIENCY_DATA"]) / WITHIN.get(name, name)
    if directory is None:
        raise ValueError(
            f"The data set {name!r} needs its folder: pass --data {name}=DIR (directory= in Python), or set "
            f"KERAS_SALIENCY_DATA to a folder that holds {name}/."
        )
    directory = Path(directory).expanduser()
    if not directory.is_dir():
        raise FileNotFoundError(f"The folder {directory} of the data set {name!r} does not exist.")
    return DATA_SETS[name](directory)


__all__ = ["DATA_SETS", "DataSet", "Fixations", "Sample", "Samples", "load", "pipeline"]
