"""The table of samples: images, each with its fixations."""

import collections
import collections.abc
import dataclasses
import functools
from collections.abc import Iterable
from pathlib import Path
from typing import Any, cast, overload

import numpy as np
import tensorflow as tf

from keras_saliency.data import image_files, windows
from keras_saliency.data.fixations import Fixations
from keras_saliency.data.map_arrays import read_map
from keras_saliency.data.order import draws
from keras_saliency.data.orientation import UPRIGHT
from keras_saliency.data.parts import Part
from keras_saliency.data.pipeline import pipeline
from keras_saliency.data.scanpaths import Scanpath, scanpaths_of
from keras_saliency.formulas import ground_truth
from keras_saliency.formulas.types import Photograph, Plane, Size
from keras_saliency.formulas.view import View


@dataclasses.dataclass(frozen=True)
class Sample:
    """One image with its fixations.

    Whoever makes one: fixations outside the image, or not finite, are left out, and counted in `fixations.left_out`.

    Attributes:
        name: What reports call it.
        image: The path of an image file, its bytes, or the part of a file that they are; what can be read says
            `keras_saliency.data.image_files.decode`.
        size: `(height, width)` in pixels, of the upright image; None until `split` has read it from the image.
        fixations: Its fixations inside the image.
        sigma: The standard deviation of the ground-truth blur, in pixels of the image.
        density: The density `(height, width)` from which the fixations were drawn, where it is known.
        ground_truth: The file of the map that is compared with, of the size of the image, where a data set brings one.
            By default it is the blurred fixations. A sample without fixations has nothing else.
        group: What it belongs to, and is on one side of a split with, such as the photograph of several tasks; by
            default its name.
        data_set: The number of its data set in a mixture.
        weight: How often an epoch in random order shows it.
        letterboxed: Where its pixels are stored as a pipeline of one size makes them, `(height, width, 3)`, float32.
        picture: The part of the image that is no margin, `(top, left, bottom, right)` in pixels; None for all of it.
            Margins are no part of the ground truth in pipelines; evaluation scores all of the image.
        as_stored: Whether the pixels are those that the file stores, whatever its EXIF data say: where observers saw
            them so.
        window: Where the sample is a part of its image, which `size` is the size of: `(top, left)` of the part and
            `(height, width)` of the whole, in pixels; None for all of it.
        pixels_per_degree: The pixels of one degree of visual angle, where they are not those of its split.
        frame: The number of the frame in its video, which is then the group; None for what is no frame. Frames are
            called `VIDEO/FRAME`, stand together and in order, and belong to their video also without fixations; see
            `keras_saliency.data.videos`.
    """

    name: str
    image: Path | bytes | Part
    size: Size
    fixations: Fixations
    sigma: float
    density: Plane | None = None
    ground_truth: Path | None = None
    group: str = ""
    data_set: int = 0
    weight: float = 1.0
    letterboxed: Part | None = None
    picture: tuple[int, int, int, int] | None = None
    as_stored: bool = False
    window: tuple[int, int, int, int] | None = None
    pixels_per_degree: float | None = None
    frame: int | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "group", self.group or self.name)
        if isinstance(self.image, str):
            object.__setattr__(self, "image", Path(self.image))
        if self.picture is not None:
            object.__setattr__(self, "picture", tuple(self.picture))
        if self.size is not None:
            object.__setattr__(self, "fixations", self.fixations.within(self.size))

    @property
    def is_usable(self) -> bool:
        """Whether anything is known of where people looked."""
        return len(self.fixations) > 0 or self.ground_truth is not None

    def read_ground_truth(self) -> Plane:
        """The map in the file of `ground_truth`, or its part in the window, `(height, width)`, float64.

        Raises:
            ValueError: If it cannot be read, is of another size than the image, or is no density; names the file.
        """
        path = cast(Path, self.ground_truth)
        values = read_map(path, f"The map of {self.name}")
        if values.shape != self.whole_size:
            raise ValueError(
                f"{self.name}: the image is {self.whole_size} and its map {values.shape}, both (height, width). "
                f"Resize {path} to its image."
            )
        if not np.isfinite(values).all() or values.min() < 0 or values.max() == values.min():
            raise ValueError(f"{path} is no density: its values must be finite, at least 0, and not all the same.")
        return self._part(values.astype("float64"))

    @property
    def whole_size(self) -> Size:
        """`(height, width)` of its image, of which the sample may be a part."""
        return tuple(self.window[2:] if self.window else self.size)  # type: ignore[return-value]

    def _part(self, values):
        if self.window is None:
            return values
        top, left, *_ = self.window
        return values[top : top + self.size[0], left : left + self.size[1]]

    @functools.cached_property
    def orientation(self) -> int:
        """What the image is turned by, read once: the EXIF orientation of its file, 1 to 8, where 1 is upright.

        Raises:
            ImageError: If it is not to be decoded.
        """
        return UPRIGHT if self.as_stored else image_files.way_up(self.image, self.name)

    def read(self) -> Photograph:
        """The decoded image, or its part in the window, `(height, width, 3)`, uint8, upright, or as it is stored.

        Raises:
            ImageError: If it cannot be decoded.
            ValueError: If it is of another size than the sample.
        """
        if self.as_stored:
            image = image_files.read_as_stored(self.image, self.name)
        else:
            image, self.__dict__["orientation"] = image_files.read_with_orientation(self.image, self.name)
        if self.size is not None and self.whole_size != image.shape[:2]:
            raise ValueError(
                f"{self.name}: the image is {image.shape[:2]}, and its fixations were recorded on {self.whole_size}, "
                "both (height, width). Scale them to the image, and give its size."
            )
        return self._part(image)


