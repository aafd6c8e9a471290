"""The process that reads inputs and says what became of each."""

import contextlib
import functools
import os
import random
import tempfile
from pathlib import Path

from fuzzing.kinds import KINDS
from fuzzing.mutate import mutate

from keras_saliency.reading import apart

LETTERS = 2000  # of a message that still tells one thing


def make(kind, seed, number):
    """The name and the bytes of one input: first valid ones, then those made by hand, then valid ones changed."""
    valid, hostile = _inputs(kind)
    if number < len(valid) + len(hostile):
        return [*valid, *hostile][number]
    rng = random.Random(f"{kind} {seed} {number}")
    name, data = rng.choice(valid)
    return name, (KINDS[kind].mutate or mutate)(data, rng)


@functools.cache
def _inputs(kind):
    return KINDS[kind].inputs()


def serve(pipe, kinds):
    """Answers `(kind, seed, number)` with an outcome, a reason and the megabytes that it took, until the pipe ends."""
    # Decoders in C print what they find, and this process ends where it must.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    for name in kinds:
        KINDS[name].prepare()
    apart.call(os.path.basename, __file__)  # which starts the process of its own
    pipe.send("ready")
    with tempfile.TemporaryDirectory() as folder, contextlib.suppress(EOFError):
        while True:
            pipe.send(read(*pipe.recv(), Path(folder)))


def read(kind, seed, number, folder):
    """Reads one input."""
    name, data = make(kind, seed, number)
    path = folder / name
    path.write_bytes(data)
    before = _megabytes("VmRSS")
    for process in _processes():
        with contextlib.suppress(OSError):  # the peak starts anew, where the system can
            (process / "clear_refs").write_text("5")
    try:
        wrong = KINDS[kind].read(path)
        outcome, reason = ("failed", f"is accepted: {wrong}") if wrong else ("accepted", "")
    except KINDS[kind].errors as error:
        text = str(error)
        wrong = next((what for what, fits in _message(text, path, KINDS[kind].named).items() if not fits), None)
        wrong = "a valid input is refused" if number < len(_inputs(kind)[0]) else wrong
        outcome, reason = ("failed", f"{wrong}: {text[:200]}") if wrong else ("refused", text)
    except Exception as error:
        outcome, reason = "failed", f"{type(error).__name__}: {str(error)[:200]}"
    path.unlink(missing_ok=True)
    return outcome, reason, max(0.0, _megabytes("VmHWM") - before)


def _message(text, path, named):
    return {
        "the message has several lines": len(text.splitlines()) == 1,
        "the message is long": len(text) < LETTERS,
        "the message does not name the file": not named or path.stem in text,
    }


def _processes():
    """Where Linux tells of this process, and of those that read for it."""
    found = [Path("/proc/self")]
    for file in found[0].glob("task/*/children"):
        with contextlib.suppress(OSError):  # A thread has ended meanwhile.
            found += [Path("/proc", child) for child in file.read_text().split()]
    return found


def _megabytes(field):
    """Of this process and those that read for it."""
    kilobytes = 0
    for process in _processes():
        with contextlib.suppress(OSError):
            lines = (process / "status").read_text().splitlines()
            kilobytes += next((int(line.split()[1]) for line in lines if line.startswith(field)), 0)
    return kilobytes / 1024
