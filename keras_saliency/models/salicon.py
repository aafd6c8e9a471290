"""The SALICON network (Huang et al., ICCV 2015): one image seen at two scales."""

from collections.abc import Sequence

from keras_saliency.formulas.types import Features, Maps
from keras_saliency.models.decoders import join, score


def salicon(features: Sequence[Features], width: float = 1.0) -> Maps:
    """Joins the features of the image and of the image at half its size, and weighs their channels.

    Published on two VGG16 of one design and own weights, from conv5_3, images of 600x800 and 300x400: 29,430,401
    parameters. There is nothing whose `width` could be changed.
    """
    return score(join(features))
