"""One factory for models of videos, and their table."""

import functools
from collections.abc import Callable
from typing import NamedTuple

from keras_saliency.backbones.channels_last import channels_last
from keras_saliency.formulas.types import Size
from keras_saliency.models.aclnet import aclnet
from keras_saliency.models.sizes import known_size
from keras_saliency.models.video import VideoModel
from keras_saliency.models.video_salnet import spatio_temporal
from keras_saliency.models.video_unisal import unisal_video


class VideoArchitecture(NamedTuple):
    """A row of the table.

    Attributes:
        build: From weights, size, head, width and scale, and what else it takes, to the model.
        size: The height and width of its frames, where none are asked for.
        options: What else it takes, by name.
    """

    build: Callable[..., VideoModel]
    size: Size
    options: tuple[str, ...] = ()


def _salnet(name, sees, fusion=None):
    return VideoArchitecture(functools.partial(spatio_temporal, name, sees=sees, fusion=fusion), (240, 320))


VIDEO_ARCHITECTURES = {
    "aclnet": VideoArchitecture(aclnet, (256, 320), ("sides",)),
    "ssnet": _salnet("ssnet", ["frames"]),
    "tsnet": _salnet("tsnet", ["flow"]),
    "stsmaxnet": _salnet("stsmaxnet", ["frames", "flow"], "maximum"),
    "stsconvnet": _salnet("stsconvnet", ["frames", "flow"], "convolution"),
    "unisal-video": VideoArchitecture(unisal_video, (224, 384), ("recurrent",)),
}


def list_video_models() -> list[str]:
    """The names that `create_video_model` knows."""
    return sorted(VIDEO_ARCHITECTURES)


@channels_last()
def create_video_model(
    name: str,
    *,
    weights: str | None = "imagenet",
    input_size: Size | None = None,
    head: str | None = None,
    width: float = 1.0,
    scale: float = 1.0,
    sides: bool | None = None,
    recurrent: bool | None = None,
) -> VideoModel:
    """Builds a model of videos: `model(frames, state) -> maps, state`.

    Args:
        name: One of `list_video_models()`. What each does, its source and what differs stands in its file in
            `keras_saliency.models`.
        weights: Of the backbone, as in `create_model`.
        input_size: `(height, width)` of the frames; by default as published, and for `"unisal-video"` (224, 384).
            Called, the model takes frames of any size.
        head: As in `create_model`.
        width: Multiplies the channels of all hidden layers behind the backbone; the published ones have 1.
        scale: The size of the maps in sizes of the frame. As published, ACLNet has 0.5.
        sides: Of `"aclnet"`: whether it gives a list of maps, those of its attention at half the size after its own.
        recurrent: Of `"unisal-video"`: False for the network of single images, frame by frame.

    Returns:
        A `VideoModel` from frames `(batch, time, height, width, 3)`, RGB in [0, 255], to maps
        `(batch, time, height, width, 1)` in float32. `"tsnet"`, `"stsmaxnet"` and `"stsconvnet"` see motion and take
        six channels, as `keras_saliency.data.with_flow` makes them.

    Raises:
        ValueError: If the name or the head is unknown, lists the known ones; if the size is none, or the network has no
            such option.
        ConnectionError, FileNotFoundError: If the weights cannot be had; see `create_backbone`.
    """
    if name not in VIDEO_ARCHITECTURES:
        raise ValueError(f"Unknown video model {name!r}. Known video models: {', '.join(list_video_models())}.")
    row = VIDEO_ARCHITECTURES[name]
    options = {key: value for key, value in {"sides": sides, "recurrent": recurrent}.items() if value is not None}
    for key in options:
        if key not in row.options:
            raise ValueError(f"{name} has no {key}: leave {key} out.")
    size = row.size if input_size is None else known_size(input_size, "input_size")
    return row.build(weights, size, head, width, scale, **options)
