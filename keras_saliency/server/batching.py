"""Requests that arrive together go through a model together."""

import asyncio
import collections
import dataclasses
import math
from collections.abc import Callable
from concurrent.futures import Executor

import numpy as np

from keras_saliency.server.errors import Code, RequestError, as_request_error
from keras_saliency.server.json_tensors import Inputs, require_few

Outputs = dict[str, np.ndarray]


@dataclasses.dataclass(frozen=True)
class Batching:
    """How requests are joined, by TensorFlow Serving's names.

    Attributes:
        max_batch_size: The most rows that go through a model at once; a request of more is refused.
        batch_timeout_micros: How long a request waits for others while nothing else keeps the model busy.
        num_batch_threads: How many batches are at work at once.
        max_enqueued_batches: How many full batches may wait; what comes then is refused.
    """

    max_batch_size: int = 32
    batch_timeout_micros: int = 0
    num_batch_threads: int = 1
    max_enqueued_batches: int = 100


@dataclasses.dataclass(eq=False)
class _Request:
    inputs: Inputs
    rows: int
    kind: tuple
    arrived: float
    answer: asyncio.Future


class Batcher:
    """Joins the requests for one signature of one version along the first dimension.

    Those of other sizes wait for a batch of their own. What fails is asked again alone, so that a photograph that
    cannot be read fails its own request and nobody else's.

    Args:
        call: The signature, from tensors to tensors by name.
        options: How requests are joined.
        executor: Where it is called.
        observe: Told the rows of each batch.
    """

    def __init__(
        self,
        call: Callable[[Inputs], Outputs],
        options: Batching,
        executor: Executor,
        observe: Callable[[int], None] = lambda rows: None,
    ) -> None:
        self.call, self.options, self.executor, self.observe = call, options, executor, observe
        self.waiting: collections.deque[_Request] = collections.deque()
        self.busy = 0
        self.tasks: set[asyncio.Task] = set()

    async def __call__(self, inputs: Inputs) -> Outputs:
        """The outputs for the rows of a request.

        Raises:
            RequestError: If the request is too large, too many wait, or the model fails.
        """
        (rows,) = {len(array) for array in inputs.values()}
        require_few(rows, self.options.max_batch_size)
        room = self.options.max_enqueued_batches * self.options.max_batch_size
        if sum(each.rows for each in self.waiting if not each.answer.done()) + rows > room:
            raise RequestError(Code.UNAVAILABLE, "The batch scheduling queue to which this task was submitted is full")
        loop = asyncio.get_running_loop()
        kind = tuple((name, array.shape[1:]) for name, array in sorted(inputs.items()))
        request = _Request(inputs, rows, kind, loop.time(), loop.create_future())
        self.waiting.append(request)
        self._begin()
        return await request.answer

    def _begin(self):
        """Puts to work what can be."""
        loop = asyncio.get_running_loop()
        while self.waiting and self.busy < self.options.num_batch_threads:
            batch = self._next_batch()
            full = sum(each.rows for each in batch) >= self.options.max_batch_size
            until = batch[0].arrived + self.options.batch_timeout_micros / 1e6 if batch else -math.inf
            if not full and loop.time() < until:
                loop.call_at(until, self._begin)
                return
            for each in batch:
                self.waiting.remove(each)
            if batch:
                self.busy += 1
                task = loop.create_task(self._answer(batch))
                self.tasks.add(task)
                task.add_done_callback(self.tasks.discard)

    def _next_batch(self):
        """The oldest request and those that fit with it; nobody waits any more for what was cancelled."""
        self.waiting = collections.deque(each for each in self.waiting if not each.answer.done())
        batch, rows = [], 0
        for each in self.waiting:
            if each.kind == self.waiting[0].kind and rows + each.rows <= self.options.max_batch_size:
                batch.append(each)
                rows += each.rows
        return batch

    async def _answer(self, batch):
        try:
            try:
                outputs = await self._run(batch)
            except Exception as error:
                # Of what a request is to blame for, the others are to know nothing.
                if len(batch) > 1 and as_request_error(error).code == Code.INVALID_ARGUMENT:
                    for each in batch:
                        await self._answer_alone(each)
                    return
                for each in batch:
                    _settle(each, as_request_error(error))
                return
            ends = np.cumsum([each.rows for each in batch])
            for each, end in zip(batch, ends.tolist(), strict=True):
                _settle(each, {name: array[end - each.rows : end] for name, array in outputs.items()})
        finally:
            self.busy -= 1
            self._begin()

    async def _answer_alone(self, request):
        if request.answer.done():
            return
        try:
            _settle(request, await self._run([request]))
        except Exception as error:
            _settle(request, as_request_error(error))

    async def _run(self, batch):
        rows = sum(each.rows for each in batch)
        self.observe(rows)
        names = batch[0].inputs
        inputs = {name: np.concatenate([each.inputs[name] for each in batch]) for name in names}
        return await asyncio.get_running_loop().run_in_executor(self.executor, self.call, inputs)


def _settle(request, found):
    if request.answer.done():
        return
    if isinstance(found, RequestError):
        request.answer.set_exception(found)
    else:
        request.answer.set_result(found)
