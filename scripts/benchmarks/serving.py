"""Times a server against the SavedModel that it serves: `python scripts/benchmark.py serving --json serving.json`."""

import base64
import contextlib
import json
import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Annotated

import rich.console
import typer
from benchmarks.predict import _photographs

CLIENTS, BATCH = 8, 8
# Maps as 8-bit images at the size of the photographs, and as numbers, two for each pixel of what the model gives.
SIGNATURES = ("png", "serving_default")
UNLIMITED = [("grpc.max_receive_message_length", -1)]


@contextlib.contextmanager
def served(directory, *options):
    """A server in a process of its own: the process, and the ports of both interfaces."""
    command = [
        sys.executable,
        "-m",
        "keras_saliency.cli",
        "serve",
        str(directory),
        "--rest-port",
        "0",
        "--grpc-port",
        "0",
        *options,
    ]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        ports = None
        while ports is None:
            line = process.stdout.readline()
            if not line:
                raise RuntimeError("The server did not start.")
            ports = re.search(r"REST: http://[^:]+:(\d+)/, gRPC: .*:(\d+)", line)
        yield process, int(ports[1]), int(ports[2])
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def asking_of(rest_port, grpc_port, name, photographs, signature):
    """What asks each interface for the map of a photograph: functions of its number, one client for each thread."""
    import grpc
    import requests
    import tensorflow as tf
    from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

    bodies, messages = [], []
    for data in photographs:
        asked = {"signature_name": signature, "instances": [{"b64": base64.b64encode(data).decode()}]}
        bodies.append(json.dumps(asked).encode())
        request = predict_pb2.PredictRequest(model_spec={"name": name, "signature_name": signature})
        request.inputs["image_bytes"].CopyFrom(tf.make_tensor_proto([data]))
        messages.append(request)
    local = threading.local()

    def rest(i):
        if not hasattr(local, "client"):
            # As curl asks, and not for what is packed: nothing is gained on one machine.
            local.client = requests.Session()
            local.client.headers["Accept-Encoding"] = "identity"
        address = f"http://127.0.0.1:{rest_port}/v1/models/{name}:predict"
        local.client.post(address, data=bodies[i % len(bodies)], timeout=120).raise_for_status()

    def remote(i):
        if not hasattr(local, "stub"):
            channel = grpc.insecure_channel(f"127.0.0.1:{grpc_port}", UNLIMITED)
            local.stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
        local.stub.Predict(messages[i % len(messages)])

    return {"REST": rest, "gRPC": remote}


def _memory(process):
    """Resident megabytes."""
    return int(re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{process.pid}/status").read_text())[1]) / 1024


def serving(
    json_file: Annotated[Path | None, typer.Option("--json", help="Where the numbers are written.")] = None,
    photographs: Annotated[int, typer.Option(min=8, help="How many, in each measurement.")] = 48,
    repeats: Annotated[int, typer.Option(min=1, help="Measurements of each; the medians count.")] = 3,
    requests: Annotated[int, typer.Option(min=0, help="How many are asked of a small model, for memory.")] = 20_000,
):
    """Compare throughput, latency and memory of a server with those of the SavedModel called directly."""
    import keras
    import tensorflow as tf

    import keras_saliency as ks

    keras.utils.set_random_seed(0)
    console = rich.console.Console()
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        ks.export_saved_model(ks.create_model("multilevel", weights=None), folder / "large" / "1")
        small = ks.create_model("multilevel", backbone="mobilenetv3", weights=None, area=64 * 96)
        ks.export_saved_model(small, folder / "small" / "1")
        (folder / "photographs").mkdir()
        data = [file.read_bytes() for file in _photographs(folder / "photographs", 16, (600, 800))]
        found = {each: _speed(folder / "large", data, photographs, repeats, each, tf) for each in SIGNATURES}
        for signature, measured in found.items():
            for name, ratio in measured["throughput"].items():
                console.print(
                    f"{signature}, {name}, {CLIENTS} clients: {ratio:.0%} of the throughput of the SavedModel"
                )
            for name, ratio in measured["latency"].items():
                console.print(f"{signature}, {name}, one photograph: {ratio:.2f} times the time of the SavedModel")
        if requests:
            found["memory"] = _memory_of(folder / "small", data, requests)
            ratio = found["memory"]["ratio"]
            console.print(f"after {requests:,} requests memory is {ratio:.3f} of that after a quarter (<= 1.05)")
    if json_file:
        settings = {"cpu_count": os.cpu_count(), "photographs": photographs, "repeats": repeats, "requests": requests}
        json_file.write_text(json.dumps({"settings": settings, **found}, indent=2) + "\n")


def _speed(directory, data, photographs, repeats, called, tf):
    """Shares of the throughput in batches, and ratios of the time for one photograph, by interface."""
    signature = tf.saved_model.load(str(directory / "1")).signatures[called]

    def directly(size):
        def call(i):
            signature(image_bytes=tf.constant([data[(i + k) % len(data)] for k in range(size)]))

        return call

    rates, times = {}, {}
    with served(directory) as (_, rest_port, grpc_port), ThreadPoolExecutor(CLIENTS) as clients:
        asking = asking_of(rest_port, grpc_port, directory.name, data, called)
        for turn in range(repeats + 1):  # The first makes graphs.
            began = time.perf_counter()
            for i in range(0, photographs, BATCH):
                directly(BATCH)(i)
            found = {"SavedModel": photographs / (time.perf_counter() - began)}
            for name, ask in asking.items():
                began = time.perf_counter()
                list(clients.map(ask, range(photographs)))
                found[name] = photographs / (time.perf_counter() - began)
            one = {"SavedModel": directly(1), **asking}
            took = {name: [] for name in one}
            for i in range(16):
                for name, call in one.items():
                    began = time.perf_counter()
                    call(i)
                    took[name].append(time.perf_counter() - began)
            if turn:
                for name in one:
                    rates.setdefault(name, []).append(found[name])
                    times.setdefault(name, []).extend(took[name])
    rates, times = ({name: statistics.median(each) for name, each in both.items()} for both in (rates, times))
    return {
        "rates": rates,
        "seconds": times,
        "throughput": {name: rates[name] / rates["SavedModel"] for name in asking},
        "latency": {name: times[name] / times["SavedModel"] for name in asking},
    }


def _memory_of(directory, data, requests):
    """Megabytes after each quarter of many requests, over both interfaces; an error ends the measurement."""
    megabytes = []
    with served(directory) as (process, rest_port, grpc_port), ThreadPoolExecutor(CLIENTS) as clients:
        asking = [*asking_of(rest_port, grpc_port, directory.name, data, SIGNATURES[0]).values()]
        for _ in range(4):
            list(clients.map(lambda i: asking[i % 2](i), range(requests // 4)))
            megabytes.append(_memory(process))
    return {"megabytes": megabytes, "ratio": megabytes[-1] / megabytes[0]}
