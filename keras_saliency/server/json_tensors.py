"""Tensors in the JSON of TensorFlow Serving's REST interface: requests are read, answers written."""

import base64
import binascii
import itertools
import json
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import orjson
import tensorflow as tf

from keras_saliency.server.errors import Code, RequestError, invalid

DEFAULT = "serving_default"
INT32 = (-(2**31), 2**31 - 1)
# What JSON may be where a type is asked for, and from where to where numbers go.
KINDS: dict[tf.DType, tuple[tuple[type, ...], tuple[float, float]]] = {
    tf.float32: ((int, float), (-np.inf, np.inf)),
    tf.float64: ((int, float), (-np.inf, np.inf)),
    tf.int64: ((int,), (-(2**63), 2**63 - 1)),
    tf.int32: ((int,), INT32),
    tf.int16: ((int,), (-(2**15), 2**15 - 1)),
    tf.int8: ((int,), (-(2**7), 2**7 - 1)),
    tf.uint8: ((int,), (0, 2**8 - 1)),
    tf.uint16: ((int,), (0, 2**16 - 1)),
    tf.uint32: ((int,), (0, 2**32 - 1)),
    tf.uint64: ((int,), (0, 2**64 - 1)),
    tf.bool: ((bool,), (0, 1)),
}
TYPES = {str: "String", int: "Number", float: "Number", bool: "Boolean", dict: "Object", list: "Array"}
LETTERS = 256  # of a value in a message
DEEPEST = 32  # lists in each other

Inputs = dict[str, np.ndarray]
Specs = Mapping[str, tf.TensorSpec]


def parse(body: bytes) -> dict[str, Any]:
    """The JSON object that a request begins with; what follows it does not count.

    Raises:
        RequestError: If there is none.
    """
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError:
        found = _parse_leniently(body)
    if not isinstance(found, dict):
        raise invalid("Request is not a JSON object. JSON Value Is not object")
    return found


def _parse_leniently(body):
    """With NaN and Infinity, with bytes that are no UTF-8 in strings, and whatever behind."""
    text = body.decode("utf-8", "surrogateescape").lstrip(" \t\r\n")
    if not text:
        raise invalid("JSON Parse error: The document is empty")
    try:
        return json.JSONDecoder().raw_decode(text)[0]
    except RecursionError as error:
        raise invalid("JSON Parse error: lists or objects lie too deep in each other") from error
    except ValueError as error:
        raise invalid(f"JSON Parse error: {error}") from error


def signature_of(request: Mapping[str, Any]) -> str:
    """The name of the signature that a request asks for.

    Raises:
        RequestError: If it is no string.
    """
    name = request.get("signature_name", DEFAULT)
    if not isinstance(name, str):
        raise invalid("Request 'signature_name' key must be a string value.")
    return name or DEFAULT


def inputs_of(request: Mapping[str, Any], specs: Specs, most: int) -> tuple[Inputs, bool]:
    """The tensors of a request.

    Args:
        request: The JSON object.
        specs: What the signature takes, by name.
        most: Of rows, so that no more are looked at.

    Returns:
        The tensors, and whether they came in rows, `instances`, and not as a whole, `inputs`.

    Raises:
        RequestError: If they are not what the signature takes.
    """
    if ("instances" in request) == ("inputs" in request):
        if "inputs" in request:
            raise invalid(
                "Request JSON object: Not formatted correctly expecting only one of 'inputs' or 'instances' keys to "
                "exist"
            )
        raise invalid("Missing 'inputs' or 'instances' key")
    if "inputs" in request:
        return _columns(request["inputs"], specs, most), False
    return _rows(request["instances"], specs, most), True


def require_few(rows: int, most: int) -> None:
    """Refuses more rows than go through a model at once.

    Raises:
        RequestError: If there are more.
    """
    if rows > most:
        raise invalid(f"Task size {rows} is larger than maximum input batch size {most}")


def _columns(given, specs, most):
    for each in given.values() if isinstance(given, dict) else [given]:
        require_few(len(each) if isinstance(each, list) else 1, most)
    if len(specs) == 1 and (not isinstance(given, dict) or _is_binary(given)):
        return {name: _tensor(given, spec.dtype) for name, spec in specs.items()}
    if not isinstance(given, dict):
        raise invalid("'inputs' of a signature with several inputs must be an object.")
    for name in specs:
        if name not in given:
            raise invalid(f"Missing named input: {name} in 'inputs' object.")
    return {name: _tensor(given[name], spec.dtype) for name, spec in specs.items()}


def _rows(given, specs, most):
    if not isinstance(given, list):
        raise invalid("Excepting 'instances' to be an list/array")
    if not given:
        raise invalid("'instances' list is empty")  # No tensor has no rows and a shape.
    require_few(len(given), most)
    named = [isinstance(each, dict) and not _is_binary(each) for each in given]
    if any(named) != all(named):
        raise invalid("Expecting all of 'instances' to be objects, or all to be values.")
    if not all(named):
        if len(specs) != 1:
            raise invalid(f"Expecting 'instances' to be objects with the keys {', '.join(sorted(specs))}.")
        (only,) = specs
        given = [{only: each} for each in given]
    found: dict[str, list[np.ndarray]] = {name: [] for name in specs}
    for number, each in enumerate(given):
        if set(each) != set(specs):
            raise _in_row(number, None, f"Expecting the keys {', '.join(sorted(specs))}")
        for name, spec in specs.items():
            try:
                tensor = _tensor(each[name], spec.dtype)
            except RequestError as fault:
                raise _in_row(number, name if all(named) else None, str(fault)) from fault
            first = found[name][0] if found[name] else tensor
            if tensor.size != first.size:
                raise _in_row(number, name, f"Expecting tensor size: {first.size} but got: {tensor.size}")
            if tensor.shape != first.shape:
                raise _in_row(number, name, f"Expecting shape {[*first.shape]} but got: {[*tensor.shape]}")
            found[name].append(tensor)
    return {name: np.stack(tensors) for name, tensors in found.items()}


