"""Work on several images at once, within what the process may use of the machine."""

import concurrent.futures
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

import numpy as np
import threadpoolctl

from keras_saliency.data.machines import usable_cores
from keras_saliency.serving.writing import in_order

IN_FLIGHT = 2**30  # bytes of what is being worked on, besides the one image that there always is

_T = TypeVar("_T")


def in_threads(
    function: Callable[..., _T], work: Iterable[tuple[Any, ...]], size: Callable[..., int], jobs: int | None = None
) -> Iterator[_T]:
    """Yields `function(*arguments)` for each of `work`, in order; NumPy computes in several threads at once.

    Args:
        function: What is done.
        work: Tuples of arguments; one is taken when there is room for it.
        size: From the same arguments to the bytes that they and the work on them take.
        jobs: How many threads; None for `usable_cores()`.

    Raises:
        ValueError: If there is to be no thread.
    """
    jobs = usable_cores() if jobs is None else jobs
    if jobs < 1:
        raise ValueError(f"jobs is the number of images that are scored at once, at least 1. Received: {jobs}.")
    # Once the C library has given back a large block, it keeps smaller ones instead of asking the system for the
    # memory of every intermediate map anew, which can cost more than computing it.
    np.empty(31 << 20, "uint8")
    least = IN_FLIGHT // (2 * jobs)  # what the smallest counts as, so that no more wait than keep the threads at work
    # One thread for each image; more inside would get in each other's way.
    with threadpoolctl.threadpool_limits(1, "blas"), concurrent.futures.ThreadPoolExecutor(jobs) as pool:

        def needed(arguments):
            return max(size(*arguments), least)

        yield from in_order(pool, lambda arguments: function(*arguments), work, IN_FLIGHT, needed)
