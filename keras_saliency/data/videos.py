"""Which samples are the frames of one video, in order, and what makes images one."""

import itertools
from collections.abc import Iterable, Iterator

import numpy as np

from keras_saliency.data.samples import Sample
from keras_saliency.formulas.types import Photograph


def shot_of(sample: Sample) -> str:
    """What a frame follows others in: `VIDEO` in its name `VIDEO/FRAME`; the name of what is no frame.

    It is the group of the sample, but where a video is cut into shots, which are one group.
    """
    return sample.name if sample.frame is None else sample.name.rpartition("/")[0] or sample.group


def shots_in(samples: Iterable[Sample]) -> dict[str, range]:
    """The positions of the frames of each video or, of one that is cut, of each shot; an image is one of its own.

    Args:
        samples: `Samples`, or a list of them.

    Raises:
        ValueError: If the frames of one do not stand together or not in order, or some between them are missing.
    """
    found: dict[str, range] = {}
    start = 0
    for shot, run in itertools.groupby(samples, shot_of):
        numbers = [sample.frame for sample in run]
        if shot in found:
            raise ValueError(f"The frames of {shot} do not stand together. Sort samples by video and frame.")
        steps = [(one, other) for one, other in itertools.pairwise(numbers) if one is not None and other is not None]
        for one, other in steps:
            if other <= one or other - one != steps[0][1] - steps[0][0]:
                raise ValueError(
                    f"{shot}: frame {other} comes after frame {one}, and others follow by {steps[0][1] - steps[0][0]}. "
                    "Keep all frames of a video, in order."
                )
        found[shot] = range(start, start + len(numbers))
        start += len(numbers)
    return found


def of_one_size(frames: Iterable[Photograph]) -> Iterator[Photograph]:
    """Yields the frames of a video, `(height, width, 3)`, uint8 RGB, as they are given.

    Raises:
        ValueError: If there is none, one is no image, or of another size than the first.
    """
    first = None
    for number, image in enumerate(frames, 1):
        image = np.asarray(image)
        if image.ndim != 3 or image.shape[-1] != 3 or image.dtype != "uint8":
            raise ValueError(
                f"Frame {number} is {image.dtype} of shape {image.shape}. A frame is (height, width, 3), uint8."
            )
        if first is not None and image.shape != first:
            raise ValueError(
                f"Frame {number} is {image.shape[0]}x{image.shape[1]}, the first one {first[0]}x{first[1]} (height x "
                "width). Cut the video where its size changes."
            )
        first = image.shape
        yield image
    if first is None:
        raise ValueError("The video has no frame.")
