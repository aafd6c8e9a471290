"""Reads inputs in a process whose end, time and memory are seen."""

import dataclasses
import multiprocessing
import time
from pathlib import Path

from fuzzing import worker

SECONDS = 10.0
MEGABYTES = 1000.0


@dataclasses.dataclass
class Result:
    """What happened to the inputs of one kind."""

    kind: str
    inputs: int = 0
    accepted: int = 0
    refused: int = 0
    failures: list[tuple[int, str]] = dataclasses.field(default_factory=list)
    slowest: float = 0.0
    memory: float = 0.0


class Process:
    """A worker that is started again when it has ended."""

    def __init__(self, kinds):
        self.kinds, self.child = kinds, None

    def start(self):
        """Starts it where it does not run, and waits until it is ready."""
        if self.child is not None:
            return
        context = multiprocessing.get_context("spawn")
        self.pipe, other = context.Pipe()
        self.child = context.Process(target=worker.serve, args=(other, self.kinds), daemon=False)
        self.child.start()
        other.close()
        self.pipe.recv()

    def read(self, request):
        """What the worker says: outcome, reason, megabytes; a reason alone where it ended or took too long."""
        self.pipe.send(request)
        try:
            if self.pipe.poll(SECONDS):
                return self.pipe.recv()
            reason = f"takes longer than {SECONDS:.0f} s"
        except EOFError:
            self.child.join()
            reason = f"ends the process ({self.child.exitcode})"
        self.end()
        return "failed", reason, 0.0

    def end(self):
        """Ends it."""
        if self.child is not None:
            self.pipe.close()
            self.child.join(1)
            self.child.kill()
            self.child.join()
            self.child = None


def run(kinds, inputs, seed, keep):
    """Reads as many inputs of each kind; returns a list of `Result`, and keeps what failed."""
    results, process = [], Process(kinds)
    try:
        for i, kind in enumerate(kinds):
            count = inputs // len(kinds) + (i < inputs % len(kinds))
            results.append(_run(kind, count, seed, Path(keep), process))
    finally:
        process.end()
    return results


def _run(kind, count, seed, keep, process):
    result = Result(kind)
    for number in range(count):
        process.start()
        started = time.perf_counter()
        outcome, reason, memory = process.read((kind, seed, number))
        result.slowest = max(result.slowest, time.perf_counter() - started)
        result.memory = max(result.memory, memory)
        if memory > MEGABYTES:
            outcome, reason = "failed", f"takes {memory:.0f} MB"
        result.inputs += 1
        result.accepted += outcome == "accepted"
        result.refused += outcome == "refused"
        if outcome == "failed":
            result.failures.append((number, reason))
            name, data = worker.make(kind, seed, number)
            keep.mkdir(parents=True, exist_ok=True)
            (keep / f"{kind}-{seed}-{number}{Path(name).suffix}").write_bytes(data)
    return result
