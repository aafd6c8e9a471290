"""DAEMONS: 2,400 photographs of 1920x1080, 250 observers, free viewing (University of Potsdam)."""

from pathlib import Path

from keras_saliency.data.data_set import DataSet
from keras_saliency.data.names import files_below
from keras_saliency.data.placing import Geometry
from keras_saliency.data.published.gathering import official_splits
from keras_saliency.data.recordings import make_data
from keras_saliency.data.table_files import read_columns

PIXELS_PER_DEGREE = 60.0  # 1920 pixels are 32 degrees
GEOMETRY = Geometry(units="degrees", origin="bottom", pixels_per_degree=PIXELS_PER_DEGREE)
FILES = {"SAC_train.csv": "train", "SAC_val.csv": "validation"}
COLUMNS = {
    "image": "Img",
    "observer": "VP",
    "x": "x",
    "y": "y",
    "time": "End",
    "duration": "fixdur",
    "blink": "blinkFix",
    "forced": "forced_fix",
}
TRUE = ("true", "1", "1.0")


def read(directory: Path, forced: bool = False, blinks: bool = False) -> DataSet:
    """Reads the images, `SAC_train.csv` and `SAC_val.csv`, each anywhere in the folder.

    Coordinates are floats, degrees from the bottom left of the screen, which the image filled; they are taken as they
    are. A row is a saccade and the fixation that it leads to, whose onset is the end of the saccade, or zero where none
    came before; rows without a place, where the recording ended in a saccade, are left out and counted. A degree is 60
    pixels, and so is the ground-truth blur.

    Observers saw the pixels as the files store them; some carry EXIF data that would turn them, which are ignored.

    Train is train. The official validation images are halved into validation and test by the hash of their names, since
    the fixations of the test images are withheld.

    Args:
        directory: The folder.
        forced: Whether fixations count during which observers had to look at a marker on the image, one or more at the
            beginning of a trial.
        blinks: Whether fixations count in which the observer blinked.

    Raises:
        FileNotFoundError: If files are missing.
        ValueError: If a file has another form: names it.
    """
    import pandas as pd

    there = {path.name: directory / path for path in files_below(directory) if path.name in FILES}
    tables = [
        read_columns(there.get(name, directory / name), COLUMNS, ("x", "y", "time", "duration")).assign(part=part)
        for name, part in FILES.items()
    ]
    table = pd.concat(tables, ignore_index=True)
    flags = table[["forced", "blink"]].apply(lambda column: column.str.lower().isin(TRUE))
    reasons = {
        "without a place": table[["x", "y"]].isna().any(axis=1),
        "while a marker was to be looked at": flags["forced"] & (not forced),
        "with a blink": flags["blink"] & (not blinks),
    }
    kept, lines = pd.Series(True, table.index), []
    for reason, rows in reasons.items():
        lines += [f"{rows[kept].sum()} fixations {reason}"] * bool(rows[kept].any())
        kept &= ~rows
    table = table[kept].reset_index(drop=True)
    table["time"] = table["time"].fillna(0)
    table[["time", "duration"]] /= 1000
    splits, notes = official_splits(dict(zip(table["image"], table["part"], strict=True)))
    table["split"] = table["image"].map(splits)
    where = " and ".join(FILES)
    return make_data("daemons", table, where, directory, GEOMETRY, as_stored=True).noting(*notes, *lines)
