"""Shards: a data set in a few large files that pipelines read fast, with a manifest and checksums.

A folder of them holds

- `00000.tfrecord ...`: a `tf.train.Example` for each image, complete in itself: `image` (the bytes of its file),
  `pixels` (what a pipeline of one size makes of it, float32, the lowest byte first, `(height, width, 3)`; may be left
  out), `name`, `split`, `height`, `width`, `sigma`, and of its fixations `x`, `y`, `observer`, `time`, `duration`;
- `maps/`: the files of ground truth, where a data set brings them;
- `samples.npz`: the table of samples as `stored` has it, exact to the bit, where numbers of an `Example` are float32,
  and where in a shard the bytes of an image lie;
- `manifest.json`: format, what is known of the data set, counts, and size and SHA-256 of every other file.
"""

import hashlib
import json
from pathlib import Path

import numpy as np

from keras_saliency.data.data_set import DataSet
from keras_saliency.data.stored import from_arrays

FORMAT = 1
MANIFEST, TABLE, MAPS = "manifest.json", "samples.npz", "maps"
REMEDY = "Write them again: keras-saliency data convert NAME=DIR OUT"


def read(directory: Path, verify: bool = False) -> DataSet:
    """Opens shards, without reading the images.

    Args:
        directory: Their folder.
        verify: Whether all files are read and their checksums compared; sizes always are.

    Raises:
        FileNotFoundError: If there is no manifest, or a file is missing.
        ValueError: If the manifest is of another format, or a file is of another size or checksum: names it.
    """
    path = directory / MANIFEST
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing: these are no shards, or not all of them. {REMEDY}.")
    try:
        manifest = json.loads(path.read_text())
        files = {directory / name: (said["bytes"], said["sha256"]) for name, said in manifest["files"].items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{path} is no manifest of shards ({type(error).__name__}: {error}). {REMEDY}.") from error
    if manifest.get("format") != FORMAT:
        raise ValueError(f"{path} is of format {manifest.get('format')}, and this package reads {FORMAT}. {REMEDY}.")
    for file, (size, digest) in files.items():
        if not file.is_file():
            raise FileNotFoundError(f"{file} of {path} is missing. {REMEDY}.")
        if file.stat().st_size != size:
            raise ValueError(f"{file} has {file.stat().st_size:,} bytes, and {path} says {size:,}. {REMEDY}.")
        if verify and digest_of(file) != digest:
            raise ValueError(f"{file} has another checksum than {path} says: it was changed or damaged. {REMEDY}.")
    try:
        with np.load(directory / TABLE, allow_pickle=False) as arrays:
            return from_arrays(dict(arrays), directory)
    except Exception as error:  # The reader of arrays raises whatever damaged bytes lead it to.
        raise ValueError(f"{directory / TABLE} cannot be read ({type(error).__name__}: {error}). {REMEDY}.") from error


def digest_of(path: Path) -> str:
    """The SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
