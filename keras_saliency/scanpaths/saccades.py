"""What the next fixation owes to those before it: a log-density that is a sum of tables.

The logit of a place is the log-density of a spatial model times a number, and values of tables at the place as it is
seen from the last fixations: by amplitude and direction of the saccade, perhaps otherwise in each of nine parts of the
image, by amplitude and the turn from the last saccade, and by the distance from fixations before the last. Between
knots is interpolated, so that a logit is linear in all numbers.
"""

import dataclasses
import functools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import ArrayLike
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from keras_saliency.formulas.array_map import exponential, log_sum
from keras_saliency.formulas.types import Plane, Size
from keras_saliency.writing.files import whole

SHIPPED = Path(__file__).with_name("saccades.safetensors")

# Knots: amplitudes and distances in longer sides of the image, directions around the circle, turns from 0 to pi.
AMPLITUDES, DIRECTIONS, TURNS = np.geomspace(0.0125, 1.25, 14), 16, 9
LAGS = 3  # tables for fixations before the last; the last of them is for all that are earlier
MEMORY = 8  # of the fixations before the last, so many count
CELLS = 3  # parts of each side of the image
# The spatial model counts by the number of fixations so far; the last row for all that are more.
STEPS = (1, 2, 3, 4, 7)
SHAPES = {
    "spatial": (len(STEPS),),
    "saccade": (len(AMPLITUDES), DIRECTIONS),
    "turn": (len(AMPLITUDES), TURNS),
    "before": (LAGS, len(AMPLITUDES)),
    "cell": (CELLS**2, len(AMPLITUDES), DIRECTIONS),
}
BLOCKS = dict(zip(SHAPES, np.cumsum([0, *map(np.prod, SHAPES.values())]).tolist(), strict=False))
NUMBERS = sum(map(np.prod, SHAPES.values()))

Terms = Iterator[tuple[np.ndarray, np.ndarray]]  # where numbers stand in the vector of all, and what they count


