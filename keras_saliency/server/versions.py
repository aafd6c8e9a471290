"""The models that are served, and their versions, as TensorFlow Serving finds them: folders named by integers."""

import gc
import weakref
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2
from tensorflow_serving.apis import get_model_metadata_pb2, get_model_status_pb2, prediction_log_pb2

from keras_saliency.server.errors import Code, RequestError, as_request_error, invalid
from keras_saliency.server.json_tensors import DEFAULT, Inputs
from keras_saliency.serving.export import open_saved_model
from keras_saliency.serving.warm_up import FILE

GRAPH = "saved_model.pb"
MOST = 1000  # requests by which a model is warmed up
State = get_model_status_pb2.ModelVersionStatus.State
Definitions = get_model_metadata_pb2.SignatureDefMap


class Signature(NamedTuple):
    """A function of a SavedModel.

    Attributes:
        inputs: What it takes, by name.
        outputs: The names of what it gives.
        function: Itself.
        batches: Whether all that it takes and gives has a first dimension of any length.
    """

    inputs: Mapping[str, tf.TensorSpec]
    outputs: tuple[str, ...]
    function: Any
    batches: bool

    def __call__(self, inputs: Inputs) -> dict[str, np.ndarray]:
        """What it gives for arrays."""
        tensors = {name: tf.constant(inputs[name], spec.dtype) for name, spec in self.inputs.items()}
        return {name: tensor.numpy() for name, tensor in self.function(**tensors).items()}


class Version:
    """A SavedModel in memory.

    Args:
        number: Its number.
        directory: Its folder.

    Raises:
        ValueError: If it cannot be loaded, or serves no saliency.
    """

    def __init__(self, number: int, directory: Path) -> None:
        self.number = number
        self.batchers: dict[str, Any] = {}  # of its signatures, by `answering`
        self.loaded = open_saved_model(directory)  # whose variables live as long as it does
        self.signatures = {name: _signature(function) for name, function in self.loaded.signatures.items()}
        saved = saved_model_pb2.SavedModel.FromString((directory / GRAPH).read_bytes())
        self.definitions = Definitions()
        for name, definition in saved.meta_graphs[0].signature_def.items():
            definition.ClearField("defaults")  # as TensorFlow Serving does since 2.20
            self.definitions.signature_def[name].CopyFrom(definition)
        self._warm_up(directory / FILE)

    def _warm_up(self, file):
        """Answers the requests that lie with the model, so that the first one who asks need not wait."""
        if not file.is_file():
            return
        try:
            for count, record in enumerate(tf.data.TFRecordDataset(str(file)).as_numpy_iterator()):
                if count == MOST:
                    raise ValueError(f"there are more than {MOST}")
                request = prediction_log_pb2.PredictionLog.FromString(record).predict_log.request
                inputs = {name: tf.make_ndarray(tensor) for name, tensor in request.inputs.items()}
                self.signatures[request.model_spec.signature_name or DEFAULT](inputs)
        except Exception as error:
            raise ValueError(
                f"{file} holds a request that cannot be answered: {error}. Export the model again."
            ) from error


def _signature(function):
    inputs, outputs = function.structured_input_signature[1], function.structured_outputs
    specs = [*inputs.values(), *outputs.values()]
    batches = all(spec.shape.rank and spec.shape[0] is None for spec in specs)
    return Signature(inputs, tuple(sorted(outputs)), function, batches)


class Model:
    """What answers by one name: the newest version in a folder, or one version of it.

    Args:
        name: The name.
        base: The folder of the versions.
        only: The name of the folder of the one that is served; None for the newest.

    Raises:
        ValueError: If there is no version, or it cannot be loaded.
    """

    def __init__(self, name: str, base: Path, only: str | None = None) -> None:
        self.name, self.base, self.only = name, base, only
        self.states: dict[int, tuple[int, RequestError | None]] = {}
        self.current: Version | None = None
        self.leaving: Callable[[], Version | None] = lambda: None
        self.tried: Any = None  # what could not be loaded, as it was then
        newest = self._newest()
        if newest is None:
            raise ValueError(f"{base} has no version: a folder that is called by an integer, such as {base / '1'}.")
        self._load(newest)

    def _newest(self):
        """The folder of the version that is to answer."""
        if self.only is not None:
            return self.base / self.only
        return max(filter(is_version, self.base.iterdir()), key=lambda folder: int(folder.name), default=None)

    def refresh(self) -> str | None:
        """Loads the newest version if it is not the one that answers, and lets that go.

        Returns:
            A sentence if there is news.
        """
        if self.leaving() is not None:
            gc.collect()  # Requests that it was answering when it was replaced may be done.
        newest = self._newest()
        if newest is None or (self.current and int(newest.name) == self.current.number):
            return None
        seen = newest, sorted((str(each), each.lstat().st_size) for each in newest.rglob("*"))
        if seen == self.tried:
            return None
        try:
            self._load(newest)
        except Exception as error:
            self.tried = seen
            return f"{self.name}: version {newest.name} cannot be loaded, and the old one goes on: {error}"
        return f"{self.name}: version {int(newest.name)} answers"

    def _load(self, folder):
        number = int(folder.name)
        self.states[number] = State.LOADING, None
        try:
            new = Version(number, folder)
        except Exception as error:
            self.states[number] = State.END, as_request_error(error)
            raise
        old, self.current = self.current, new
        self.states[number] = State.AVAILABLE, None
        if old is not None:
            self.states[old.number] = State.END, None
            self.leaving = weakref.ref(old)

    def version(self, number: int | None = None, label: str | None = None) -> Version:
        """The version that answers.

        Raises:
            RequestError: If another one, or a label, is asked for.
        """
        if label:
            raise invalid(f"Unrecognized servable version label: {label}")
        current = self.current
        if current is None or number not in (None, current.number):
            raise unknown(self.name, number)
        return current

    def status(self, number: int | None = None) -> get_model_status_pb2.GetModelStatusResponse:
        """The states of all versions that were seen, the latest first, or of one.

        Raises:
            RequestError: If that one is unknown.
        """
        chosen = sorted(self.states, reverse=True) if number is None else [number]
        if number is not None and number not in self.states:
            raise RequestError(Code.NOT_FOUND, f"Could not find version {number} of model {self.name}")
        found = get_model_status_pb2.GetModelStatusResponse()
        for each in chosen:
            state, fault = self.states[each]
            row = found.model_version_status.add(version=each, state=state)
            row.status.error_code = fault.code.value[0] if fault else 0
            row.status.error_message = str(fault or "")
        return found


def unknown(name: str, number: int | None) -> RequestError:
    """What is said of a model, or a version, that is not served."""
    asked = f"Latest({name})" if number is None else f"Specific({name}, {number})"
    return RequestError(Code.NOT_FOUND, f"Servable not found for request: {asked}")


def is_version(path: Path) -> bool:
    """Whether it is a folder that is called by an integer of 64 bits."""
    return path.name.isascii() and path.name.isdigit() and int(path.name) < 2**63 and path.is_dir()
