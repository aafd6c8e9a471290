"""Calls functions that read files in another process: damaged files can kill SciPy and HDF5, or keep them for ever.

One process is started at the first call and used again; it imports what the functions need, and no framework.
"""

import os
import pickle
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from keras_saliency.reading.regular import require_regular

SECONDS, BYTES_PER_SECOND = 3.0, 50_000  # of computing, for a small file and for larger ones: no real one needs a tenth
PATIENCE = 10  # times as long by the clock: a busy machine is no damaged file
MEMORY = 2**29  # bytes, for a small file
EXPANSION = 16  # bytes of memory for a byte of a file
TOO_LONG = getattr(signal, "SIGPROF", 0)  # what ends a process that has computed for too long


class _Process:
    """A process that answers one call at a time."""

    def __init__(self):
        self.lock, self.child = threading.Lock(), None

    def start(self):
        # It finds what this process finds, and no module in whatever folder it is started from.
        path = os.pathsep.join(filter(None, sys.path))
        command = [sys.executable, "-P", "-m", "keras_saliency.reading.process"]
        self.child = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": path, "OPENBLAS_NUM_THREADS": "1"},
        )
        pickle.load(self.child.stdout)

    def call(self, request, seconds):
        with self.lock:
            if self.child is None:
                self.start()
            late = threading.Timer(PATIENCE * seconds, self.child.kill)
            late.daemon = True
            late.start()
            try:
                pickle.dump(request, self.child.stdin)
                self.child.stdin.flush()
                return pickle.load(self.child.stdout)
            except (EOFError, OSError, pickle.UnpicklingError):
                ended_late = late.finished.is_set()
                code = self.end()
                if ended_late or code == -TOO_LONG:
                    return None, f"it took longer than {seconds:.0f} s"
                return None, f"it ended its reader, {code}"
            except BaseException:  # An interrupted call leaves an answer that belongs to no later one.
                self.end()
                raise
            finally:
                late.cancel()

    def end(self):
        child, self.child = self.child, None
        child.kill()
        child.communicate()
        return child.returncode


_process = _Process()


def _forget():
    """A forked process has no part in the pipes of its parent."""
    global _process
    _process = _Process()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)


def call(function: Callable[..., Any], path: str | Path, **options: Any) -> Any:
    """Returns `function(path, **options)`, computed in another process.

    Args:
        function: A function of a module, which can be imported without a framework.
        path: The file; time and memory are bounded by its size.
        options: Further arguments.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is a pipe or the like, or the function raises anything, ends its process, or takes more memory
            or time than a file of this size can need; says which.
    """
    path = Path(path).absolute()
    require_regular(path)
    size = path.stat().st_size
    seconds = SECONDS + size / BYTES_PER_SECOND
    result, problem = _process.call((function, (str(path),), options, MEMORY + EXPANSION * size, seconds), seconds)
    if problem is not None:
        raise ValueError(problem)
    return result
