"""Runs cells on a Ray cluster: each is a task, which the cluster gives to another node where its own dies."""

import functools
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from keras_saliency.data import Place, open_data
from keras_saliency.data.machines import connect, hold_to
from keras_saliency.quest.bench import Bench, Outcome
from keras_saliency.quest.study import Cell

RETRIES = 5  # of a cell whose worker or node is lost


def run_on_ray(
    missing: Callable[[], list[Cell]],
    began: Callable[[Cell], None],
    folder: Path,
    data: Mapping[str, Place],
    address: str | None = None,
    cores: int = 1,
) -> Iterator[tuple[Cell, Outcome]]:
    """Runs all cells that are missing, as many at once as the cluster has room for.

    Data sets have to lie at the same place on every node. Nodes need not share the folder: results come back to this
    process.

    Args:
        missing: The cells to be run, those included that are at work; asked again after each that ends.
        began: Told of each cell that is handed to the cluster.
        folder: Of features and unfinished work, on every node.
        data: Where data sets lie, or the data sets.
        address: Of the cluster, such as `"auto"`; None starts one on this machine. One that this process is connected
            to already is used in any case.
        cores: Of each cell, for the threads of TensorFlow, too.

    Yields:
        A cell, and its result or what the machines failed in.

    Raises:
        ImportError: If Ray is not installed.
        ConnectionError: If there is no cluster at the address.
    """
    ray = connect(address)
    task = ray.remote(num_cpus=cores, max_retries=RETRIES)(_run)
    shared = [ray.put((folder.absolute(), data))]  # in a list, or each task would have it read for it
    running: dict[Any, Cell] = {}
    while True:
        known = {cell.key for cell in running.values()}
        for cell in missing():
            if cell.key not in known:
                running[task.remote(cell, shared, cores)] = cell
                began(cell)
        if not running:
            return
        (reference, *_), _ = ray.wait([*running])
        cell = running.pop(reference)
        try:
            yield cell, ray.get(reference)
        except ray.exceptions.RayError as error:
            yield cell, OSError(str(error).strip().splitlines()[0])


def _run(cell: Cell, shared: list[Any], cores: int) -> Outcome:
    """A cell in a process of its own."""
    hold_to(cores)
    bench = _bench(shared[0])
    outcome = bench.run(cell)
    if not isinstance(outcome, Exception):
        bench.clear(cell)
    return outcome


@functools.lru_cache(1)
def _bench(reference):
    import ray

    folder, data = ray.get(reference)
    return Bench(folder, _Opened(data))


class _Opened(dict):
    """Data sets, each opened when it is first needed."""

    def __init__(self, places):
        super().__init__()
        self.places = places

    def __missing__(self, name):
        self[name] = open_data({name: self.places.get(name)}, lambda line: None)
        return self[name]
