"""How requests are joined, with a model that is a function."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from keras_saliency.server.batching import Batcher, Batching
from keras_saliency.server.errors import RequestError, invalid


def ask(batcher, *rows):
    return batcher({"x": np.array(rows, float)})


def run(call, options, test):
    """Runs a test with a batcher, and gives the sizes of its batches."""
    sizes = []

    async def main():
        with ThreadPoolExecutor(options.num_batch_threads) as pool:
            await test(Batcher(call, options, pool, sizes.append))

    asyncio.run(main())
    return sizes


def doubled(inputs):
    if (inputs["x"] < 0).any():
        raise invalid("below zero")
    return {"y": 2 * inputs["x"]}


def test_requests_are_joined_and_each_gets_its_own():
    async def test(batcher):
        found = await asyncio.gather(*(ask(batcher, *([i] * (1 + i % 3))) for i in range(12)))
        for i, outputs in enumerate(found):
            np.testing.assert_array_equal(outputs["y"], [2 * i] * (1 + i % 3))

    sizes = run(doubled, Batching(max_batch_size=8), test)
    assert max(sizes) <= 8 and sum(sizes) == 24 and len(sizes) < 6


def test_one_that_fails_is_alone():
    async def test(batcher):
        found = await asyncio.gather(*(ask(batcher, each) for each in (1, -1, 2, -2, 3)), return_exceptions=True)
        assert [str(each) for each in found[1::2]] == ["below zero"] * 2
        np.testing.assert_array_equal([each["y"][0] for each in found[::2]], [2, 4, 6])

    run(doubled, Batching(), test)


def test_what_no_request_is_to_blame_for_is_not_tried_again():
    def broken(inputs):
        raise MemoryError

    async def test(batcher):
        found = await asyncio.gather(ask(batcher, 1), ask(batcher, 2), return_exceptions=True)
        assert [each.http for each in found] == [500, 500]

    assert run(broken, Batching(batch_timeout_micros=100_000), test) == [2]


def test_those_of_other_sizes_are_not_joined():
    async def test(batcher):
        wide, narrow = (batcher({"x": np.ones((1, width))}) for width in (3, 2))
        found = await asyncio.gather(wide, narrow, ask(batcher, 1.0))
        assert [each["y"].shape for each in found] == [(1, 3), (1, 2), (1,)]

    assert run(doubled, Batching(), test) == [1, 1, 1]


def test_a_request_waits_for_others_no_longer_than_is_said():
    async def test(batcher):
        loop = asyncio.get_running_loop()
        began = loop.time()
        first = asyncio.create_task(ask(batcher, 1))
        await asyncio.sleep(0.1)
        await asyncio.gather(first, ask(batcher, 2))
        assert 0.99 < loop.time() - began < 5
        began = loop.time()
        await asyncio.gather(ask(batcher, 1, 2), ask(batcher, 3, 4))  # as many as go through at once
        assert loop.time() - began < 0.9

    assert run(doubled, Batching(max_batch_size=4, batch_timeout_micros=1_000_000), test) == [2, 4]


def test_too_many_are_refused():
    go = threading.Event()

    def slow(inputs):
        go.wait(10)
        return doubled(inputs)

    async def test(batcher):
        with pytest.raises(RequestError, match="Task size 3 is larger than maximum input batch size 2"):
            await ask(batcher, 1, 2, 3)
        busy = asyncio.create_task(ask(batcher, 1))
        await asyncio.sleep(0.05)
        waiting = asyncio.create_task(ask(batcher, 2, 3))
        await asyncio.sleep(0)
        with pytest.raises(RequestError, match="queue .* is full") as error:
            await ask(batcher, 4)
        assert error.value.http == 503
        # What nobody waits for any more is not asked, and takes no room.
        waiting.cancel()
        await asyncio.sleep(0)
        last = asyncio.create_task(ask(batcher, 4, 5))
        await asyncio.sleep(0)
        go.set()
        await busy
        np.testing.assert_array_equal((await last)["y"], [8, 10])

    assert run(slow, Batching(max_batch_size=2, max_enqueued_batches=1), test) == [1, 2]
