"""A folder of images beside a table of fixations, a row each: CSV, TSV or Parquet."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from keras_saliency.data.data_set import DataSet
from keras_saliency.data.placing import Geometry
from keras_saliency.data.recordings import COLUMNS, NEEDED, NUMBERS, make_data
from keras_saliency.data.table_files import KINDS, header_of, read_columns

if TYPE_CHECKING:
    import pandas as pd

PER_SECOND = {"s": 1.0, "ms": 1000.0}


def read(
    directory: Path,
    columns: Mapping[str, str] | None = None,
    units: str = "pixels",
    origin: str = "top",
    pixels_per_degree: float | None = None,
    screen: tuple[int, int] | None = None,
    stimulus: str | tuple[float, float, float, float] | None = None,
    times: str = "s",
    file: str | None = None,
) -> DataSet:
    """Reads one's own recordings: images, anywhere in the folder, and one table beside them.

    A row of the table is a fixation. Columns are `image` (the name of the file, with folder and suffix or without), `x`
    and `y`; and as far as there are: `observer`, `time` (the onset) or `order`, `duration`, and `split` (train,
    validation, test). Without splits, images are assigned by the hash of their name, 15 % to test and 15 % to
    validation. Without observers, all fixations count as one observer's, and there is no gold standard.

    The blur of the ground truth is one degree, or where that is not known 3.5 % of the longer side of the image.

    Args:
        directory: The folder.
        columns: What columns are called where it is otherwise, such as `{"image": "stimulus", "x": "gaze_x"}`.
        units: Of x and y: `"pixels"`, `"shares"` of width and height, or `"degrees"`, of the image; where a `stimulus`
            is given, of the screen.
        origin: Whether y counts from the `"top"` or from the `"bottom"`.
        pixels_per_degree: The pixels of one degree of visual angle, None where unknown.
        screen: `(width, height)` of the screen that coordinates are of.
        stimulus: Where the image was on it: `"centred"` at its own size, `"fitted"` as large as its shape allows,
            `"stretched"` over all of it, or a rectangle `(left, top, width, height)` in pixels of the screen.
        times: Of time and duration: `"s"` or `"ms"`.
        file: The name of the table, where there are several.

    Raises:
        FileNotFoundError: If there is no table, or an image is missing.
        ValueError: If there are several tables, a column is missing, a cell is no number, or an argument is unknown; as
            `recordings.make_data`.
    """
    if times not in PER_SECOND:
        raise ValueError(f"Unknown times {times!r}. Known times: {', '.join(PER_SECOND)}.")
    path = find_table(directory, file)
    table = read_table(path, columns or {})
    for column in {"time", "duration"} & set(table):
        table[column] = table[column] / PER_SECOND[times]
    geometry = Geometry(units, origin, pixels_per_degree, screen, stimulus)
    return make_data("table", table, path.name, directory, geometry, count_others=True)


def find_table(directory: Path, file: str | None = None) -> Path:
    """The table of a folder.

    Raises:
        FileNotFoundError: If there is none, or none of that name.
        ValueError: If there are several and none is named.
    """
    if file is not None:
        if not (directory / file).is_file():
            raise FileNotFoundError(f"{directory / file} is missing. Name the table of the folder.")
        return directory / file
    found = [path for path in sorted(directory.iterdir()) if path.suffix.lower() in KINDS and path.is_file()]
    if not found:
        raise FileNotFoundError(f"{directory} has no table. Expected a file of {', '.join(KINDS)} with fixations.")
    if len(found) > 1:
        names = ", ".join(path.name for path in found)
        raise ValueError(f"{directory} has {len(found)} tables: {names}. Name one: file={found[0].name!r}.")
    return found[0]


def read_table(path: Path, columns: Mapping[str, str]) -> "pd.DataFrame":
    """The columns of `recordings.COLUMNS` that a table has, numbers as numbers.

    Args:
        path: A CSV or TSV file in UTF-8, or a Parquet file.
        columns: As in `read`.

    Raises:
        ValueError: As `read_columns`.
    """
    unknown = [name for name in columns if name not in COLUMNS]
    if unknown:
        raise ValueError(f"Unknown column {unknown[0]!r} of a table. Known columns: {', '.join(COLUMNS)}.")
    called = {name: columns.get(name, name) for name in COLUMNS}
    there = header_of(path)
    wanted = [name for name in COLUMNS if name in NEEDED or name in columns or called[name] in there]
    return read_columns(
        path, {name: called[name] for name in wanted}, NUMBERS, "Say which it is: columns={{{!r}: ...}}."
    )
