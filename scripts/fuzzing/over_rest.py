"""Hostile requests for the REST interface, each with what may be answered."""

import base64
import contextlib
import gzip
import io
import json
import socket

from fuzzing.serving import Hostile
from PIL import Image

REFUSED = {400, 404, 408, 413, 431, 501}  # what the contract has for what cannot be answered
LIES = {*REFUSED, None}  # of what is no HTTP, the connection may be closed without a word
ODD = ("", "null", "true", "[]", "{}", "1e999", "-0", '"', "\u0000", "NaN", '{"instances": []}', '{"instances": [{}]}')


class OverRest(Hostile):
    """Bytes for the port; how: whether nothing more is sent."""

    fine = 200
    bomb = gzip.compress(bytes(100 << 20))

    def good(self) -> tuple[bytes, bool]:
        """A request that is answered, after which the connection stays open."""
        return self._post(self._asked(self.photograph)), False

    def ask(self, raw: bytes, cut: bool) -> tuple[int | None, bytes]:
        """The status is None where no answer is."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=30) as connection:
            found = b""
            with contextlib.suppress(ConnectionError):
                connection.sendall(raw)
                if cut:
                    connection.shutdown(socket.SHUT_WR)
                while chunk := connection.recv(1 << 16):
                    found += chunk
        head, _, body = found.partition(b"\r\n\r\n")
        return (int(head.split()[1]) if head.startswith(b"HTTP/1.") else None), body

    def _asked(self, photograph, **more):
        return json.dumps({"instances": [{"b64": base64.b64encode(photograph).decode()}], **more}).encode()

    def _post(self, body, path=None, *headers, length=None, method="POST"):
        path = path or f"/v1/models/{self.name}:predict"
        length = len(body) if length is None else length
        lines = [f"{method} {path} HTTP/1.1", "Host: here", "Connection: close", f"Content-Length: {length}", *headers]
        return "\r\n".join([*lines, "", ""]).encode("utf-8", "surrogateescape") + body

    def _a_truncated(self):
        body = self._asked(self.photograph)
        return self._post(body[: self.rng.integers(0, len(body) - 1)]), REFUSED, False

    def _a_random(self):
        return self._post(self.rng.bytes(self.rng.integers(0, 5000))), REFUSED, False

    def _a_photograph(self):
        return self._post(self._asked(self._changed(self.photograph))), {200, *REFUSED}, False

    def _a_odd(self):
        return self._post(str(self.rng.choice(ODD)).encode()), REFUSED, False

    def _a_type(self):
        wrong = [1, -1.5, True, None, "text", {"b64": 3}, {"b64": "!"}, {"b64": "AA", "more": 1}, {"pixels": 1}, [[]]]
        wrong = wrong[self.rng.integers(len(wrong))]
        return self._post(json.dumps({"instances": [wrong] * int(self.rng.integers(1, 4))}).encode()), REFUSED, False

    def _a_shape(self):
        pixels = self.rng.integers(0, 256, self.rng.integers(0, 4, self.rng.integers(1, 6))).tolist()
        key = "instances" if self.rng.random() < 0.5 else "inputs"
        return self._post(json.dumps({"signature_name": "pixels", key: pixels}).encode()), REFUSED, False

    def _a_unknown(self):
        if self.rng.random() < 0.5:
            return self._post(self._asked(self.photograph, signature_name=f"no{self.rng.integers(99)}")), REFUSED, False
        rest = self.rng.choice(["/versions/77", "/versions/99999999999999999999", "/labels/none", "/versions/-1", "s"])
        return self._post(self._asked(b""), f"/v1/models/{self.name}{rest}:predict"), REFUSED, False

    def _a_deep(self):
        depth = int(self.rng.integers(50, 200_000))
        opened = str(self.rng.choice(["[", '{"a":', '{"instances":[']))
        return self._post((opened * depth).encode()), REFUSED, False

    def _a_path(self):
        parts = ["..", "%2e%2e", "%2f", "etc", "passwd", "\\", "%00", "v1", "models", "page", self.name, "%", "//", ";"]
        start = str(self.rng.choice(["/", "/v1/models/", "/page/", "/v1/"]))
        path = start + "/".join(self.rng.choice(parts, self.rng.integers(1, 9)))
        return self._post(b"", path, method="GET"), REFUSED | {200, 405}, False

    def _a_pixels(self):
        data = io.BytesIO()
        Image.new("L", (1, 1)).save(data, "PNG")
        large = bytearray(data.getvalue())
        large[16:24] = self.rng.integers(20_000, 2**31 - 1, 2).astype(">u4").tobytes()
        return self._post(self._asked(bytes(large))), REFUSED, False

    def _a_bomb(self):
        return self._post(self.bomb, None, "Content-Encoding: gzip"), REFUSED, False

    def _a_large(self):
        return self._post(self.rng.bytes(1000), None, length=200 << 20), LIES, False

    def _a_no_http(self):
        return self.rng.bytes(self.rng.integers(1, 3000)), LIES, True

    def _a_broken(self):
        raw, _ = self.good()
        return raw[: self.rng.integers(1, len(raw) - 1)], LIES | {200}, True

    def _a_header(self):
        odd = [
            "X: " + "y" * int(self.rng.integers(1, 100_000)),
            "Content-Encoding: gzip",
            "Transfer-Encoding: odd",
            ":",
        ]
        return self._post(self._asked(self.photograph), None, str(self.rng.choice(odd))), LIES | {200}, True
