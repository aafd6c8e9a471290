"""The densities that a model must beat, or hopes to reach."""

import numpy as np

from keras_saliency.baselines.centre_bias import CentreBias
from keras_saliency.baselines.gold_standard import GoldStandard
from keras_saliency.baselines.table import BASELINES, VIDEO_BASELINES, make_baseline, make_video_baseline
from keras_saliency.formulas.types import Plane, Size


def uniform(size: Size) -> Plane:
    """The uniform log-density `(height, width)`."""
    return np.full(size, -np.log(size[0] * size[1]))


__all__ = [
    "BASELINES",
    "VIDEO_BASELINES",
    "CentreBias",
    "GoldStandard",
    "make_baseline",
    "make_video_baseline",
    "uniform",
]