def _in_row(number, key, message):
    place = f"{number} key: {key}" if key else number
    return invalid(f"Failed to process element: {place} of 'instances' list. Error: {message}")


def _tensor(value, dtype):
    """A value, a list of values, or lists of lists, as an array."""
    leaves, shape = _leaves(value)
    if dtype == tf.string:
        array = np.empty(len(leaves), object)
        array[:] = [_bytes(leaf) for leaf in leaves]
        return array.reshape(shape)
    if dtype not in KINDS:
        raise RequestError(Code.UNIMPLEMENTED, f"Tensors of type {dtype.name} cannot be given as JSON")
    types, (low, high) = KINDS[dtype]
    if {*map(type, leaves)} - {*types}:
        raise _unexpected(next(leaf for leaf in leaves if type(leaf) not in types), dtype.name)
    if leaves and dtype.is_integer and not low <= min(leaves) <= max(leaves) <= high:
        raise _unexpected(next(leaf for leaf in leaves if not low <= leaf <= high), dtype.name)
    return np.array(leaves, dtype.as_numpy_dtype).reshape(shape)


def _leaves(value):
    """The values in lists of lists, one after the other, and the shape of these."""
    shape, level = [], [value]
    while level and any(type(each) is list for each in level):
        sizes = {len(each) if type(each) is list else None for each in level}
        if len(sizes) > 1:
            expected = len(level[0]) if type(level[0]) is list else "a value"
            other = next(each for each in level if type(each) is not list or len(each) != expected)
            found = len(other) if type(other) is list else "a value"
            raise invalid(
                f"Encountered list at unexpected size: {found} at level: {len(shape)} expected size: {expected}"
            )
        shape.append(sizes.pop())
        if len(shape) > DEEPEST:
            raise invalid(f"Lists lie more than {DEEPEST} deep in each other")
        level = list(itertools.chain.from_iterable(level))
    return level, shape


def _is_binary(value):
    return isinstance(value, dict) and value.keys() == {"b64"}


def _bytes(value):
    if type(value) is str:
        try:
            return value.encode("utf-8", "surrogateescape")
        except UnicodeEncodeError as error:
            raise invalid(f"A string is no UTF-8: {error.reason}") from error
    if not _is_binary(value) or type(value["b64"]) is not str:
        raise _unexpected(value, "string")
    text = "".join(value["b64"].split()).rstrip("=")
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError) as error:
        raise invalid("Unable to base64 decode") from error


def _unexpected(value, wanted):
    # What lists and objects hold may have no end.
    written = TYPES[type(value)] if isinstance(value, list | dict) else json.dumps(value)[:LETTERS]
    return invalid(f"JSON Value: {written} Type: {TYPES.get(type(value), 'Null')} is not of expected type: {wanted}")


def write(outputs: Mapping[str, np.ndarray], in_rows: bool) -> bytes:
    """The JSON of an answer.

    Args:
        outputs: The tensors, by name.
        in_rows: Whether the request came in rows.

    Raises:
        RequestError: If there is to be a row for each of what has none.
    """
    if not in_rows:
        values = {name: _plain(name, array) for name, array in outputs.items()}
        return _dumps({"outputs": values if len(values) > 1 else next(iter(values.values()))}, outputs.values())
    first = next(iter(outputs.values()))
    for name, array in outputs.items():
        if not array.ndim:
            raise invalid(f"Tensor name: {name} has no shape information")
        if len(array) != len(first):
            raise invalid(f"Tensor name: {name} has inconsistent batch size: {len(array)} expecting: {len(first)}")
    if len(outputs) == 1:
        return _dumps({"predictions": _plain(*next(iter(outputs.items())))}, outputs.values())
    rows = [{name: _plain(name, array[i]) for name, array in outputs.items()} for i in range(len(first))]
    return _dumps({"predictions": rows}, outputs.values())


def _plain(name, array):
    """What a serializer writes: arrays of numbers as they are, strings one by one, those called so as base64."""
    if array.dtype != object:
        return array
    if array.ndim:
        return [_plain(name, each if isinstance(each, np.ndarray) else np.array(each, object)) for each in array]
    value = array.item()
    return {"b64": base64.b64encode(value).decode()} if name.endswith("_bytes") else value.decode("utf-8", "replace")


def _dumps(found: Any, arrays: Iterable[np.ndarray]) -> bytes:
    finite = all(array.dtype.kind != "f" or np.isfinite(array).all() for array in arrays)
    if finite:
        return orjson.dumps(found, _numbers)
    return json.dumps(found, default=np.ndarray.tolist).encode()  # which writes NaN and Infinity


def _numbers(array):
    """An array in JSON. A list around each number takes as long as the number: brackets are faster put in behind."""
    if array.ndim < 2 or array.shape[-1] != 1 or not array.size:
        return orjson.Fragment(orjson.dumps(array, option=orjson.OPT_SERIALIZE_NUMPY))
    bare = orjson.dumps(array.reshape(array.shape[:-1]), option=orjson.OPT_SERIALIZE_NUMPY)
    return orjson.Fragment(b"[" + bare.replace(b",", b"],[") + b"]")
