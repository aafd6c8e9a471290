"""What a request may fail with: a status, by gRPC's names, and a sentence."""

import re

import grpc
import tensorflow as tf

Code = grpc.StatusCode
# The status of HTTP for that of gRPC; others are 500.
HTTP = {
    Code.OK: 200,
    Code.CANCELLED: 499,
    Code.INVALID_ARGUMENT: 400,
    Code.DEADLINE_EXCEEDED: 504,
    Code.NOT_FOUND: 404,
    Code.ALREADY_EXISTS: 409,
    Code.PERMISSION_DENIED: 403,
    Code.UNAUTHENTICATED: 401,
    Code.RESOURCE_EXHAUSTED: 429,
    Code.FAILED_PRECONDITION: 400,
    Code.ABORTED: 409,
    Code.OUT_OF_RANGE: 400,
    Code.UNIMPLEMENTED: 501,
    Code.UNAVAILABLE: 503,
}
NUMBERED = {code.value[0]: code for code in Code}
LETTERS = 1024  # of a message
# How lines begin in which TensorFlow says where in a graph something went wrong.
PLACES = ("Detected at node", "Graph execution error", "<stack traces")
# What a signature would have to be for the other two methods, which is that of no saliency model.
OTHERS = {"classify": "classification", "regress": "regression"}


class RequestError(Exception):
    """A request that cannot be answered.

    Attributes:
        code: Its status.
        http: The same over HTTP.
    """

    def __init__(self, code: grpc.StatusCode, message: str, http: int | None = None) -> None:
        super().__init__(message[:LETTERS])
        self.code, self.http = code, http or HTTP.get(code, 500)


def invalid(message: str) -> RequestError:
    """What is wrong with a request."""
    return RequestError(Code.INVALID_ARGUMENT, message)


def no_method(method: str) -> RequestError:
    """What is said to those who ask a model of saliency by a method of `OTHERS`."""
    return invalid(
        f"Expected {OTHERS[method]} signature method_name to be tensorflow/serving/{method}. "
        "Was: tensorflow/serving/predict"
    )


def settled(error: Exception) -> RequestError:
    """The same at the very end: it lets go of what the request held, which else stays until garbage is collected."""
    found = as_request_error(error)
    found.__traceback__ = found.__cause__ = found.__context__ = None
    return found


def as_request_error(error: Exception) -> RequestError:
    """What an exception of a model tells those who ask."""
    if isinstance(error, RequestError):
        return error
    if isinstance(error, tf.errors.OpError):
        return RequestError(NUMBERED.get(error.error_code, Code.INTERNAL), _reason(error.message))
    return RequestError(Code.INTERNAL, f"{type(error).__name__}: {error}")


def _reason(message):
    """What TensorFlow says is wrong, without the place in the graph."""
    before = message.partition("[[{{")[0]
    reasons = [line.strip() for line in before.splitlines() if not line.strip().startswith(PLACES)]
    found = next((line for line in reversed(reasons) if line), message)
    return re.sub(r"^(\(\d+\) [A-Z_]+: )?(assertion failed: )?", "", found)
