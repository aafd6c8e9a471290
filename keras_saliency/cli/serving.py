"""The command `serve`."""

import importlib.util
from typing import Annotated

import typer

from keras_saliency.cli.common import console, start

NEEDED = ("uvicorn", "starlette", "grpc", "tensorflow_serving", "prometheus_client", "orjson")


def serve(
    models: Annotated[
        list[str] | None,
        typer.Argument(
            help="What is served, PATH or NAME=PATH each: the workdir of a run, a .keras file, a SavedModel, a folder "
            "of its versions, general or fast, which come along. Without one it is general."
        ),
    ] = None,
    host: Annotated[
        str, typer.Option(help="Where to listen; 0.0.0.0 for all that reaches this machine.")
    ] = "127.0.0.1",
    rest_port: Annotated[int, typer.Option(min=0, max=65535, help="Of the REST interface; 0 for any.")] = 8501,
    grpc_port: Annotated[int, typer.Option(min=0, max=65535, help="Of the gRPC interface; 0 for any.")] = 8500,
    max_batch_size: Annotated[int, typer.Option(min=1, help="Photographs that go through a model at once.")] = 32,
    batch_timeout_micros: Annotated[int, typer.Option(min=0, help="How long a request waits for others.")] = 0,
    num_batch_threads: Annotated[
        int | None, typer.Option(min=1, help="Batches that are at work at once; by default one for each usable core.")
    ] = None,
    max_request_megabytes: Annotated[int, typer.Option(min=1, max=2047, help="What is larger is refused.")] = 64,
    cors: Annotated[bool, typer.Option("--cors", help="Let pages of other servers ask.")] = False,
) -> None:
    """Serve models over REST and gRPC, as TensorFlow Serving does.

    A new version in the folder of a model is taken while the server runs, and the old one let go. Ctrl-C or SIGTERM
    ends it, once what is being answered is answered.

    Example: `keras-saliency serve general saliency=served/saliency`
    """
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise ImportError(
            f"Serving needs {', '.join(missing)}: install the extra, pip install 'keras_saliency[serving]'."
        )
    start()
    from keras_saliency.data.machines import usable_cores
    from keras_saliency.server.batching import Batching
    from keras_saliency.server.running import Options
    from keras_saliency.server.running import serve as run

    batching = Batching(max_batch_size, batch_timeout_micros, num_batch_threads or usable_cores())
    options = Options(host, rest_port, grpc_port, batching, max_request_megabytes * 2**20, cors)
    run(models or ["general"], options, console.print)
