"""Runs a server: its two ports, the watch over versions, and its end."""

import asyncio
import contextlib
import dataclasses
import signal
import socket
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import uvicorn

from keras_saliency.server.answering import Desk
from keras_saliency.server.batching import Batching
from keras_saliency.server.counting import Counts
from keras_saliency.server.opening import open_models
from keras_saliency.server.remote import grpc_server
from keras_saliency.server.rest import application

GRACE = 60.0  # seconds for what is being answered when the server is asked to stop


@dataclasses.dataclass(frozen=True)
class Options:
    """How a server runs.

    Attributes:
        host: The address on which it listens.
        rest_port: Of HTTP; 0 for any that is free.
        grpc_port: Of gRPC; 0 for any that is free.
        batching: How requests are joined.
        largest: The most bytes of a request.
        cors: Whether pages of other servers may ask.
        poll: Seconds between looks for new versions.
    """

    host: str = "127.0.0.1"
    rest_port: int = 8501
    grpc_port: int = 8500
    batching: Batching = dataclasses.field(default_factory=Batching)
    largest: int = 64 * 2**20
    cors: bool = False
    poll: float = 1.0


class Prepared(NamedTuple):
    """A server whose models are loaded, and its ports.

    Attributes:
        server: What answers when it is run with the socket of the REST interface.
        rest: That socket.
        grpc_port: Of gRPC, which is opened when the server runs.
    """

    server: uvicorn.Server
    rest: socket.socket
    grpc_port: int


def serve(models: list[str], options: Options, say: Callable[[str], None]) -> None:
    """Serves models until the process is told to stop; what is being answered then is answered.

    Args:
        models: `PATH` or `NAME=PATH` each; see `open_models`.
        options: How.
        say: Told what is done.

    Raises:
        OSError: If a port is in use.
        FileNotFoundError, ValueError: As `open_models`.
    """
    # Once all is done the signal is raised again.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with prepared(models, options, say) as ready, contextlib.suppress(KeyboardInterrupt):
        ready.server.run(sockets=[ready.rest])
    say("stopped")


@contextlib.contextmanager
def prepared(models: list[str], options: Options, say: Callable[[str], None]) -> Iterator[Prepared]:
    """Makes a server ready; arguments and errors are those of `serve`."""
    with contextlib.ExitStack() as stack:
        rest = stack.enter_context(_bound(options.host, options.rest_port, "--rest-port"))
        with _bound(options.host, options.grpc_port, "--grpc-port") as remote:
            grpc_port = remote.getsockname()[1]
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        say("loading the models")
        opened = open_models(models, scratch)
        executor = stack.enter_context(ThreadPoolExecutor(options.batching.num_batch_threads, "batch"))
        desk = Desk(opened, options.batching, executor, Counts())

        @contextlib.asynccontextmanager
        async def lifespan(app):
            remote = grpc_server(desk, options.largest)
            remote.add_insecure_port(f"{options.host}:{grpc_port}")
            await remote.start()
            watching = asyncio.create_task(_watch(desk, options.poll, say))
            for name, model in opened.items():
                say(f"{name}: version {model.version().number} answers")
            say(f"REST: http://{options.host}:{rest.getsockname()[1]}/v1/models, gRPC: {options.host}:{grpc_port}")
            yield
            watching.cancel()
            await remote.stop(GRACE)

        config = uvicorn.Config(
            application(desk, options.largest, options.cors, lifespan),
            log_level="warning",
            access_log=False,
            server_header=False,
            lifespan="on",
            timeout_graceful_shutdown=int(GRACE),
        )
        yield Prepared(uvicorn.Server(config), rest, grpc_port)


async def _watch(desk, poll, say):
    """Loads new versions while others are answered."""
    while True:
        await asyncio.sleep(poll)
        for model in desk.models.values():
            if news := await asyncio.to_thread(model.refresh):
                say(news)


def _bound(host, port, option):
    """A socket at a port, where nothing listens yet."""
    found = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        found.bind((host, port))
    except OSError as error:
        found.close()
        raise OSError(
            f"{host}:{port} cannot be listened on ({error.strerror}): give another port by {option}."
        ) from error
    return found
