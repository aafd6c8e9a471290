"""Several models as one, and one that looks more than once."""

import dataclasses
from collections.abc import Sequence

import keras
import numpy as np
from keras import layers

from keras_saliency.layers.log_softmax import LogSoftmax
from keras_saliency.layers.match_size import MatchSize
from keras_saliency.layers.mirror import Mirror
from keras_saliency.layers.zoom import Zoom
from keras_saliency.models.heads import require_log_density
from keras_saliency.models.recording import RecordingHead, network_of, recording_head_of
from keras_saliency.models.saliency_model import SaliencyModel
from keras_saliency.models.sizes import shown_by, size_of


def mix(
    models: Sequence[keras.Model],
    name: str = "mixture",
    sizes: Sequence[float] = (1.0,),
    mirrored: bool = False,
) -> SaliencyModel:
    """Averages log-densities and normalises the mean: the geometric mean of what the models predict.

    Models that were trained on the same recordings are averaged before their heads, and the mean has one head, whose
    numbers and centre biases are the means of theirs, and in which each map may be given a weight of its own.

    Args:
        models: Models that give log-densities and see pictures alike: by one view, or in frames of one size. Their
            weights are shared, not copied.
        name: The name of the mixture.
        sizes: How large each sees a picture, in sizes of what it sees alone: `(1.5, 0.75)` for two looks, at more and
            at fewer pixels. Where models have a view, that of the mixture shows pictures as large as the largest asks
            for; in a frame, what is in it is made larger and smaller.
        mirrored: Whether each looks at the mirror image, too.

    Raises:
        ValueError: If a model gives no log-density, the sizes of what they see differ, or there are none.
    """
    for model in models:
        require_log_density(model)
    shown = {shown_by(model) for model in models}
    if len(shown) != 1:
        raise ValueError(
            "The models of a mixture must see pictures alike, by one view or at one size. "
            f"Received: {sorted(shown, key=str)}."
        )
    if not sizes or min(sizes) <= 0:
        raise ValueError(f"sizes must be numbers above 0, one at least. Received: {sizes}.")
    heads = [head for head in map(recording_head_of, models) if head and head.recordings]
    together = len(heads) == len(models) and len({head.recordings for head in heads}) == 1
    images = keras.Input((*(size_of(models[0]) or (None, None)), 3), name="images")
    members = [network_of(model) if together else model for model in models]
    members = [SaliencyModel(model.inputs[0], model.output, name=f"member{i}") for i, model in enumerate(members, 1)]
    view, factor = _enlarged(getattr(models[0], "view", None), max(sizes))
    zooms, multiple = [size / factor for size in sizes], view.stride if view else 1
    seen = [
        images if zoom == 1 else Zoom((zoom, zoom), multiple=multiple, name=f"size{i}")(images)
        for i, zoom in enumerate(zooms, 1)
    ]
    match = MatchSize(gives="log-density", dtype="float32", name="match_images")
    maps = [member(picture) for member in members for picture in seen]
    if mirrored:
        mirror = Mirror(dtype="float32", name="mirror")
        maps += [mirror(member(mirror(picture))) for member in members for picture in seen]
    maps = [log_density if zooms == [1.0] else match([log_density, images]) for log_density in maps]
    if together:
        joined = layers.Concatenate(dtype="float32", name="maps")(maps) if len(maps) > 1 else maps[0]
        mixture = SaliencyModel(images, _common_head(joined, heads), name=name)
    else:
        mean = layers.Average(dtype="float32", name="mean")(maps) if len(maps) > 1 else maps[0]
        mixture = SaliencyModel(images, LogSoftmax(name="log_density")(mean), name=name)
    mixture.view = view
    return mixture


def _enlarged(view, factor):
    """A view of so many times the size, and by how much it shows pictures larger than before."""
    if view is None:
        return None, 1.0
    degrees = view.pixels_per_degree and view.pixels_per_degree * factor
    return dataclasses.replace(view, area=round(view.area * factor**2), pixels_per_degree=degrees), factor


def _common_head(maps, heads):
    """The mean of heads over several maps, all of which weigh alike."""
    head = RecordingHead(recordings=heads[0].recordings, recording=heads[0].recording, name="recording_head")
    log_density = head(maps)
    for recording in (*head.recordings, None):
        numbers = [each.numbers_of(recording) for each in heads]
        density = np.mean([each.centre_bias_of(recording) for each in heads], 0)
        head.set({name: np.mean([each[name] for each in numbers]) for name in numbers[0]}, density, recording)
    return log_density