@dataclasses.dataclass(frozen=True, eq=False)
class Saccades:
    """The numbers of the model; by default they leave the spatial model as it is.

    Attributes:
        spatial: What the log-density of the spatial model is multiplied by, for each of `STEPS`.
        saccade: `(amplitudes, directions)`, seen from the last fixation; directions from rightwards over downwards.
        turn: `(amplitudes, turns)`, seen from the last fixation, from straight on to back; it counts where the last two
            fixations are in different pixels.
        before: `(LAGS, amplitudes)`, by the distance from the fixations before the last.
        cell: `(9, amplitudes, directions)`, what is added to `saccade` after a fixation in each ninth of the image,
            row by row, as the saccades of Le Meur & Coutrot (2016) differ.
        uniform: The share of a uniform density, in [0, 1).

    Raises:
        ValueError: If a table has another shape, or a number is not finite.
    """

    spatial: np.ndarray = dataclasses.field(default_factory=lambda: np.ones(SHAPES["spatial"]))
    saccade: np.ndarray = dataclasses.field(default_factory=lambda: np.zeros(SHAPES["saccade"]))
    turn: np.ndarray = dataclasses.field(default_factory=lambda: np.zeros(SHAPES["turn"]))
    before: np.ndarray = dataclasses.field(default_factory=lambda: np.zeros(SHAPES["before"]))
    cell: np.ndarray = dataclasses.field(default_factory=lambda: np.zeros(SHAPES["cell"]))
    uniform: float = 0.0

    def __post_init__(self) -> None:
        for name, shape in SHAPES.items():
            table = np.array(getattr(self, name), "float64")
            table.setflags(write=False)
            if table.shape != shape or not np.isfinite(table).all():
                raise ValueError(f"{name} must be finite and of shape {shape}. Received: {table.shape}.")
            object.__setattr__(self, name, table)
        if not 0 <= self.uniform < 1:
            raise ValueError(f"uniform is a share in [0, 1). Received: {self.uniform}.")

    @classmethod
    def of_vector(cls, numbers: np.ndarray, uniform: float) -> "Saccades":
        """The tables of all numbers in a row."""
        tables = {name: numbers[start : start + np.prod(SHAPES[name])] for name, start in BLOCKS.items()}
        return cls(**{name: table.reshape(SHAPES[name]) for name, table in tables.items()}, uniform=uniform)

    @functools.cached_property
    def vector(self) -> np.ndarray:
        """All numbers in a row."""
        return np.concatenate([getattr(self, name).ravel() for name in SHAPES])

    def log_density(self, spatial: Plane, x: np.ndarray, y: np.ndarray) -> Plane:
        """The log-density of the next fixation.

        Args:
            spatial: The log-density of the spatial model.
            x: The columns of the fixations so far, in pixels, the last one last; none for the spatial model itself.
            y: Their rows.

        Raises:
            ValueError: If one is outside of the image, or NaN.
        """
        return self.conditional(spatial)(x, y)

    def conditional(self, spatial: Plane) -> Callable[[np.ndarray, np.ndarray], Plane]:
        """The function of x and y that `log_density` is, for many histories of one image."""
        seen: dict[str, Any] = {}  # by offset, once there is a history

        def log_density(x, y):
            require_inside(x, y, spatial.shape)
            if not len(x):
                return spatial.copy()
            if not seen:
                seen.update(self._by_offset(spatial.shape))
            return self._given(spatial, seen, x, y)

        return log_density

    def _by_offset(self, size):
        """What a logit owes to the last fixation and to each lag, for all offsets in an image."""
        amplitude, direction = offsets(size)
        low, share = _between(amplitude, len(AMPLITUDES))
        knots = np.arange(len(AMPLITUDES))
        return {
            "place": (low.astype("uint8"), share, direction),
            "saccade": {},  # by cell, once a saccade begins there
            "before": [np.interp(amplitude, knots, table).astype("float32") for table in self.before],
        }

    def _given(self, spatial, seen, x, y):
        size = spatial.shape
        columns, rows = np.asarray(x).astype(int)[::-1], np.asarray(y).astype(int)[::-1]
        logits = self.spatial[step_of(len(x))] * spatial.astype("float64")
        if self.saccade.any() or self.cell.any():
            logits += _seen_from(self._saccade(seen, rows[0], columns[0], size), rows[0], columns[0], size)
        if self.turn.any() and len(x) > 1 and (rows[0] != rows[1] or columns[0] != columns[1]):
            last = np.arctan2(rows[0] - rows[1], columns[0] - columns[1])
            *place, direction = (_seen_from(each, rows[0], columns[0], size) for each in seen["place"])
            logits += _value(self.turn, *place, turned(direction, last))
        if self.before.any():
            for lag, place in enumerate(zip(rows[1 : 1 + MEMORY], columns[1 : 1 + MEMORY], strict=True)):
                logits += _seen_from(seen["before"][min(lag, LAGS - 1)], *place, size)
        if not self.uniform:
            return logits - log_sum(logits)
        density = exponential(logits - logits.max())
        density *= (1 - self.uniform) / density.sum()
        return np.log(density + self.uniform / density.size)

    def _saccade(self, seen, row, column, size):
        """By offset, what a logit owes to a saccade that begins at a pixel."""
        cell = int(cell_of(row, column, size)) if self.cell.any() else 0
        if cell not in seen["saccade"]:
            low, share, direction = seen["place"]
            table = np.pad(self.saccade + self.cell[cell], [(0, 0), (0, 1)], "wrap")
            seen["saccade"][cell] = _value(table, low, share, around(direction))
        return seen["saccade"][cell]

    def save(self, path: str | Path) -> None:
        """Writes the tables as safetensors, which `read_saccades` reads.

        Raises:
            FileExistsError: If there is something at the path.
        """
        if Path(path).exists():
            raise FileExistsError(f"{path} exists. Choose another name, or delete it.")
        tables = {name: getattr(self, name) for name in SHAPES if name != "cell" or self.cell.any()}
        tables |= {"uniform": np.float64(self.uniform)}
        with whole(path) as part:
            save_file({name: np.atleast_1d(table) for name, table in tables.items()}, part)


