"""Where one person looked at one image, in which order."""

import dataclasses

import numpy as np

from keras_saliency.data.fixations import Fixations


@dataclasses.dataclass(frozen=True)
class Scanpath:
    """The fixations of one observer on one image, in their order.

    Attributes:
        image: The name of the image.
        observer: The number of the observer.
        x: Pixels from the left edge, continuous; pixel j covers [j, j + 1).
        y: Pixels from the top edge.
        time: Onset in seconds, or what else the data set has of the order; it rises from fixation to fixation.
        duration: Seconds; NaN where it is not known.
    """

    image: str
    observer: int
    x: np.ndarray
    y: np.ndarray
    time: np.ndarray
    duration: np.ndarray

    def __len__(self) -> int:
        return len(self.x)


def scanpaths_of(image: str, fixations: Fixations) -> list[Scanpath]:
    """The scanpaths on an image, in the order of observers.

    Fixations outside of it are in none: the one after follows the one before.

    Args:
        image: Its name.
        fixations: Those of all observers.

    Raises:
        ValueError: If fixations of an observer have no order: no times, or twice the same. Names image and observer.
    """
    return [_scanpath(image, fixations[fixations.observer == number]) for number in np.unique(fixations.observer)]


def _scanpath(image, fixations):
    observer, time = int(fixations.observer[0]), fixations.time
    late = np.flatnonzero(~(np.diff(time) > 0))
    if len(time) > 1 and (late.size or not np.isfinite(time).all()):
        at = late[0] if late.size else np.flatnonzero(~np.isfinite(time))[0]
        if np.isnan(time).all() or (len(time) > 2 and (time == time[0]).all()):
            what = "have no order"
        else:
            what = f"have no order at fixation {at + 1}: the times {time[at : at + 2].tolist()} s do not rise"
        raise ValueError(
            f"{image}: the fixations of observer {observer} {what}. Scanpaths need one: give the column time or "
            "order, or leave out one of two fixations of the same time."
        )
    return Scanpath(image, observer, fixations.x, fixations.y, time, fixations.duration)
