"""Fixations in samples of gaze, as pymovements detects them."""

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

# Of pymovements, by method: the threshold in degrees, and what it is called in pixels.
METHODS = {"ivt": (20.0, "pixels a second"), "idt": (1.0, "pixels")}


class Detection(NamedTuple):
    """How fixations are detected.

    Attributes:
        method: `"ivt"`, by the velocity of the gaze, or `"idt"`, by how far samples are dispersed.
        threshold: The largest velocity in pixels a second, or dispersion in pixels; None for 20 degrees a second,
            or one.
        minimum_duration: The shortest fixation, in seconds.
        pixels_per_degree: Needed where there is no threshold.
        screen: `(width, height)` in pixels, needed where samples are shares of it.
    """

    method: str
    threshold: float | None = None
    minimum_duration: float = 0.1
    pixels_per_degree: float | None = None
    screen: tuple[int, int] | None = None

    def pixels(self) -> float:
        """The threshold in pixels, or in pixels a second.

        Raises:
            ValueError: If the method is unknown, or the threshold; if a number is not above zero.
        """
        if self.method not in METHODS:
            raise ValueError(f"unknown detection {self.method!r}. Known detections: {', '.join(METHODS)}.")
        degrees, unit = METHODS[self.method]
        if self.threshold is None and self.pixels_per_degree is None:
            raise ValueError(f"detection={self.method!r} needs a threshold, in {unit}, or pixels_per_degree.")
        threshold = degrees * (self.pixels_per_degree or 0) if self.threshold is None else self.threshold
        if not (0 < threshold < np.inf and 0 < self.minimum_duration < np.inf):
            raise ValueError(
                f"threshold and minimum_duration are above zero. Received: {threshold} and {self.minimum_duration}."
            )
        return threshold


def detect(samples: "pd.DataFrame", how: Detection) -> list[tuple[Any, ...]]:
    """The fixations in samples, each at the mean of its own.

    Args:
        samples: The columns image, trial, time (in seconds), and x and y, NaN where the gaze is not known. `attrs` say
            the units and, as far as known, the screen.
        how: The method.

    Returns:
        Rows of image, x, y, time and duration, in the units of the samples.

    Raises:
        ImportError: If pymovements is not installed.
        ValueError: If threshold or screen are not known.
    """
    threshold, screen = how.pixels(), how.screen or samples.attrs.get("screen")
    shares = samples.attrs["units"] == "shares"
    if shares and screen is None:
        raise ValueError("it holds shares of a screen whose size it does not tell. Give screen=(width, height).")
    scale = np.asarray(screen if shares else (1, 1), "float64")
    rows = []
    for (image, _), trial in samples.groupby(["image", "trial"], sort=False, dropna=False):
        time, points = trial["time"].to_numpy(), trial[["x", "y"]].to_numpy()
        clock = np.round(time * 1000).astype("int64")
        for onset, offset in _events(clock, points * scale, how, threshold):
            # The offset is the last sample of a fixation by velocity, and the first after one by dispersion.
            until = clock <= offset if how.method == "ivt" else clock < offset
            during = points[(clock >= onset) & until & np.isfinite(points).all(1)]
            if len(during):
                rows.append((image, *during.mean(0), onset / 1000, (offset - onset) / 1000))
    return rows


def _events(clock, points, how, threshold):
    """The onset and the offset of each fixation, in milliseconds."""
    try:
        from pymovements.events import idt, ivt
    except ImportError as error:
        raise ImportError('Fixations are detected by pymovements: pip install "keras_saliency[recordings]".') from error

    clock, first = np.unique(clock, return_index=True)
    points, least = points[first], max(1, round(how.minimum_duration * 1000))
    if len(clock) < 3:
        return []
    if how.method == "ivt":
        velocities = np.gradient(points, clock / 1000, axis=0)
        found = ivt(velocities, timesteps=clock, minimum_duration=least, velocity_threshold=threshold)
    else:  # It takes equal steps only, and a duration that is a multiple of them.
        step = max(1, int(np.median(np.diff(clock))))
        even = np.arange(clock[0], clock[-1] + 1, step)
        points = np.stack([np.interp(even, clock, column) for column in points.T], 1)
        least = max(2, -(-least // step)) * step
        found = idt(points, timesteps=even, minimum_duration=least, dispersion_threshold=threshold)
    return found.frame.select("onset", "offset").rows()
