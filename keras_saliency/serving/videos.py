"""From videos to a map for each frame."""

import itertools
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import cv2
import keras
import numpy as np
from keras import ops

from keras_saliency.data import image_files, showing
from keras_saliency.data.flow import with_flow
from keras_saliency.data.videos import of_one_size
from keras_saliency.formulas.types import Photograph, Plane, Size
from keras_saliency.models import VideoModel, as_video, require_finite
from keras_saliency.models.sizes import shown_for
from keras_saliency.serving.load import Run, load
from keras_saliency.serving.photographs import find_images

CHUNK = 12  # frames of a sequence that go through a model at once
RGB = 3


def predict_video(
    model: keras.Model | Run | str | Path,
    frames: str | Path | Iterable[Photograph],
    stride: int = 1,
    chunk: int = CHUNK,
    size: Size | None = None,
    pixels_per_degree: float | None = None,
) -> Iterator[Plane]:
    """Predicts where people look in each frame of a video.

    Args:
        model: A model of videos, or one of images, which sees each frame alone; a `Run`, the folder of one, a `.keras`
            file, or the name of a model that comes along.
        frames: A video file, a folder of frames, in the order of the numbers in their names, or the frames: an array
            `(time, height, width, 3)`, uint8 RGB, or anything that yields such images, all of one size.
        stride: A model that was trained on each n-th frame sees n sequences, one beginning at each of the first n
            frames, each with its own state; every frame has a map all the same.
        chunk: How many frames of a sequence go through the model at once; maps do not depend on it. As many frames as
            stride times this are in memory, at the size at which the model sees them.
        size: As in `keras_saliency.predict`.
        pixels_per_degree: As in `keras_saliency.predict`.

    Yields:
        For each frame, in order, its map at its own size, `(height, width)`, float32: the log-density, or, from a model
        that gives none, a map without negative values.

    Raises:
        FileNotFoundError: If the model or the video does not exist.
        ValueError: If there is no frame, one is no image, or of another size than the first; if `stride` or `chunk` is
            not positive; if maps are not finite; or as `keras_saliency.predict`.
        OSError: If a frame cannot be read.
    """
    if stride < 1 or chunk < 1:
        raise ValueError(f"stride and chunk count frames, from one on. Received: {stride} and {chunk}.")
    return maps_of(open_video_model(model), read_frames(frames), stride, chunk, size, pixels_per_degree)


def open_video_model(model: keras.Model | Run | str | Path) -> VideoModel:
    """A model of videos, or one of images as one: see `predict_video`.

    Raises:
        FileNotFoundError: If it does not exist.
        ValueError: If it is no model of images or videos, or its weights are not finite.
    """
    if isinstance(model, str | Path):
        model = load(model, videos=True)
    network = model.model if isinstance(model, Run) else model
    require_finite(network)
    return network if isinstance(network, VideoModel) else as_video(network)


def maps_of(
    model: VideoModel,
    frames: Iterator[Photograph],
    stride: int = 1,
    chunk: int = CHUNK,
    size: Size | None = None,
    pixels_per_degree: float | None = None,
) -> Iterator[Plane]:
    """Yields the map of each of the frames that `read_frames` gives; arguments are as in `predict_video`."""
    degrees, log_density, sees_motion = pixels_per_degree, model.gives_log_density, model.frame_shape[-1] == 2 * RGB
    states: list[Any] = [None] * stride
    before: list[Any] = [None] * stride  # the last frame of each sequence
    shown: Any = None
    for image in frames:
        image_size = image.shape[:2]
        shown = shown or shown_for(model.encoder, image_size, size, degrees)
        batch = itertools.chain([image], itertools.islice(frames, chunk * stride - 1))
        # A very long frame is seen in windows: they are the batch.
        seen = np.stack([showing.show(each, shown, degrees) for each in batch], 1)
        found: list[Any] = [None] * seen.shape[1]
        for first in range(min(stride, len(found))):
            own = seen[:, first::stride]
            given = with_flow(own, before[first]) if sees_motion else own
            maps, states[first] = model(given, states[first], training=False)
            before[first] = own[:, -1]
            # One with several maps gives those of the video first.
            found[first::stride] = np.moveaxis(ops.convert_to_numpy(keras.tree.flatten(maps)[0]), 1, 0)
        for each in found:
            native = np.asarray(showing.put_back(each, image_size, shown, log_density, degrees))[..., 0]
            if not np.isfinite(native).all():
                raise ValueError(f"{model.name} predicts NaN or infinite values. Compute it in float32.")
            yield native


def read_frames(frames: str | Path | Iterable[Photograph]) -> Iterator[Photograph]:
    """Yields the frames of a video, `(height, width, 3)`, uint8 RGB, all of one size.

    Args:
        frames: As in `predict_video`.

    Raises:
        FileNotFoundError, OSError, ValueError: As `predict_video`.
    """
    yield from of_one_size(_images(frames))


def _images(frames):
    if not isinstance(frames, str | Path):
        return iter(frames)
    path = Path(frames)
    if path.is_dir():
        files = sorted((file for file, _ in find_images([path])), key=_as_counted)
        return (image_files.read(file, file) for file in files)
    if not path.is_file():
        raise FileNotFoundError(f"{path} does not exist.")
    return _of_file(path)


def _as_counted(path):
    """A path as people order it: frame 2 before frame 10."""
    return [int(part) if part.isdecimal() else part for part in re.split(r"(\d+)", str(path))]


def _of_file(path):
    video = cv2.VideoCapture(str(path))
    try:
        if not video.isOpened():
            raise OSError(
                f"{path} is no video that OpenCV can read. Write its frames into a folder, such as by FFmpeg."
            )
        while (read := video.read())[0]:
            yield np.ascontiguousarray(read[1][..., ::-1])
    finally:
        video.release()
