"""What networks were trained to see: the mean and the deviation of RGB in [0, 1] that images are standardised by."""

from collections.abc import Sequence

Colours = tuple[Sequence[float], Sequence[float]]

IMAGENET: Colours = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
CLIP: Colours = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
HALVES: Colours = (0.5,) * 3, (0.5,) * 3


def standardising(colours: Colours) -> Colours:
    """The scale and the offset that standardise RGB in [0, 255]."""
    pairs = list(zip(*colours, strict=True))
    return [1 / (255 * deviation) for _, deviation in pairs], [-mean / deviation for mean, deviation in pairs]
