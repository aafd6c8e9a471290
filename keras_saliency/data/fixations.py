"""Who looked where: the fixations of one image."""

import dataclasses
from typing import Self

import numpy as np
from numpy.typing import ArrayLike

from keras_saliency.formulas.types import Plane, Size

COLUMNS = ("x", "y", "observer", "time", "duration")


@dataclasses.dataclass(frozen=True)
class Fixations:
    """The fixations of one image, a column each, in the order of observer and time.

    Attributes:
        x: Pixels from the left edge, continuous; pixel j covers [j, j + 1).
        y: Pixels from the top edge.
        observer: The number of the observer, from zero.
        time: Onset in seconds. Where a data set records only durations, the sum of the observer's earlier ones; NaN
            where nothing tells the order.
        duration: Seconds; NaN where it is not known, as all are by default.
        outside: What `within` took away, rows `(x, y)`.

    Raises:
        ValueError: If the columns are not of one length.
    """

    x: np.ndarray
    y: np.ndarray
    observer: np.ndarray
    time: np.ndarray
    duration: np.ndarray = None  # type: ignore[assignment]
    outside: np.ndarray = dataclasses.field(default_factory=lambda: np.empty((0, 2)))

    def __post_init__(self) -> None:
        if self.duration is None:
            object.__setattr__(self, "duration", np.full(len(self), np.nan))
        shapes = {column: np.shape(getattr(self, column)) for column in COLUMNS}
        if set(shapes.values()) != {(len(self),)}:
            raise ValueError(f"The columns of fixations must be of one length. Received: {shapes}.")

    def __len__(self) -> int:
        return len(self.x)

    def __getitem__(self, rows: slice | np.ndarray) -> "Fixations":
        return Fixations(*(getattr(self, column)[rows] for column in COLUMNS))

    @classmethod
    def from_rows(cls, rows: ArrayLike) -> Self:
        """Builds the table from rows `(x, y, observer, time)`, or with the duration as a fifth."""
        table = np.asarray(rows, "float64")
        x, y, observer, *rest = table.reshape(-1, table.shape[-1] if table.size else 4).T
        return cls(x, y, observer.astype("int64"), *rest)

    @property
    def left_out(self) -> int:
        """How many `within` took away."""
        return len(self.outside)

    def _inside(self, size):
        # NaN is nowhere inside.
        return (self.x >= 0) & (self.x < size[1]) & (self.y >= 0) & (self.y < size[0])

    def within(self, size: Size) -> "Fixations":
        """Those inside an image `(height, width)`; the others, and what is not finite, are kept in `outside` alone."""
        inside = self._inside(size)
        if inside.all():
            return self
        outside = np.concatenate([self.outside, np.stack([self.x[~inside], self.y[~inside]], 1)])
        return dataclasses.replace(self[inside], outside=outside)

    def pixels(self) -> tuple[np.ndarray, np.ndarray]:
        """The row and column of the pixel under each fixation."""
        return self.y.astype("int64"), self.x.astype("int64")

    def counts(self, size: Size) -> Plane:
        """The number of fixations in each pixel, `(height, width)`, float64.

        Raises:
            ValueError: If some are outside.
        """
        outside = np.sum(~self._inside(size))
        if outside:
            raise ValueError(f"{outside} of {len(self)} fixations are outside {tuple(size)}. Take `within(size)`.")
        rows, columns = self.pixels()
        return np.bincount(rows * size[1] + columns, minlength=size[0] * size[1]).reshape(size).astype("float64")
