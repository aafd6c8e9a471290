"""Which samples are the frames of one video, in order."""

import itertools
from collections.abc import Iterable

from keras_saliency.data.samples import Sample


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
