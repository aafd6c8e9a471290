"""Building and calling networks channels last, however Keras is configured."""

import contextlib
import threading
from collections.abc import Iterator

import keras

_LOCK = threading.Lock()
# What the configuration was when each of those inside came in.
_BEFORE: list[str] = []


@contextlib.contextmanager
def channels_last() -> Iterator[None]:
    """A context, also a decorator, in which layers and operations that ask Keras for the order of the axes get ours.

    Networks of `keras.applications` ask while they are built, and `keras.layers.Rescaling` whenever it is called. The
    configuration is that of the whole process: the first thread that comes in sets it, and the last that leaves sets it
    back.
    """
    with _LOCK:
        _BEFORE.append(keras.config.image_data_format())
        keras.config.set_image_data_format("channels_last")
    try:
        yield
    finally:
        with _LOCK:
            before = _BEFORE.pop()
            if not _BEFORE:
                keras.config.set_image_data_format(before)


def require_channels_last(network: keras.Model) -> None:
    """Checks that a network was not built with another order of the axes.

    Raises:
        ValueError: If it was.
    """
    if any(getattr(layer, "data_format", None) == "channels_first" for layer in network.layers):
        raise ValueError(f"{network.name} has layers with data_format='channels_first': build it channels last.")
