"""What an import of weights did."""

from dataclasses import dataclass, field
from typing import Any, NamedTuple


class Tensor(NamedTuple):
    """A tensor of a file: its shape as stored, its value in the layout of Keras, and what was done to get there."""

    name: str
    shape: tuple[int, ...] | None
    value: Any
    done: str


class Used(NamedTuple):
    """A row of the report: a tensor of the file that went into a variable, or with others into a layer."""

    source: str
    shape: tuple[int, ...]
    variable: str
    done: str


class Missing(NamedTuple):
    """A variable that no tensor filled, and the name under which one was looked for, if any."""

    variable: str
    shape: tuple[int, ...]
    wanted: str


@dataclass
class ImportReport:
    """The tensors of a file and the variables of a model, side by side; printed, it is a table.

    Attributes:
        used: `(source, shape as stored, variable, done)` of every tensor used. `done` is `as is`, `transposed`,
            `transposed, flipped`, and ends with `fused` or `rearranged` where the layer's `from_legacy` took part;
            several arrays fused have the variable `layer/*`.
        left_over: `(name, shape)` of the tensors not used.
        missing: `(variable, shape, wanted)` of the variables not filled.
        ignored: The names of the tensors that Keras has no use for: `num_batches_tracked`.

    >>> print(ImportReport([Used("features.0.weight", (8, 3, 5, 5), "conv1/kernel", "transposed")]))
    tensor             shape         variable      done
    features.0.weight  (8, 3, 5, 5)  conv1/kernel  transposed
    1 used, 0 left over, 0 missing
    """

    used: list[Used] = field(default_factory=list)
    left_over: list[tuple[str, tuple[int, ...]]] = field(default_factory=list)
    missing: list[Missing] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        rows = [("tensor", "shape", "variable", "done"), *self.used]
        rows += [(name, shape, "", "left over") for name, shape in self.left_over]
        rows += [(wanted, shape, variable, "missing") for variable, shape, wanted in self.missing]
        rows += [(name, "", "", "ignored") for name in self.ignored]
        cells = [[str(cell) for cell in row] for row in rows]
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in cells]
        counts = f"{len(self.used)} used, {len(self.left_over)} left over, {len(self.missing)} missing"
        return "\n".join([*lines, counts])
