"""The process in which `keras_saliency.reading.apart` reads files: it answers calls until its input ends."""

import contextlib
import pickle
import signal
import sys


def main() -> None:
    """Answers each `(function, arguments, options, bytes, seconds)` of a call with its result and what went wrong."""
    calls, answers = sys.stdin.buffer, sys.stdout.buffer
    sys.stdout = sys.stderr
    pickle.dump("ready", answers)
    answers.flush()
    with contextlib.suppress(EOFError):
        while True:
            function, arguments, options, memory, seconds = pickle.load(calls)
            _limit(memory, seconds)
            try:
                answer = pickle.dumps((function(*arguments, **options), None), protocol=5)
            except MemoryError:
                answer = pickle.dumps((None, "it claims more memory than a file of its size can need"))
            except Exception as error:  # The libraries raise whatever the broken bytes lead them to.
                answer = pickle.dumps((None, " ".join(str(error).split()) or type(error).__name__))
            answers.write(answer)
            answers.flush()


def _limit(memory, seconds):
    """Lets allocations fail beyond so many bytes, and ends the process after so many seconds, where the system can."""
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_PROF, seconds)
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
        resource.setrlimit(resource.RLIMIT_DATA, (memory, hard))


if __name__ == "__main__":
    main()
