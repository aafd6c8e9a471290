"""NUSEF, its public part: 444 pictures, about 25 observers each, 5 s of free viewing (Ramanathan et al., ECCV 2010)."""

from pathlib import Path

import numpy as np

from keras_saliency.data.data_set import DataSet
from keras_saliency.data.placing import Geometry
from keras_saliency.data.published.gathering import pictures_in
from keras_saliency.data.published.making import make_published, unpictured

FRAME = 260, 280  # what the eye tracker made of the screen, (width, height)
GEOMETRY = Geometry(units="shares", screen=(1024, 768), stimulus="fitted")
SLIPS = {"3005.1": "3005_0"}  # picture -> what its folder is called by mistake
COLUMNS = 15
START, DURATION, ACROSS, DOWN = 4, 5, 8, 9  # which of them
BEGIN, END = "COLS=", "[Fix Segment Summary"  # the line of the names of columns, and what follows the last row


def read(directory: Path) -> DataSet:
    """Reads `stimuli/NAME.jpg` and `fix_data/NAME/*.fix` of `NUSEF_database/`.

    Coordinates are floats in a frame of 260x280 of the eye tracker, which stands for a screen of 1024x768, on which a
    picture was shown as large as its shape allows, and centred; they are taken as they are. Each file is one
    observer's; who looked is not told alike for all pictures. Times are those of the clock, counted from the first
    fixation; durations are taken as seconds. The visual angle is not documented: the ground-truth blur is 3.5 % of the
    longer side. Splits are by the hash of the names of images. What was seen of pictures that are not in `stimuli/` is
    left out and counted: many are of a collection that may not be passed on.

    Raises:
        FileNotFoundError: If files are missing.
        ValueError: If a file has another form: names it.
    """
    root = directory / "NUSEF_database"
    images, folders = root / "stimuli", root / "fix_data"
    pictures = {Path(name).stem: name for name in pictures_in(images)}
    seen = {path.name for path in folders.glob("[!.]*")}
    places = {stem: stem if stem in seen else SLIPS.get(stem, stem) for stem in pictures}
    files = {stem: sorted((folders / place).glob("[!.]*.fix")) for stem, place in places.items()}
    if not any(files.values()):
        raise FileNotFoundError(f"{folders} has no NAME/*.fix. Give the folder that holds NUSEF_database/.")
    recordings = (
        (pictures[stem], i, rows)
        for stem, paths in files.items()
        for i, rows in enumerate(map(_rows, paths) if paths else [np.empty((0, 4))])
    )
    data = make_published("nusef", recordings, str(folders), images, GEOMETRY, columns=("x", "y", "time", "duration"))
    return data.noting(*unpictured(seen, places.values(), folders.name))


def _rows(path):
    """The shares of the screen, the onset and the duration of each fixation of a file."""
    _, begins, text = path.read_text("latin-1").partition(BEGIN)
    lines = text.partition(END)[0].splitlines()[1:]
    cells = [line.split() for line in lines if line.strip()]
    try:
        if not begins or any(len(row) != COLUMNS for row in cells):
            raise ValueError("another number of columns")
        rows = np.array([[float(row[i]) for i in (ACROSS, DOWN, DURATION)] for row in cells]).reshape(-1, 3)
        starts = np.array([[float(part) for part in row[START].split(":")] for row in cells]).reshape(-1, 3)
    except ValueError as error:
        raise ValueError(
            f"{path} has not the expected form: a line {BEGIN}, and after it a row of {COLUMNS} columns for each "
            f"fixation ({error}). Get it again from its source."
        ) from error
    clock = starts @ [3600, 60, 1]
    return np.stack([rows[:, 0] / FRAME[0], rows[:, 1] / FRAME[1], clock - clock[:1], rows[:, 2]], 1)
