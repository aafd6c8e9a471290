"""Answers requests for predictions, whatever they came over."""

import asyncio
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import Executor
from contextlib import contextmanager

import tensorflow as tf
from tensorflow_serving.apis import get_model_status_pb2

from keras_saliency.server.batching import Batcher, Batching, Outputs
from keras_saliency.server.counting import Counts
from keras_saliency.server.errors import Code, RequestError, as_request_error, invalid
from keras_saliency.server.json_tensors import Inputs
from keras_saliency.server.versions import Model, Signature, Version, unknown


class Desk:
    """Where requests for all models come in.

    Args:
        models: The models by name.
        options: How requests are joined.
        executor: Where models work.
        counts: What is counted.
    """

    def __init__(self, models: Mapping[str, Model], options: Batching, executor: Executor, counts: Counts) -> None:
        self.models, self.options, self.executor, self.counts = models, options, executor, counts

    def model(self, name: str, number: int | None = None) -> Model:
        """The model of a name.

        Raises:
            RequestError: If there is none, or no name.
        """
        if not name:
            raise invalid("ModelSpec has no name specified.")
        if name not in self.models:
            raise unknown(name, number)
        return self.models[name]

    def version(self, name: str, number: int | None = None, label: str | None = None) -> Version:
        """The version that answers for a name.

        Raises:
            RequestError: If there is none.
        """
        return self.model(name, number).version(number, label)

    def status(self, name: str, number: int | None) -> get_model_status_pb2.GetModelStatusResponse:
        """The states of the versions of a model, or of one of them.

        Raises:
            RequestError: If there is no such model, or version.
        """
        if name and name not in self.models:
            what = "any versions" if number is None else f"version {number}"
            raise RequestError(Code.NOT_FOUND, f"Could not find {what} of model {name}")
        return self.model(name).status(number)

    async def predict(self, version: Version, signature: str, inputs: Inputs, name: str) -> Outputs:
        """The outputs of a signature of a version of the model of a name.

        Raises:
            RequestError: If the inputs are not what it takes, or the model fails.
        """
        asked = version.signatures[signature]
        _require_shapes(asked, inputs)
        if not asked.batches:
            return await self._alone(asked, inputs)
        batcher = version.batchers.get(signature)
        if batcher is None:
            observe = self.counts.batch_sizes.labels(name).observe
            batcher = version.batchers[signature] = Batcher(asked, self.options, self.executor, observe)
        return await batcher(inputs)

    async def _alone(self, signature, inputs):
        try:
            return await asyncio.get_running_loop().run_in_executor(self.executor, signature, inputs)
        except Exception as error:
            raise as_request_error(error) from error

    @contextmanager
    def counted(self, protocol: str, name: str) -> Iterator[None]:
        """Counts a request, its time and how it ended."""
        began, code = time.perf_counter(), Code.CANCELLED
        known = name if name in self.models else ""  # What others call models has no end.
        try:
            yield
            code = Code.OK
        except Exception as error:
            code = as_request_error(error).code
            raise
        finally:
            self.counts.requests.labels(known, protocol, code.name).inc()
            self.counts.seconds.labels(known, protocol).observe(time.perf_counter() - began)


def _require_shapes(signature: Signature, inputs: Inputs) -> None:
    rows = {array.shape[:1] for array in inputs.values()}
    for name, spec in signature.inputs.items():
        if not spec.shape.is_compatible_with(inputs[name].shape):
            raise invalid(f"Input {name} has the shape {inputs[name].shape}; expected {_written(spec.shape)}")
    if signature.batches and len(rows) > 1:
        raise invalid("Batching session Run() input tensors must have equal 0th-dimension size")


def _written(shape: tf.TensorShape) -> str:
    return str(tuple("any" if side is None else side for side in shape)).replace("'", "")
