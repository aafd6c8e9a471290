"""The REST interface of TensorFlow Serving, to the letter of its URLs, its JSON and its errors."""

import asyncio
import json
import re
import zlib
from pathlib import Path
from urllib.parse import unquote

from google.protobuf import json_format
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Lifespan, Receive, Scope, Send

from keras_saliency.server import json_tensors
from keras_saliency.server.answering import Desk
from keras_saliency.server.errors import OTHERS, Code, RequestError, invalid, no_method, settled

NAME, VERSION = r"/(?P<name>[^/:]+)", r"(?:/versions/(?P<version>[0-9]+)|/labels/(?P<label>[^/:]+))?"
ASKING = re.compile(f"(?i)/v1/models{NAME}{VERSION}:(?P<method>classify|regress|predict)")
LOOKING = re.compile(f"(?i)/v1/models(?:{NAME})?{VERSION}(?P<metadata>/metadata)?")
LARGEST = 2**63 - 1  # version
SLOWEST = 60.0  # seconds for the body of a request
AT_ONCE = 16  # bodies of the largest size that are held at once
PAGE = Path(__file__).parent / "page"
# A page that asks nobody else, whatever a file is called.
OWN_ONLY = {"Content-Security-Policy": "default-src 'self'; img-src 'self' data: blob:; frame-ancestors 'none'"}
CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "POST, GET",
    "Access-Control-Allow-Headers": "Content-Type",
}
PRINTED = {"preserving_proto_field_name": True, "always_print_fields_with_no_presence": True}


class Rest:
    """What answers below `/v1/`, an ASGI application.

    Args:
        desk: Where models are asked.
        largest: The most bytes of the body of a request, unpacked.
        cors: Whether pages of other servers may ask.
    """

    def __init__(self, desk: Desk, largest: int, cors: bool = False) -> None:
        self.desk, self.largest, self.cors = desk, largest, CORS if cors else {}
        self.held = 0  # bytes of bodies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers a request."""
        request = Request(scope, receive)
        try:
            body, status = await self._answer(request), 200
        except Exception as error:
            said = settled(error)
            body = json.dumps({"error": str(said)}, ensure_ascii=False).encode("utf-8", "replace")
            status = said.http
        await Response(body, status, media_type="application/json", headers=self.cors)(scope, receive, send)

    async def _answer(self, request):
        path = request.scope["raw_path"].decode("latin-1").partition("?")[0]
        if not path.startswith("/v1/"):
            raise RequestError(Code.NOT_FOUND, f"Nothing is at {unquote(path)}")
        if request.method == "OPTIONS":
            if re.match(r"https?://", request.headers.get("origin", "")):
                return b""
            raise RequestError(Code.FAILED_PRECONDITION, "Origin is not set or no URL.")
        asking = ASKING.fullmatch(path) if request.method == "POST" else None
        looking = LOOKING.fullmatch(path) if request.method == "GET" else None
        found = asking or looking
        if found is None:
            raise invalid(f"Malformed request: {request.method} {unquote(path)}")
        name, number, label = unquote(found["name"] or ""), found["version"], unquote(found["label"] or "")
        if number is not None:
            digits = number.lstrip("0") or "0"
            if len(digits) > len(str(LARGEST)) or int(digits) > LARGEST:
                raise invalid(f"Failed to convert version: {number} to numeric.")
            number = int(digits)
        if not name:
            raise invalid("Missing model name in request.")
        if asking:
            with self.desk.counted("rest", name):
                body = await self._body(request)
                self.held += len(body)
                try:
                    return await _while_there(request, self._ask(asking["method"].lower(), body, name, number, label))
                finally:
                    self.held -= len(body)
        if looking["metadata"]:
            return self._metadata(name, number, label)
        return json_format.MessageToJson(self.desk.status(name, number), **PRINTED).encode()

    async def _ask(self, method, body, name, number, label):
        request = await asyncio.to_thread(json_tensors.parse, body)
        asked = json_tensors.signature_of(request)
        version = self.desk.version(name, number, label)
        if asked not in version.signatures:
            raise invalid(f'Serving signature name: "{asked}" not found in signature def')
        if method in OTHERS:
            raise no_method(method)
        specs, most = version.signatures[asked].inputs, self.desk.options.max_batch_size
        inputs, in_rows = await asyncio.to_thread(json_tensors.inputs_of, request, specs, most)
        outputs = await self.desk.predict(version, asked, inputs, name)
        return await asyncio.to_thread(json_tensors.write, outputs, in_rows)

    async def _body(self, request):
        """The body of a request, unpacked, of which no more than allowed is read."""
        packed = request.headers.get("content-encoding", "").lower()
        unpacker = zlib.decompressobj(zlib.MAX_WBITS | 16) if packed == "gzip" else None
        declared = request.headers.get("content-length", "")
        if declared.isdigit() and len(declared) < 20 and int(declared) > self.largest:
            raise self._too_large()
        if self.held > AT_ONCE * self.largest:
            raise RequestError(Code.UNAVAILABLE, "Too much is asked at once: try again later.")
        found, seen = bytearray(), 0
        try:
            async with asyncio.timeout(SLOWEST):
                async for chunk in request.stream():
                    seen += len(chunk)
                    if seen <= self.largest:
                        found += unpacker.decompress(chunk, self.largest + 1 - len(found)) if unpacker else chunk
                    if seen > self.largest or len(found) > self.largest:
                        raise self._too_large()
        except zlib.error as error:
            raise invalid(f"The body is not packed by gzip: {error}") from error
        except ClientDisconnect as error:
            raise RequestError(Code.CANCELLED, "The client went away.") from error
        except TimeoutError as error:
            message = f"The body did not come within {SLOWEST:.0f} s."
            raise RequestError(Code.DEADLINE_EXCEEDED, message, 408) from error
        if unpacker and (not unpacker.eof or unpacker.unused_data):
            raise invalid("The body ends elsewhere than what is packed by gzip does.")
        return bytes(found)

    def _too_large(self):
        return RequestError(Code.RESOURCE_EXHAUSTED, f"A request has at most {self.largest:,} bytes.", 413)

    def _metadata(self, name, number, label):
        version = self.desk.version(name, number, label)
        definitions = json_format.MessageToDict(version.definitions, **PRINTED)
        for definition in definitions["signature_def"].values():
            definition.pop("defaults", None)
        spec = {"name": name, "signature_name": "", "version": str(version.number)}
        return json.dumps({"model_spec": spec, "metadata": {"signature_def": definitions}}, indent=1).encode()