def read_saccades(path: str | Path = SHIPPED) -> Saccades:
    """The tables in a file that `Saccades.save` wrote; by default those that come with the package.

    Raises:
        FileNotFoundError: If there is no file.
        ValueError: If it holds something else.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f"{path} does not exist. Expected a file that Saccades.save wrote.")
    try:
        tables = load_file(path)
        own = {name: tables[name] for name in SHAPES if name != "cell" or name in tables}
        return Saccades(**own, uniform=float(tables["uniform"][0]))
    except (SafetensorError, KeyError) as error:
        raise ValueError(f"{path} holds no tables of saccades: {error}. Fit and save them again.") from error


def require_inside(x: np.ndarray, y: np.ndarray, size: Size) -> None:
    """Refuses a history that cannot have been.

    Raises:
        ValueError: If a fixation is outside of the image, or NaN, or the columns are of different lengths.
    """
    x, y = np.asarray(x, "float64"), np.asarray(y, "float64")
    if x.shape != y.shape or x.ndim != 1:
        raise ValueError(f"A history is x and y of one length. Received: {x.shape} and {y.shape}.")
    inside = (x >= 0) & (x < size[1]) & (y >= 0) & (y < size[0])
    if not inside.all():
        at = np.argmin(inside)
        raise ValueError(
            f"Fixation {at + 1} of the history is at x = {x[at]:g}, y = {y[at]:g}, outside of the image of "
            f"{size[0]}x{size[1]} (height x width). Leave it out."
        )


def step_of(fixations: ArrayLike) -> Any:
    """The row of `STEPS` for a number of fixations so far."""
    return np.searchsorted(STEPS, fixations, side="right") - 1


def place_of(down: np.ndarray, right: np.ndarray, size: Size) -> tuple[np.ndarray, np.ndarray]:
    """Where offsets in pixels lie in tables: amplitude in knots, and direction in radians from rightwards to below."""
    amplitude = np.log(np.maximum(np.hypot(down, right) / max(size), AMPLITUDES[0]))
    knots = np.interp(amplitude, np.log(AMPLITUDES), np.arange(len(AMPLITUDES)))
    return knots.astype("float32"), np.arctan2(down, right).astype("float32")


def cell_of(row: ArrayLike, column: ArrayLike, size: Size) -> Any:
    """In which ninth of an image pixels lie."""
    return CELLS * (CELLS * np.asarray(row) // size[0]) + CELLS * np.asarray(column) // size[1]


@functools.lru_cache(2)
def offsets(size: Size) -> tuple[np.ndarray, np.ndarray]:
    """`place_of` all offsets in an image, `(2 * height - 1, 2 * width - 1)`, that of none in the middle."""
    down, right = np.ogrid[1 - size[0] : size[0], 1 - size[1] : size[1]]
    return place_of(down, right, size)


def _seen_from(table, row, column, size):
    """The part of a table of all offsets that an image is, seen from a pixel."""
    top, left = size[0] - 1 - row, size[1] - 1 - column
    return table[top : top + size[0], left : left + size[1]]


def _value(table, row, down, column):
    """A table at places between its knots: `down` of the way from `row` to the next, and at `column` in knots."""
    table = table.astype("float32")
    across = np.diff(table, axis=1)
    # Of each cell its corner, what is added to the right and below, and what is added by both.
    cells = table[:-1, :-1], across[:-1], np.diff(table, axis=0)[:, :-1], np.diff(across, axis=0)
    width = across.shape[1]
    left = np.minimum(column.astype("uint8"), width - 1)
    # There are fewer cells than 256, so that OpenCV looks them up, in a third of NumPy's time.
    corner, right, below, both = (cv2.LUT(row * width + left, np.resize(each, 256)) for each in cells)
    share = column - left
    return corner + share * right + down * (below + share * both)


def around(direction: np.ndarray) -> np.ndarray:
    """A direction in knots of `saccade`, of which the first one follows the last."""
    return direction % (2 * np.pi) * (DIRECTIONS / (2 * np.pi))


def turned(direction: np.ndarray, last: np.ndarray) -> np.ndarray:
    """How far a direction turns from the last one, in knots of `turn`."""
    difference = np.abs(direction - last.astype(direction.dtype))
    return (np.pi - np.abs(difference - np.pi)) * ((TURNS - 1) / np.pi)


def saccade_terms(amplitude: np.ndarray, direction: np.ndarray) -> Terms:
    """The numbers of `saccade` that a logit has, and what each counts."""
    return _corners("saccade", amplitude, around(direction))


def cell_terms(cell: np.ndarray, amplitude: np.ndarray, direction: np.ndarray) -> Terms:
    """The same of `cell`, for saccades that begin in those cells."""
    shift = BLOCKS["cell"] - BLOCKS["saccade"] + cell * np.prod(SHAPES["saccade"])
    for where, weight in saccade_terms(amplitude, direction):
        yield shift + where, weight


def turn_terms(amplitude: np.ndarray, direction: np.ndarray, last: np.ndarray) -> Terms:
    """Those of `turn`, after a saccade of the direction `last`."""
    return _corners("turn", amplitude, turned(direction, last))


def before_terms(distance: np.ndarray, lag: int) -> Terms:
    """Those of `before`, at distances in knots from a fixation; `lag` is 0 for the one before the last."""
    start = BLOCKS["before"] + min(lag, LAGS - 1) * len(AMPLITUDES)
    low, share = _between(distance, len(AMPLITUDES))
    yield start + low, 1 - share
    yield start + low + 1, share


def _corners(name, first, second):
    """The numbers at the four corners about places in a table whose second side may go around."""
    start, (length, width) = BLOCKS[name], SHAPES[name]
    row, down = _between(first, length)
    column, right = _between(second, width + (name == "saccade"))
    beside = (column + 1) % width
    for i, over in ((row, 1 - down), (row + 1, down)):
        yield start + i * width + column % width, over * (1 - right)
        yield start + i * width + beside, over * right


def _between(place, knots):
    low = np.clip(place.astype("int32"), 0, knots - 2)
    return low, place - low.astype(place.dtype)
