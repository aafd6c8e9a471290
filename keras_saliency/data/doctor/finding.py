"""What the doctor looks at, and what it finds."""

import dataclasses
import functools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_saliency.data.data_set import DataSet
from keras_saliency.data.doctor.map_files import MapFiles
from keras_saliency.data.samples import Sample, Samples

if TYPE_CHECKING:
    import pandas as pd

EXAMPLES, PICTURES = 5, 3
FAR = 20  # sides of the image beyond its edge: a small image on a large screen is not that far from it


@dataclasses.dataclass(frozen=True)
class Finding:
    """Something that is wrong with a data set, or likely to be.

    Attributes:
        fault: What, a key of `doctor.FAULTS`.
        count: How many are concerned.
        of: Of how many.
        counted: What is counted, such as `"fixations"`.
        examples: Up to five of them.
        remedy: What to do, as an option or a command where there is one.
        samples: Images to look at, with their fixations; empty where a picture shows nothing.
        places: Which fixations are concerned, rows `(x, y)`, for each of `samples`; empty if none or all are.
    """

    fault: str
    count: int
    of: int
    counted: str
    examples: tuple[str, ...]
    remedy: str
    samples: tuple[Sample, ...] = ()
    places: tuple[np.ndarray, ...] = ()

    def __str__(self) -> str:
        return f"{self.fault}: {self.count} of {self.of} {self.counted}, such as {'; '.join(self.examples)}"


@dataclasses.dataclass(frozen=True)
class Found:
    """What a function of the doctor finds: a `Finding` without what all of its kind share.

    Attributes:
        words: What the remedy says besides, by its placeholders.
    """

    count: int
    of: int
    examples: Sequence[str] = ()
    samples: Sequence[Sample] = ()
    places: Sequence[np.ndarray] = ()
    words: Mapping[str, Any] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Examined:
    """What the doctor looks at: the files, and what has been read of them.

    Attributes:
        name: The name of the data set.
        data: What was read; None if the reader refused it.
        splits: The samples of each split, also of what was refused since so little was inside the images.
        directory: The folder; None for what is not read from one.
        error: Why the reader refused it.
        files: The maps of a `folder`.
    """

    name: str
    data: DataSet | None
    splits: Mapping[str, Samples]
    directory: Path | None = None
    error: Exception | None = None
    files: MapFiles = dataclasses.field(default_factory=MapFiles)

    @functools.cached_property
    def parts(self) -> list[tuple[str, Sample]]:
        """All samples, each with its split."""
        return [(part, sample) for part, samples in self.splits.items() for sample in samples]

    @functools.cached_property
    def samples(self) -> list[Sample]:
        """All samples."""
        return [sample for _, sample in self.parts]

    @property
    def settings(self) -> str:
        """The file beside the data in which it may stand how they are read."""
        return f"{self.name}.json"

    @property
    def skipped(self) -> tuple[str, ...]:
        """What the reader has left out."""
        return self.data.skipped if self.data else ()

    @functools.cached_property
    def fixations(self) -> "pd.DataFrame":
        """A row for each fixation inside its image, in the order of image, observer and time.

        Columns: the position of the `image` among the samples, its `width` and `height`, `x`, `y`, `observer`, `time`;
        and `degree`, the pixels of one, or the blur of the ground truth, which is about as large.
        """
        table = self._table([(s.fixations.x, s.fixations.y) for s in self.samples])
        for column in ("observer", "time"):
            table[column] = np.concatenate([getattr(s.fixations, column) for s in self.samples] or [np.empty(0)])
        known = self.data.pixels_per_degree if self.data else None
        table["degree"] = known or np.array([s.sigma for s in self.samples])[table["image"]]
        return table.sort_values(["image", "observer", "time"], kind="stable", ignore_index=True)

    @functools.cached_property
    def outside(self) -> "pd.DataFrame":
        """A row for each fixation outside its image that has coordinates: `image`, `width`, `height`, `x`, `y`."""
        table = self._table([s.fixations.outside.T for s in self.samples])
        return table[np.isfinite(table[["x", "y"]]).all(axis=1)]

    @functools.cached_property
    def near(self) -> "pd.DataFrame":
        """All fixations, inside and outside, but for those that are farther away than any screen reaches."""
        import pandas as pd

        outside, columns = self.outside, ["image", "width", "height", "x", "y"]
        x, y = (outside[axis].between(-FAR * outside[side], (1 + FAR) * outside[side]) for axis, side in AXES)
        return pd.concat([self.fixations[columns], outside[x & y]], ignore_index=True)

    def _table(self, places):
        import pandas as pd

        image = np.repeat(np.arange(len(self.samples)), [len(x) for x, _ in places])
        sizes = np.array([sample.size for sample in self.samples]).reshape(-1, 2)[image]
        x, y = np.concatenate([np.empty((2, 0)), *map(np.asarray, places)], axis=1)
        return pd.DataFrame({"image": image, "height": sizes[:, 0], "width": sizes[:, 1], "x": x, "y": y})

    def found(self, rows: "pd.DataFrame", of: int, **words: Any) -> Found:
        """What is found where the rows of a table of fixations are concerned."""
        texts = [
            f"{self.samples[row.image].name} ({row.x:.10g}, {row.y:.10g})" for row in rows.head(EXAMPLES).itertuples()
        ]
        most = rows["image"].value_counts().index[:PICTURES]
        places = [rows.loc[rows["image"] == i, ["x", "y"]].to_numpy() for i in most]
        return Found(len(rows), of, texts, [self.samples[i] for i in most], places, words)


AXES = (("x", "width"), ("y", "height"))


def inside(places: "pd.DataFrame") -> "pd.Series":
    """Whether rows of `x`, `y`, `width` and `height` are inside their image."""
    return places["x"].between(0, places["width"], "left") & places["y"].between(0, places["height"], "left")