async def _while_there(request, asking):
    """An answer; what nobody waits for any more need not be found."""
    answer, gone = asyncio.ensure_future(asking), asyncio.ensure_future(request.receive())
    try:
        await asyncio.wait({answer, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not answer.done():
            raise RequestError(Code.CANCELLED, "The client went away.")
        return await answer
    finally:
        answer.cancel()
        gone.cancel()


def application(desk: Desk, largest: int, cors: bool, lifespan: Lifespan) -> Starlette:
    """The application of the HTTP port.

    Args:
        desk: Where models are asked.
        largest: The most bytes of the body of a request.
        cors: Whether pages of other servers may ask.
        lifespan: What is done before the first and after the last request.
    """

    names = json.dumps([*desk.models]).replace("<", "\\u003c")
    page = (PAGE / "index.html").read_text("utf-8").replace("[]</script>", f"{names}</script>")

    async def look(request):
        return Response(page, media_type="text/html", headers=OWN_ONLY)

    async def metrics(request):
        return Response(generate_latest(desk.counts.registry), media_type=CONTENT_TYPE_LATEST)

    routes = [
        Route("/", look),
        Mount("/page", app=StaticFiles(directory=PAGE)),
        Route("/monitoring/prometheus/metrics", metrics),
    ]
    packing = Middleware(GZipMiddleware, minimum_size=1024, compresslevel=1)
    app = Starlette(routes=routes, middleware=[packing], lifespan=lifespan)
    # By the path as it was sent: what is decoded may have slashes, or line breaks, in names.
    app.router.default, app.router.redirect_slashes = Rest(desk, largest, cors), False
    return app
