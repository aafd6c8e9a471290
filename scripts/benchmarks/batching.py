"""Times a server by how it joins requests: `python scripts/benchmark.py batching`."""

import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Annotated

import rich.console
import typer
from benchmarks.predict import _photographs
from benchmarks.serving import CLIENTS, SIGNATURES, asking_of, served

# Photographs in a batch, batches at once, and microseconds that a request waits for others.
WAYS = [(1, 1, 0), (1, 2, 0), (8, 1, 0), (8, 2, 0), (32, 1, 0), (32, 2, 0), (8, 2, 10_000)]


def batching(
    model: Annotated[str, typer.Argument(help="A model that comes along, a run or a .keras file.")] = "fast",
    photographs: Annotated[int, typer.Option(min=8, help="How many, for each.")] = 64,
):
    """Compare the photographs a second that a server answers, over gRPC, and the slowest of them."""
    import keras_saliency as ks

    console = rich.console.Console(width=100)
    console.print("| max_batch_size | num_batch_threads | batch_timeout_micros | images/s | slowest, s |")
    console.print("|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        ks.export_saved_model(ks.load(model).model, folder / "joined" / "1")
        (folder / "photographs").mkdir()
        data = [file.read_bytes() for file in _photographs(folder / "photographs", 16, (600, 800))]
        for size, threads, wait in WAYS:
            named = {"max-batch-size": size, "num-batch-threads": threads, "batch-timeout-micros": wait}
            options = [text for name, value in named.items() for text in (f"--{name}", str(value))]
            with (
                served(folder / "joined", *options) as (_, rest_port, grpc_port),
                ThreadPoolExecutor(CLIENTS) as clients,
            ):
                ask = asking_of(rest_port, grpc_port, "joined", data, SIGNATURES[0])["gRPC"]
                list(clients.map(ask, range(2 * CLIENTS)))  # makes graphs

                def timed(i, ask=ask):
                    began = time.perf_counter()
                    ask(i)
                    return time.perf_counter() - began

                began = time.perf_counter()
                slowest = max(clients.map(timed, range(photographs)))
                rate = photographs / (time.perf_counter() - began)
            console.print(f"| {size} | {threads} | {wait} | {rate:.1f} | {slowest:.2f} |")
