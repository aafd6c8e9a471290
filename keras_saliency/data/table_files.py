"""Columns of a table in a file: CSV, TSV or Parquet, however a laboratory writes them."""

import csv
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from keras_saliency.data.refusals import WrappedError

if TYPE_CHECKING:
    import pandas as pd

KINDS = (".csv", ".tsv", ".parquet")
SEPARATORS = "\t;,"
COMMA = r"\s*[+-]?\d+,\d+\s*"  # a number with a decimal comma


def read_columns(
    path: Path, columns: Mapping[str, str], numbers: Collection[str], remedy: str = "Get it again from its source."
) -> "pd.DataFrame":
    """Columns of a table, numbers as numbers; an empty cell among them is NaN.

    Separators are tabs, semicolons or commas, whichever the first line has most of; a decimal comma is understood.

    Args:
        path: A CSV or TSV file in UTF-8, or a Parquet file.
        columns: What the columns are called in the file, by what they are to be called.
        numbers: Which of them, as they are to be called, are numbers; others are texts.
        remedy: What errors say where a column is missing; `{!r}` stands for what it is to be called.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file cannot be read, or lacks a column; if a cell is no number: names row and column.
    """
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing. Give the folder that holds the complete data set.")
    there = header_of(path)
    missing = next((name for name, called in columns.items() if called not in there), None)
    if missing is not None:
        raise ValueError(
            f"{path} has no column {columns[missing]!r}; it has {', '.join(there)}. {remedy.format(missing)}"
        )
    present = {called: name for name, called in columns.items()}
    if path.suffix.lower() == ".parquet":
        table = _read_parquet(path, list(present))
    else:
        table = _read_text(path, there, present, numbers)
    table = table.rename(columns=present)[list(columns)]
    for name in (name for name in numbers if name in table):
        table[name] = _numbers(path, table[name], columns[name])
    if not len(table):
        raise ValueError(f"{path} has no rows. Expected one for each fixation.")
    return table


def header_of(path: Path) -> list[str]:
    """The names of the columns of a table.

    Raises:
        ValueError: If the file cannot be read.
    """
    if path.suffix.lower() == ".parquet":
        try:
            import pyarrow.parquet
        except ImportError as error:
            raise ValueError(f"{path} needs PyArrow to be read. Install pyarrow, or save it as CSV.") from error
        try:
            return pyarrow.parquet.read_schema(path).names
        except Exception as error:
            raise ValueError(f"{path} is no Parquet file ({' '.join(str(error).split())[:160]}).") from error
    options = {
        "sep": _separator(path),
        "nrows": 0,
        "encoding": "utf-8-sig",
        "index_col": False,
        "skipinitialspace": True,
    }
    return [str(name) for name in _pandas(path, "read_csv", **options).columns]


def _read_text(path, there, present, numbers):
    import pandas as pd

    numbers = [column for column, name in present.items() if name in numbers]
    options: dict[str, Any] = {
        "sep": _separator(path),
        "usecols": list(present),
        "dtype": {column: str for column in present if column not in numbers},
        "encoding": "utf-8-sig",
        "index_col": False,
        "skipinitialspace": True,
        "keep_default_na": False,
        "na_values": {column: ["", "NA", "NaN", "nan", "."] for column in numbers},
    }
    _require_columns(path, options["sep"], len(there))
    table = _pandas(path, "read_csv", **options)
    texts_among = [column for column in numbers if not pd.api.types.is_numeric_dtype(table[column])]
    commas = any(table[column].astype(str).str.fullmatch(COMMA).any() for column in texts_among)
    return _pandas(path, "read_csv", **options, decimal=",") if commas else table


def _require_columns(path, separator, count):
    """Pandas would leave out, without a word, the cells that are beyond the last column."""
    with path.open(newline="", encoding="utf-8-sig") as lines:
        rows = csv.reader(lines, delimiter=separator, skipinitialspace=True)
        try:
            row = next((i for i, cells in enumerate(rows, 1) if len(cells) > count and any(cells[count:])), None)
        except (csv.Error, UnicodeDecodeError) as error:
            raise ValueError(f"{path} cannot be read as a table in UTF-8 ({error}).") from error
    if row is not None:
        raise ValueError(
            f"{path}, row {row}: there are more cells than columns. Where numbers have a decimal comma, separate "
            "columns by semicolons or tabs."
        )


def _pandas(path, reader, **options):
    import pandas as pd

    try:
        return getattr(pd, reader)(path, **options)
    except ImportError as error:
        raise ValueError(f"{path} needs PyArrow to be read. Install pyarrow, or save the table as CSV.") from error
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is not in UTF-8 ({error.reason}). Save it again in that encoding.") from error
    except Exception as error:  # The readers raise whatever broken bytes lead them to.
        raise ValueError(f"{path} cannot be read as a table ({' '.join(str(error).split())[:160]}).") from error


def _read_parquet(path, columns):
    import pyarrow as pa

    is_text = (pa.types.is_string, pa.types.is_large_string)
    texts = [field.name for field in pa.parquet.read_schema(path) if any(test(field.type) for test in is_text)]
    # A text is then in memory once, and not in each of its rows.
    table = _pandas(path, "read_parquet", columns=columns, engine="pyarrow", read_dictionary=texts)
    pa.default_memory_pool().release_unused()  # as much again as the table, kept for the next
    return table


def _separator(path):
    try:
        with path.open(encoding="utf-8-sig") as lines:
            line = lines.readline(1 << 16)
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is not in UTF-8 ({error.reason}). Save it again in that encoding.") from error
    return max(SEPARATORS, key=line.count)


def _numbers(path, column, called):
    import pandas as pd

    numbers = pd.to_numeric(column, errors="coerce").astype("float64")
    wrong = numbers.isna() & column.notna()
    if wrong.any():
        row = int(wrong.to_numpy().argmax())
        raise ValueError(
            f"{path}, row {row + 2}, column {called!r}: {str(column.iloc[row])[:40]!r} is no number. Correct the cell, "
            "or leave it empty where nothing is known."
        )
    wrapped = (numbers >= 2**31 - 1) & (numbers < 2**32)
    if wrapped.any():
        row = int(wrapped.to_numpy().argmax())
        found = int(numbers.iloc[row])
        what = f"looks like {found - 2**32} that was stored without its sign. Subtract 2**32 from such cells, or leave"
        if found == 2**31 - 1:
            what = "is the largest whole number of 32 bits, which stands for what is not known in such cells. Leave"
        rows = wrapped.to_numpy().nonzero()[0]
        cells = [f"row {i + 2}, column {called}: {int(numbers.iloc[i])}" for i in rows[:5]]
        said = f"{path}, row {row + 2}, column {called!r}: {found} {what} them empty."
        raise WrappedError(said, cells, len(rows), len(numbers))
    return numbers
