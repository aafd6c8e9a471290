"""Requests by which TensorFlow Serving warms a model up before it answers, in the folder of a version."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tensorflow as tf

# Below a version; a server that knows no such file leaves it alone.
FILE = Path("assets.extra") / "tf_serving_warmup_requests"


def write_warm_up(directory: Path, requests: Mapping[str, Mapping[str, Any]]) -> None:
    """Writes a request for each signature.

    Args:
        directory: The folder of a version.
        requests: From the name of a signature to its inputs, `TensorProto`s, by name.
    """
    file = directory / FILE
    file.parent.mkdir()
    with tf.io.TFRecordWriter(str(file)) as writer:
        for signature, inputs in requests.items():
            writer.write(_log(signature, inputs))


def _log(signature, inputs):
    """A `tensorflow.serving.PredictionLog` with a `PredictRequest`, written without the package that defines them."""
    spec = _field(3, signature.encode())
    request = _field(1, spec)
    for name, tensor in inputs.items():
        request += _field(2, _field(1, name.encode()) + _field(2, tensor.SerializeToString()))
    return _field(6, _field(1, request))


def _field(number, payload):
    """A field of a message whose length comes before it."""
    return bytes([number << 3 | 2]) + _varint(len(payload)) + payload


def _varint(number):
    head = []
    while number > 127:
        head.append(number & 127 | 128)
        number >>= 7
    return bytes([*head, number])
