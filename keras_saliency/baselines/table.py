"""The tables of baselines, by name: of those that predict a map from an image, and maps from the frames of a video."""

import functools
from collections.abc import Callable, Iterable, Iterator
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
from keras_saliency.baselines.le_meur_video import le_meur_video
from keras_saliency.baselines.rare import rare
from keras_saliency.baselines.signature import image_signature
from keras_saliency.formulas.types import Photograph, Plane

if TYPE_CHECKING:
    from keras_saliency.data.data_set import DataSet
    from keras_saliency.data.samples import Samples

AIM_IMAGES = JUDD_IMAGES = 100
ISEEL_IMAGES = 700  # as many as OSIE has

Predictor: TypeAlias = Callable[[Photograph], Plane]
VideoPredictor: TypeAlias = Callable[[Iterable[Photograph]], Iterator[Plane]]
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
# Name -> the same of videos: of the frames of one, in order, to their maps.
VIDEO_BASELINES: dict[str, Callable[["DataSet"], VideoPredictor]] = {
    "lemeur-video": lambda data: functools.partial(le_meur_video, pixels_per_degree=data.pixels_per_degree),
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
    return _found(name, BASELINES)(data)


def make_video_baseline(name: str, data: "DataSet") -> VideoPredictor:
    """The function of a classical model of videos, from the frames of one, in order, to a map for each.

    Args:
        name: One of `VIDEO_BASELINES`.
        data: Le Meur's model takes its `pixels_per_degree`.

    Raises:
        ValueError: If the name is unknown.
    """
    return _found(name, VIDEO_BASELINES, " of videos")(data)


def _found(name, table, of_what=""):
    if name not in table:
        raise ValueError(f"Unknown baseline{of_what} {name!r}. Known baselines{of_what}: {', '.join(table)}.")
    return table[name]
