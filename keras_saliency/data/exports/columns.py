"""Exports that are one table, known by the names of its columns."""

import functools
import io
import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from keras_saliency.data.exports.layouts import LAYOUTS, Layout, Names
from keras_saliency.data.exports.text import Asked, Phase, columns_of, require_columns, without_lost

if TYPE_CHECKING:
    import pandas as pd

HEAD = 200  # lines before the table, at most
RESOLUTION = re.compile(r"(?:Screen|Recording) resolution:\s*(\d+) x (\d+)")
UNITS = re.compile(r" ?[\[(]([^\[(]*)[\])]$")  # behind the name of a column
NUMBERS = ("x", "y", "time", "duration", "number")
PER_SECOND = {"s": 1.0, "ms": 1e3, "\u03bcs": 1e6, "\u00b5s": 1e6, "us": 1e6, "ns": 1e9}  # two signs look alike


def header_of(text: str, names: Names) -> tuple[int, str] | None:
    """The number of the line that has all these columns, and what separates them."""
    for number, line in enumerate(_head(text)):
        for separator in "\t;,":
            cells = {cell.strip().strip('"') for cell in line.split(separator)}
            if set(names) <= cells | {_plain(cell) for cell in cells}:
                return number, separator
    return None


def _head(text):
    """The first lines; the rest of a large file is not copied for each software that might have written it."""
    start = 0
    for _ in range(HEAD):
        end = text.find("\n", start)
        yield text[start : end if end >= 0 else None]
        if end < 0:
            return
        start = end + 1


def _read(layout, text, asked):
    """The fixations of a file of a layout; see `read_export`."""
    import pandas as pd

    line, separator = header_of(text, layout.known_by)
    *head, body = text.split("\n", line)
    rows = pd.read_csv(
        io.StringIO(body), sep=separator, dtype=str, index_col=False, keep_default_na=False, skipinitialspace=True
    )
    rows.columns = [name.strip() for name in rows.columns]
    trials, inside = asked.trials, in_phase(rows, asked.phase)
    require_columns([trials] if trials else [], list(rows.columns))
    left_out = {}
    if layout.only and layout.only[0] in rows:
        kept = _is(rows, layout.only)
        if not layout.number:
            left_out["with another {} than {}".format(*layout.only)] = int((~kept).sum())
        rows = rows[kept]
    called = {name: _first(rows, getattr(layout, name)) for name in ("image", "observer", *NUMBERS)}
    called["image"] = trials or called["image"]
    numbers = {name: _numbers(rows[called[name]]) for name in NUMBERS if called[name]}
    texts = {name: rows[called[name]] for name in ("image", "observer") if called[name]}
    table = pd.DataFrame({"image": "", **texts, **numbers, "inside": inside}, index=rows.index)
    if layout.valid:
        table.loc[~_is(rows, layout.valid), ["x", "y", "duration"]] = float("nan")
    if "number" in table:
        table = _of_samples(table)
    left_out["outside the phase"] = int((~table["inside"]).sum())
    table = table[table["inside"]].drop(columns="inside")
    table["image"] = table["image"].mask(table["image"].str.strip() == "")
    for axis in "xy":
        table[axis] = table[axis].mask(table[axis] == layout.lost) / layout.scale
    for name, parts in zip(("time", "duration"), layout.per_second, strict=True):
        if name in table:
            table[name] /= PER_SECOND.get(_units(called[name]), parts)
    of = _units(called["x"])
    attrs = {
        "frame": "image" if "MCS" in of else layout.frame,
        "units": "shares" if "norm" in of else layout.units,
        "screen": _screen(layout, rows, "\n".join(head)),
    }
    return without_lost(table, attrs, left_out)


def in_phase(rows: "pd.DataFrame", phase: Phase) -> "pd.Series":
    """Whether the cells of a row are as a phase, `{column: value}`, says.

    Raises:
        ValueError: If it is no such mapping, or names a column that is not there.
    """
    import pandas as pd

    values = columns_of(phase)
    require_columns(values, list(rows.columns))
    inside = pd.Series(True, index=rows.index)
    for condition in values.items():
        inside &= _is(rows, condition)
    return inside


def _is(rows, condition):
    column, value = condition
    return rows[column].str.strip().str.lower() == str(value).lower()


def _plain(column):
    return UNITS.sub("", column)


def _units(column):
    found = UNITS.search(column)
    return found[1] if found else ""


def _first(rows, names):
    """The column of the first name that is there; of several, that of the picture (MCS), and none in millimetres."""
    for name in names:
        found = [column for column in rows if name in (column, _plain(column)) and "mm" not in _units(column)]
        if found:
            return min(found, key=lambda column: "MCS" not in _units(column))
    return None


def _screen(layout, rows, head):
    """Width and height, if the head or the columns tell them."""
    columns = [_first(rows, (name,)) for name in layout.screen]
    told = RESOLUTION.search(head)
    size = told.groups() if told else [rows[column].iloc[0] for column in columns if column and len(rows)]
    return tuple(map(int, size)) if len(size) == 2 and all(map(str.isdigit, size)) else None


def _numbers(cells):
    """The numbers in cells, of which some have a decimal comma; NaN where there is none."""
    import pandas as pd

    return pd.to_numeric(cells.str.strip().str.replace(",", ".", regex=False), errors="coerce")


def _of_samples(table):
    """One row for each fixation: picture and onset of its first sample, coordinates of the last that has some.

    Its samples lie side by side and have one number, which may begin anew; coordinates and duration may be those of a
    fixation that is still going on.
    """
    table = table[table["number"].notna()]
    keys = table[["number", *({"observer"} & set(table))]]
    fixation = (keys != keys.shift()).any(axis=1).cumsum()
    how = {name: "last" if name in ("x", "y", "duration") else "first" for name in table.columns.drop("number")}
    return table.groupby(fixation).agg(how).reset_index(drop=True)


def _row(layout: Layout) -> tuple[Callable[[str], bool], Callable[[str, Asked], "pd.DataFrame"]]:
    return lambda text: header_of(text, layout.known_by) is not None, functools.partial(_read, layout)


EXPORTS = {name: _row(layout) for name, layout in LAYOUTS.items()}
