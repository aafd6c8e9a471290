"""From the coordinates that a recording has to pixels of the image: units, origin, and where it was on the screen."""

import dataclasses

import numpy as np

from keras_saliency.data.samples import Sample
from keras_saliency.formulas.types import Size

UNITS = ("pixels", "shares", "degrees")
ORIGINS = ("top", "bottom")
SHOWN = ("centred", "fitted", "stretched")
BLUR = 0.035  # of the longer side, where the visual angle is not known: as wide as one degree in most laboratories


@dataclasses.dataclass(frozen=True)
class Geometry:
    """How coordinates are meant. Nothing is guessed: without a stimulus they are those of the image.

    Attributes:
        units: `"pixels"`; `"shares"` of width and height, from 0 to 1; or `"degrees"` of visual angle.
        origin: Whether y counts from the `"top"` or from the `"bottom"`.
        pixels_per_degree: The pixels of one degree of visual angle, None where unknown; degrees need it.
        screen: `(width, height)` of the screen, in pixels.
        stimulus: Where the image was on the screen that coordinates are of: `"centred"` at its own size, `"fitted"` as
            large as its shape allows and centred, `"stretched"` over all of it, or a rectangle
            `(left, top, width, height)`. None if coordinates are of the image.
        blur: The standard deviation of the ground-truth blur, in pixels of the image, where it is known by custom; by
            default one degree, or 3.5 % of the longer side where that is not known.

    Raises:
        ValueError: If one is unknown or makes no sense, or one needs another that is missing.
    """

    units: str = "pixels"
    origin: str = "top"
    pixels_per_degree: float | None = None
    screen: tuple[float, float] | None = None
    stimulus: str | tuple[float, float, float, float] | None = None
    blur: float | None = None

    def __post_init__(self) -> None:
        for name, known in (("units", UNITS), ("origin", ORIGINS)):
            if getattr(self, name) not in known:
                raise ValueError(f"Unknown {name} {getattr(self, name)!r}. Known {name}: {', '.join(known)}.")
        if self.pixels_per_degree is not None and not 0 < self.pixels_per_degree < np.inf:
            raise ValueError(f"pixels_per_degree is a number above zero. Received: {self.pixels_per_degree}.")
        if self.units == "degrees" and self.pixels_per_degree is None:
            raise ValueError("Coordinates in degrees need pixels_per_degree: how many pixels one degree has.")
        if self.screen is not None and not (len(self.screen) == 2 and min(self.screen) > 0):
            raise ValueError(f"screen is (width, height) in pixels. Received: {self.screen}.")
        self._check_stimulus()

    def _check_stimulus(self):
        shown = ", ".join(map(repr, SHOWN))
        if self.stimulus is None:
            if self.screen is not None:
                raise ValueError(f"A screen needs a stimulus, how the image was shown on it: {shown}, or a rectangle.")
            return
        rectangle = not isinstance(self.stimulus, str)
        if self.stimulus not in SHOWN and not (rectangle and len(self.stimulus) == 4 and min(self.stimulus[2:]) > 0):
            raise ValueError(
                f"stimulus is {shown}, or a rectangle (left, top, width, height) with width and height above zero. "
                f"Received: {self.stimulus!r}."
            )
        if self.screen is None and (not rectangle or self.units == "shares" or self.origin == "bottom"):
            raise ValueError(
                "stimulus needs screen, (width, height), unless it is a rectangle, in pixels from the top."
            )

    @property
    def of_image(self) -> float | None:
        """The pixels per degree of all images; None where they are not known, or not the same."""
        return self.pixels_per_degree if self.stimulus in (None, "centred") else None

    def rectangle(self, size: Size) -> tuple[float, float, float, float]:
        """Where an image `(height, width)` lies in what coordinates are of: left, top, width and height."""
        height, width = size
        if self.stimulus is None:
            return 0.0, 0.0, width, height
        if not isinstance(self.stimulus, str):
            return self.stimulus
        across, down = self.screen  # type: ignore[misc]
        if self.stimulus == "stretched":
            return 0.0, 0.0, across, down
        scale = min(across / width, down / height) if self.stimulus == "fitted" else 1.0
        return (across - scale * width) / 2, (down - scale * height) / 2, scale * width, scale * height

    def placed(self, sample: Sample, size: Size) -> Sample:
        """A sample with the coordinates of a recording as one of an image `(height, width)`, in its pixels."""
        height, width = size
        left, top, across, down = self.rectangle(size)
        frame = self.screen or (width, height)
        units = {"pixels": (1.0, 1.0), "shares": frame, "degrees": (self.pixels_per_degree,) * 2}[self.units]
        x, y = sample.fixations.x * units[0], sample.fixations.y * units[1]
        y = frame[1] - y if self.origin == "bottom" else y
        if self.stimulus is not None:
            x, y = (x - left) * (width / across), (y - top) * (height / down)
        # Of an image that was stretched a degree has two lengths; the blur is as large as both on average.
        larger = np.sqrt(width / across * height / down)
        sigma = self.blur or (self.pixels_per_degree * larger if self.pixels_per_degree else BLUR * max(size))
        fixations = dataclasses.replace(sample.fixations, x=x, y=y)
        return dataclasses.replace(sample, size=size, sigma=float(sigma), fixations=fixations)
