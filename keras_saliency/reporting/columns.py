"""Tables on a terminal: as many columns as there is room for."""

from collections.abc import Container, Sequence

import rich.console
import rich.table


def print_columns(
    rows: Sequence[dict[str, str]],
    console: rich.console.Console,
    needed: Sequence[str],
    numbers: Container[str] = (),
) -> None:
    """Prints a table of texts; what a narrow terminal leaves out is named below it.

    Args:
        rows: From the heading of a column to its cell, in the order of the columns; all rows have all columns. A column
            that is empty in all rows is not shown.
        console: Where to print.
        needed: The columns, the most needed first.
        numbers: Those to be set to the right.
    """
    filled = {column for row in rows for column, cell in row.items() if cell}
    chosen: list[str] = []
    for column in needed:
        if column in filled and _width(rows, [*chosen, column]) <= console.width:
            chosen.append(column)
    columns = [column for column in rows[0] if column in chosen]
    left_out = [column for column in rows[0] if column in filled.difference(chosen)]
    table = rich.table.Table(box=None, padding=(0, 2, 0, 0))
    for column in columns:
        table.add_column(column, justify="right" if column in numbers else "left", no_wrap=True)
    for row in rows:
        table.add_row(*(row[column] for column in columns))
    console.print(table, soft_wrap=False)
    if left_out:
        console.print(f"A wider terminal shows {', '.join(left_out)}, too.")


def _width(rows: Sequence[dict[str, str]], columns: list[str]) -> int:
    """The characters of the widest line."""
    return sum(2 + max(len(column), *(len(row[column]) for row in rows)) for column in columns)
