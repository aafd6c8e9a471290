"""A server in a thread of the process that tests it."""

import contextlib
import threading
import time

import grpc
import httpx

from keras_saliency.server.running import Options, prepared


@contextlib.contextmanager
def running(*models, **options):
    """A server at ports of its own: a client, a channel, and what it says."""
    said = []
    with prepared([*map(str, models)], Options(rest_port=0, grpc_port=0, **options), said.append) as ready:
        thread = threading.Thread(target=ready.server.run, kwargs={"sockets": [ready.rest]})
        thread.start()
        while not ready.server.started:
            assert thread.is_alive()
            time.sleep(0.01)
        address = f"http://127.0.0.1:{ready.rest.getsockname()[1]}"
        unlimited = [("grpc.max_receive_message_length", -1)]
        try:
            with (
                httpx.Client(base_url=address, timeout=60) as client,
                grpc.insecure_channel(f"127.0.0.1:{ready.grpc_port}", unlimited) as channel,
            ):
                yield client, channel, said
        finally:
            ready.server.should_exit = True
            thread.join()
