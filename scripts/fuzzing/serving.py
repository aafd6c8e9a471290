"""What every way of asking a server hostile things has, and the asking."""

import io
import socket
import threading
import time
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

SLOW = 2.0  # seconds that an answer may take


class Failure(NamedTuple):
    """A request that was not answered as it should be."""

    kind: str
    number: int
    said: str


class Hostile:
    """Requests for one model, made at random, of the kinds that methods called `_a_KIND` make.

    Each kind gives what to send, what may be answered, and how `ask` sends it.

    Args:
        port: Of the interface on this machine.
        name: The model, exported by `export_saved_model`.
        seed: The same seed makes the same requests.

    Attributes:
        fine: What is answered to a good request.
    """

    fine: Any

    def __init__(self, port: int, name: str, seed: int) -> None:
        self.port, self.name, self.rng = port, name, np.random.default_rng(seed)
        data = io.BytesIO()
        Image.fromarray(self.rng.integers(0, 256, (60, 90, 3)).astype("uint8")).save(data, "JPEG")
        self.photograph = data.getvalue()
        own = [name for name in vars(type(self)) if name.startswith("_a_")]
        self.kinds = {name.removeprefix("_a_"): getattr(self, name) for name in own}

    def good(self) -> tuple[bytes, Any]:
        """A request that is answered, and how it is sent."""
        raise NotImplementedError

    def ask(self, raw: bytes, how: Any) -> tuple[Any, bytes]:
        """Sends bytes, and reads the status and the body of the answer."""
        raise NotImplementedError

    def _changed(self, data, most=8):
        """Some bytes are others, or what is behind one is missing."""
        data = bytearray(data)
        for at in self.rng.integers(0, len(data), self.rng.integers(1, most)):
            data[at] = self.rng.integers(0, 256)
        return bytes(data[: self.rng.integers(1, len(data))] if self.rng.random() < 0.5 else data)


def run(hostile: Hostile, requests: int) -> tuple[list[Failure], int]:
    """Asks, while good requests are answered beside; what was answered wrongly, and how many good ones there were.

    Connections that are opened and left, one for every fifty requests, stay open until the end.
    """
    failures, good, over, left = [], 0, threading.Event(), []

    def ask_well():
        nonlocal good
        while not over.is_set():
            try:
                status, _ = hostile.ask(*hostile.good())
            except OSError as error:
                status = error
            good += 1
            if status != hostile.fine:
                failures.append(Failure("good", good, f"status {status}"))

    beside = threading.Thread(target=ask_well)
    beside.start()
    try:
        for number in range(requests):
            kind = [*hostile.kinds][number % len(hostile.kinds)]
            raw, allowed, how = hostile.kinds[kind]()
            if number % 50 == 0:
                left.append(socket.create_connection(("127.0.0.1", hostile.port)))
                left[-1].sendall(raw[:20])
            began = time.perf_counter()
            status, body = hostile.ask(raw, how)
            took = time.perf_counter() - began
            if status not in allowed or took > SLOW or b"root:" in body:
                failures.append(Failure(kind, number, f"status {status} after {took:.2f} s: {body[:200]!r}"))
    finally:
        over.set()
        beside.join()
        for connection in left:
            connection.close()
    return failures, good
