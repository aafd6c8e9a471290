"""The weights that come with the package."""

import hashlib
import json
import types
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import ops

from keras_saliency.legacy.torch_file import load_safetensors, safetensors_metadata
from keras_saliency.models.recording import require_recording_head

FOLDER = Path(__file__).parents[1] / "weights"
# From a name to the SHA-256 of its file.
SHIPPED = {
    "general": "7e27dbb82f6b03fdc665b83c214ba006aa238484dda2d992d5c750c485e70052",
    "fast": "7941b53249e9d46912468fc21dbc53dda56e59b64881d5f50e3cf862d7c1976d",
}
LARGE = 4096  # numbers of a tensor that is stored in half precision
# What a network has where its recordings have heads of their own: nothing.
UNSAVED = "centre_bias/log_density"


class Stored(NamedTuple):
    """What is in a file of weights.

    Attributes:
        config: `{"members": [arguments of create_model, ...], "sizes": [1.0, ...], "recordings": [name, ...], "images":
            {"train": [name, ...], "validation": [name, ...]}}`.
        members: The weights of each member, float32.
        head: Those of the head.
    """

    config: dict[str, Any]
    members: list[list[np.ndarray]]
    head: list[np.ndarray]


def is_shipped(name: Any) -> bool:
    """Whether it names a model that comes with the package; what lies at a path of that name goes first."""
    return str(name) in SHIPPED and not Path(name).exists()


def read(name: str) -> Stored:
    """What the file of a model of `SHIPPED` holds. No code is run, and a file that was changed is not read.

    Raises:
        ValueError: If the name is unknown, lists the known ones; if the file is not the one that was shipped.
        FileNotFoundError: If it is not there.
    """
    if name not in SHIPPED:
        raise ValueError(f"Unknown weights {name!r}. Known weights: {', '.join(SHIPPED)}.")
    path = FOLDER / f"{name}.safetensors"
    if not path.is_file():
        raise FileNotFoundError(f"{path} does not exist. Install keras_saliency again.")
    if checksum(path) != SHIPPED[name]:
        raise ValueError(
            f"{path} is not the file that came with this version of keras_saliency: its checksum is another. Install "
            "keras_saliency again."
        )
    return read_file(path)


def checksum(path: Path) -> str:
    """The SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_file(path: Path) -> Stored:
    """The same of a file of `write_file` that nobody has vouched for."""
    config = json.loads(safetensors_metadata(path)["config"])
    tensors = {key: value.astype("float32") for key, value in load_safetensors(path).items()}

    def of(part):
        return [tensors[key] for key in sorted(tensors) if key.startswith(f"{part}.")]

    return Stored(config, [of(f"member{i}") for i in range(len(config["members"]))], of("head"))


def write_file(
    path: Path,
    networks: Sequence[keras.Model],
    members: Sequence[Mapping[str, Any]],
    headed: keras.Model,
    sizes: Sequence[float] = (1.0,),
    images: Mapping[str, Sequence[str]] = types.MappingProxyType({}),
) -> None:
    """Writes the weights of networks and of their common head; kernels in half precision.

    Args:
        path: A new `.safetensors` file.
        networks: What comes before the head of each member, by the order of `members`.
        members: The arguments of `create_model` of each, but for weights.
        headed: A model with the `RecordingHead`.
        sizes: How large each member sees a picture; see `mix`.
        images: The names of the images that it was trained on, `train`, and chosen by, `validation`.
    """
    import safetensors.numpy

    head = require_recording_head(headed)
    parts = {f"member{i}": _kept(network) for i, network in enumerate(networks)} | {"head": head.weights}
    tensors = {
        f"{part}.{j:04d}": _narrowed(ops.convert_to_numpy(weight))
        for part, weights in parts.items()
        for j, weight in enumerate(weights)
    }
    config = {"members": list(members), "sizes": list(sizes), "recordings": head.recordings, "images": {**images}}
    safetensors.numpy.save_file(tensors, path, {"config": json.dumps(config)})


def fill(model: keras.Model, weights: Sequence[np.ndarray]) -> None:
    """Gives a network of `create_model` the weights of a member."""
    for weight, value in zip(_kept(model), weights, strict=True):
        weight.assign(value)
    centre_bias = model.get_layer("decoder").get_layer("centre_bias")
    centre_bias.set_density(np.ones(centre_bias.log_density.shape[1:3]))


def fill_from(model: keras.Model, name: str) -> None:
    """Gives a network the weights of that member of a shipped model which has its architecture.

    Raises:
        ValueError: As `read`, and if there is none; lists the members.
    """
    stored = read(name)
    shapes = [tuple(weight.shape) for weight in _kept(model)]
    for weights in stored.members:
        if [value.shape for value in weights] == shapes:
            return fill(model, weights)
    known = [", ".join(f"{k}={v!r}" for k, v in each.items() if v is not None) for each in stored.config["members"]]
    raise ValueError(
        f"weights={name!r} fit another architecture than this {model.name}. Ask for {'; or '.join(known)}."
    )


def _kept(network):
    return [weight for weight in network.weights if not weight.path.endswith(UNSAVED)]


def _narrowed(array):
    return array.astype("float16" if array.size >= LARGE and array.dtype == "float32" else array.dtype)
