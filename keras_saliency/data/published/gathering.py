"""What readers of published data sets share: recordings as a table, and official splits without a test split."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from keras_saliency.data.splits import HALVES, by_hash

if TYPE_CHECKING:
    import pandas as pd

Recording = tuple[str, str | int | None, np.ndarray]  # who looked at which image, and a row for each fixation
WITHHELD = "the fixations of the official test split are withheld: the official validation images are for tests, too"
ONLY = "there are fixations of the official {part} images alone: they are for all splits, by the hash of their names"


def gather(recordings: Iterable[Recording], columns: Sequence[str] = ("x", "y")) -> "pd.DataFrame":
    """A table of fixations, as `recordings.make_data` takes it.

    Args:
        recordings: Image, observer, and an array `(fixations, columns)`, for each observer of each image.
        columns: The names of the columns of the arrays.
    """
    import pandas as pd

    images, observers, arrays = zip(*recordings, strict=True)
    lengths = [len(array) for array in arrays]
    names: dict[str, int] = {}
    codes = np.repeat([names.setdefault(image, len(names)) for image in images], lengths)
    table = pd.DataFrame(np.concatenate(arrays), columns=list(columns))
    table["image"] = pd.Categorical.from_codes(codes, list(names))
    table["observer"] = np.repeat(np.array(observers, object), lengths)
    return table


def by_observer(image: str, rows: np.ndarray) -> Iterator[Recording]:
    """The recordings of an image, for `gather`; one without a fixation, where there are none.

    Args:
        image: Its name.
        rows: Rows `(x, y, observer)`, each observer's in their order.
    """
    for observer in np.unique(rows[:, 2]) if len(rows) else [0]:
        yield image, int(observer), rows[rows[:, 2] == observer, :2]


def pictures_in(folder: Path, suffix: str = ".jpg") -> list[str]:
    """The names of the pictures of a folder, in order.

    Raises:
        FileNotFoundError: If it is missing, or has none.
    """
    names = sorted(path.name for path in folder.glob("[!.]*") if path.suffix.lower() == suffix)
    if not names:
        raise FileNotFoundError(f"{folder} is missing, or has no {suffix} files. Give the folder of the data set.")
    return names


def official_splits(official: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """The split of each image of a data set that withholds the fixations of its official test split.

    Train is train. The official validation images are halved into validation and test, by the hash of their names.
    Where one of both is all there is, such as in a sample of the data set, its images are for all three.

    Args:
        official: The official split of each image, `"train"` or `"validation"`.

    Returns:
        The split of each image, and lines for `DataSet.skipped`.

    Raises:
        ValueError: If there are fewer images than splits.
    """
    found = set(official.values())
    if len(found) == 1:
        return dict(zip(official, by_hash(list(official)), strict=True)), [ONLY.format(part=found.pop())]
    others = [name for name, part in official.items() if part == "validation"]
    return {**official, **dict(zip(others, by_hash(others, HALVES, "validation"), strict=True))}, [WITHHELD]
