"""Hostile requests for the gRPC interface, each with what may be answered."""

import contextlib
import socket

import grpc
from fuzzing.serving import Hostile
from tensorflow.core.framework import types_pb2
from tensorflow_serving.apis import predict_pb2

Status = grpc.StatusCode
REFUSED = {
    Status.INVALID_ARGUMENT,
    Status.NOT_FOUND,
    Status.FAILED_PRECONDITION,
    Status.UNIMPLEMENTED,
    Status.RESOURCE_EXHAUSTED,
    Status.INTERNAL,  # gRPC itself, of what is no message
}
PREDICT = "/tensorflow.serving.PredictionService/Predict"
METHODS = ("Predict", "GetModelMetadata", "Classify", "Regress", "MultiInference")
ODD_STRING = (b"", b"\x00", b"\xff" * 9, b"a" * 100_000)
ODD_NUMBER = (0, 1, -1, 7, 255, 2**31 - 1, 2**62)


class OverGrpc(Hostile):
    """Messages for a method of the port; how: the method, None for bytes that are sent as they are."""

    fine = Status.OK

    def good(self) -> tuple[bytes, str]:
        """A request that is answered, and its method."""
        return self._request().SerializeToString(), PREDICT

    def ask(self, raw: bytes, method: str | None) -> tuple[grpc.StatusCode | None, bytes]:
        """The status is None where no answer is."""
        if method is None:
            address = "127.0.0.1", self.port
            with contextlib.suppress(ConnectionError), socket.create_connection(address, timeout=30) as connection:
                connection.sendall(raw)
                connection.shutdown(socket.SHUT_WR)
                while connection.recv(1 << 16):
                    pass
            return None, b""
        with grpc.insecure_channel(f"127.0.0.1:{self.port}") as channel:
            try:
                return Status.OK, channel.unary_unary(method)(raw, timeout=30)
            except grpc.RpcError as error:
                return error.code(), error.details().encode("utf-8", "replace")

    def _request(self, photograph=None, signature="png"):
        request = predict_pb2.PredictRequest()
        request.model_spec.name, request.model_spec.signature_name = self.name, signature
        tensor = request.inputs["image_bytes"]
        tensor.dtype = types_pb2.DT_STRING
        tensor.tensor_shape.dim.add(size=1)
        tensor.string_val.append(self.photograph if photograph is None else photograph)
        return request

    def _a_truncated(self):
        raw = self.good()[0]
        return raw[: self.rng.integers(1, len(raw) - 1)], REFUSED, PREDICT

    def _a_random(self):
        return self.rng.bytes(self.rng.integers(1, 5000)), REFUSED, PREDICT

    def _a_changed(self):
        return self._changed(self.good()[0]), {Status.OK, *REFUSED}, PREDICT

    def _a_photograph(self):
        return self._request(self._changed(self.photograph)).SerializeToString(), {Status.OK, *REFUSED}, PREDICT

    def _a_type(self):
        request = self._request()
        request.inputs["image_bytes"].dtype = int(self.rng.choice([*{*range(30)} - {types_pb2.DT_STRING}]))
        return request.SerializeToString(), REFUSED, PREDICT

    def _a_shape(self):
        request = self._request()
        sides = self.rng.choice(ODD_NUMBER, self.rng.integers(0, 9)).tolist()
        tensor = request.inputs["image_bytes"]
        del tensor.tensor_shape.dim[:]
        for side in sides:
            tensor.tensor_shape.dim.add(size=side)
        tensor.tensor_shape.unknown_rank = bool(self.rng.random() < 0.2)
        # A single string stands for as many as the shape has.
        allowed = {Status.OK, *REFUSED} if sides in ([1], [7]) else REFUSED
        return request.SerializeToString(), allowed, PREDICT

    def _a_content(self):
        request = self._request()
        request.inputs["image_bytes"].tensor_content = self.rng.bytes(self.rng.integers(1, 2000))
        return request.SerializeToString(), {Status.OK, *REFUSED}, PREDICT

    def _a_pixels(self):
        request = self._request(signature="pixels")
        del request.inputs["image_bytes"]
        tensor = request.inputs["pixels"]
        tensor.dtype = types_pb2.DT_UINT8
        for side in self.rng.choice([0, 1, 3, 5, 2**20, 2**40], 4).tolist():
            tensor.tensor_shape.dim.add(size=side)
        tensor.int_val.extend(self.rng.integers(-300, 300, self.rng.integers(0, 99)).tolist())
        return request.SerializeToString(), {Status.OK, *REFUSED}, PREDICT

    def _a_unknown(self):
        request = self._request(signature=f"no{self.rng.integers(99)}")
        if self.rng.random() < 0.5:
            request.model_spec.version.value = int(self.rng.choice(ODD_NUMBER[2:]))
        return request.SerializeToString(), REFUSED, PREDICT

    def _a_name(self):
        request = self._request()
        request.model_spec.name = str(self.rng.choice(["", "..", "../../etc/passwd", "\x00", "n" * 100_000, "large/1"]))
        return request.SerializeToString(), REFUSED, PREDICT

    def _a_output(self):
        request = self._request()
        request.output_filter.extend(["saliency_png"] * int(self.rng.integers(0, 3)) + ["x" * 10_000])
        return request.SerializeToString(), REFUSED, PREDICT

    def _a_string(self):
        odd = ODD_STRING[self.rng.integers(len(ODD_STRING))]
        return self._request(odd).SerializeToString(), REFUSED, PREDICT

    def _a_method(self):
        service = self.rng.choice(["PredictionService", "ModelService", "No", "../x"])
        method = f"/tensorflow.serving.{service}/{self.rng.choice([*METHODS, 'GetModelStatus', 'None'])}"
        return self.rng.bytes(self.rng.integers(1, 200)), REFUSED, method

    def _a_large(self):
        return bytes(80 << 20), REFUSED, PREDICT

    def _a_no_http(self):
        return self.rng.bytes(self.rng.integers(1, 3000)), {None}, None
