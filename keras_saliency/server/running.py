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

GRACE = 25.0  # seconds for what is being answered when the server is asked to stop


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
        failed: Why it could not begin, if it could not.
        grpc_port: Of gRPC, which is opened when the server runs.
    """

    server: uvicorn.Server
    rest: socket.socket
    grpc_port: int
    failed: list[OSError]


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
    with prepared(models, options, say) as ready:
        with contextlib.suppress(KeyboardInterrupt):
            ready.server.run(sockets=[ready.rest])
        if ready.failed:
            raise ready.failed[0]
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

        host = f"[{options.host}]" if ":" in options.host else options.host
        failed: list[OSError] = []

        @contextlib.asynccontextmanager
        async def lifespan(app):
            remote = grpc_server(desk, options.largest)
            try:
                remote.add_insecure_port(f"{host}:{grpc_port}")
            except RuntimeError:  # Somebody was faster.
                failed.append(_in_use(options.host, grpc_port, "--grpc-port", "Address already in use"))
                server.should_exit = True
                yield
                return
            await remote.start()
            tasks = [asyncio.create_task(_watch(desk, options.poll, say)), asyncio.create_task(_end(server, remote))]
            for name, model in opened.items():
                say(f"{name}: version {model.version().number} answers")
            say(f"page and REST: http://{host}:{rest.getsockname()[1]}/, gRPC: {host}:{grpc_port}")
            yield
            tasks[0].cancel()
            await tasks[1]

        config = uvicorn.Config(
            application(desk, options.largest, options.cors, lifespan),
            log_level="warning",
            access_log=False,
            server_header=False,
            lifespan="on",
            timeout_graceful_shutdown=int(GRACE),
            http="h11",
            ws="none",
        )
        server = uvicorn.Server(config)
        yield Prepared(server, rest, grpc_port, failed)


async def _end(server, remote):
    """Takes no more requests over gRPC as soon as none are taken over REST, and waits for those that were."""
    while not server.should_exit:
        await asyncio.sleep(0.05)
    await remote.stop(GRACE)


async def _watch(desk, poll, say):
    """Loads new versions while others are answered."""
    said: dict[str, str | None] = {}
    while True:
        await asyncio.sleep(poll)
        for model in desk.models.values():
            try:
                news = await asyncio.to_thread(model.refresh)
            except Exception as error:  # of a folder that others are changing; what answers goes on
                news = f"{model.name}: {model.base} cannot be looked at: {error}"
            if news and news != said.get(model.name):
                say(news)
            said[model.name] = news


def _bound(host, port, option):
    """A socket at a port, where nothing listens yet."""
    found = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        found.bind((host, port))
    except OSError as error:
        found.close()
        raise _in_use(host, port, option, error.strerror) from error
    return found


def _in_use(host, port, option, reason):
    return OSError(f"{host}:{port} cannot be listened on ({reason}): give another port by {option}.")
