"""The table of baselines that predict a map from an image, by name."""

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

from keras_saliency.baselines.aim import AIM
from keras_saliency.baselines.aws import aws
from keras_saliency.baselines.bms import bms
from keras_saliency.baselines.centre_bias import CentreBias
from keras_saliency.baselines.edn import EDN
from keras_saliency.baselines.gbvs import gbvs
from keras_saliency.baselines.iseel import ISEEL
from keras_saliency.baselines.itti import itti
from keras_saliency.baselines.judd import Judd
from keras_saliency.baselines.le_meur import le_meur
from keras_saliency.baselines.rare import rare
from keras_saliency.baselines.signature import image_signature
from keras_saliency.formulas.types import Photograph, Plane

if TYPE_CHECKING:
    from keras_saliency.data.data_set import DataSet
    from keras_saliency.data.samples import Samples

AIM_IMAGES = JUDD_IMAGES = 100
ISEEL_IMAGES = 700  # as many as OSIE has

Predictor: TypeAlias = Callable[[Photograph], Plane]
# Name -> what makes its function from an image to a saliency map, from a data set.
BASELINES: dict[str, Callable[["DataSet"], Predictor]] = {
    "itti": lambda data: itti,
    "gbvs": lambda data: gbvs,
    "aim": lambda data: AIM(sample.read() for sample in some(data.train, AIM_IMAGES)),
    "signature": lambda data: image_signature,
    "bms": lambda data: bms,
    "rare": lambda data: rare,
    "aws": lambda data: aws,
    "judd": lambda data: Judd(some(data.train, JUDD_IMAGES)),
    "edn": lambda data: EDN(),
    "iseel": lambda data: ISEEL(some(data.train, ISEEL_IMAGES), CentreBias(data.train, data.validation)),
    "lemeur": lambda data: functools.partial(le_meur, pixels_per_degree=data.pixels_per_degree),
}


def some(samples: "Samples", count: int) -> "Samples":
    """The first images; of frames of videos those that somebody looked at, evenly over all videos."""
    usable = samples.usable
    if not samples.are_frames or len(usable) <= count:
        return usable[:count]
    return usable[:: -(-len(usable) // count)]


def make_baseline(name: str, data: "DataSet") -> Predictor:
    """The function of a classical saliency model, from an image to its map.

    Args:
        name: One of `BASELINES`.
        data: AIM, Judd and iSEEL learn on its training images; the centre bias of iSEEL on validation, too. Le Meur's
            model takes its `pixels_per_degree`.

    Raises:
        ValueError: If the name is unknown.
    """
    if name not in BASELINES:
        raise ValueError(f"Unknown baseline {name!r}. Known baselines: {', '.join(BASELINES)}.")
    return BASELINES[name](data)