def fixation_density(sample: Sample, convention: str = "tuebingen") -> Plane:
    """What the map of a sample is compared with: the map that it brings, or its blurred fixations.

    See `keras_saliency.formulas.ground_truth.fixation_density`.
    """
    if sample.ground_truth is not None:
        return sample.read_ground_truth()
    return ground_truth.fixation_density(sample.fixations.counts(sample.size), sample.sigma, convention)


class Samples(collections.abc.Sequence[Sample]):
    """A split of a data set: a sequence of `Sample`, and the `tf.data` pipeline over it.

    Args:
        samples: The samples.
        pixels_per_degree: The pixels of one degree of visual angle, None where unknown.

    Raises:
        ValueError: If a sample has no size.
    """

    def __init__(self, samples: Iterable[Sample], pixels_per_degree: float | None = None) -> None:
        self.samples, self.pixels_per_degree = list(samples), pixels_per_degree
        for sample in self.samples:
            if sample.size is None:
                raise ValueError(f"The sample {sample.name} has no size. Give (height, width) of its image in pixels.")

    def __len__(self) -> int:
        return len(self.samples)

    @overload
    def __getitem__(self, i: int) -> Sample: ...

    @overload
    def __getitem__(self, i: slice) -> "Samples": ...

    def __getitem__(self, i: int | slice) -> "Sample | Samples":
        return Samples(self.samples[i], self.pixels_per_degree) if isinstance(i, slice) else self.samples[i]

    @property
    def have_fixations(self) -> bool:
        """Whether each sample that is usable has some; else maps alone tell where people looked."""
        return all(len(sample.fixations) for sample in self.usable)

    @property
    def usable(self) -> "Samples":
        """Those of which it is known where people looked: all, but for frames of videos."""
        usable = [sample for sample in self if sample.is_usable]
        return self if len(usable) == len(self) else Samples(usable, self.pixels_per_degree)

    @property
    def are_frames(self) -> bool:
        """Whether there are frames of videos among them."""
        return any(sample.frame is not None for sample in self)

    @property
    def draws(self) -> int:
        """How many samples an epoch in random order shows: their number, if none has a weight."""
        kinds = collections.Counter((sample.data_set, sample.weight) for sample in self)
        return sum(draws(count, weight) for (_, weight), count in kinds.items())

    def in_windows(self, size: Size | View) -> "Samples":
        """The same as a network sees them, a sample for each window; see `keras_saliency.data.windows.in_windows`.

        Frames into which nobody looked are left away: each picture is seen by itself.
        """
        if isinstance(size, View):
            return Samples(windows.in_windows(self, size), self.pixels_per_degree)
        return self.usable if self.are_frames else self

    def relative_fixations(self) -> np.ndarray:
        """All fixations as rows `(y, x)` in shares of height and width, `(fixations, 2)`, image after image."""
        return np.concatenate([np.stack([s.fixations.y, s.fixations.x], 1) / s.size for s in self])

    def scanpaths(self) -> list[Scanpath]:
        """All scanpaths, in the order of image and observer; see `keras_saliency.data.scanpaths.scanpaths_of`."""
        return [path for sample in self for path in scanpaths_of(sample.name, sample.fixations)]

    def pipeline(self, size: Size | View, batch: int = 8, **options: Any) -> tf.data.Dataset:
        """The `tf.data` pipeline over this split; see `keras_saliency.data.pipeline.pipeline`."""
        return pipeline(self, size, batch, **options)
