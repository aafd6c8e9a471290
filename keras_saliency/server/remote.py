"""The gRPC interface of TensorFlow Serving: PredictionService and ModelService."""

import asyncio
import math

import grpc
import numpy as np
import tensorflow as tf
from google.protobuf.message import DecodeError
from tensorflow.core.framework import types_pb2
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)

from keras_saliency.server.answering import Desk
from keras_saliency.server.errors import Code, RequestError, invalid, no_method, settled
from keras_saliency.server.json_tensors import DEFAULT

METADATA = "signature_def"
# Where a TensorProto has its values, by their type; some clients read nothing else.
FIELDS = {"f4": "float_val", "f8": "double_val", "i4": "int_val", "u1": "int_val", "i8": "int64_val", "b1": "bool_val"}


def _answers(method):
    """A method of a service, whose faults become statuses."""

    async def answer(self, request, context):
        try:
            return await method(self, request)
        except Exception as error:
            said = settled(error)
            del error
            await context.abort(said.code, str(said))

    return answer


def _fill(outputs, arrays):
    for name, array in arrays.items():
        proto = outputs[name]
        proto.dtype = tf.as_dtype(array.dtype).as_datatype_enum if array.dtype != object else types_pb2.DT_STRING
        for side in array.shape:
            proto.tensor_shape.dim.add(size=side)
        getattr(proto, FIELDS.get(array.dtype.str[1:], "string_val")).extend(array.ravel().tolist())


def _asked(spec):
    """The name, the number and the label in a ModelSpec."""
    number = spec.version.value if spec.HasField("version") else None
    return spec.name, number, spec.version_label


class Predictions(prediction_service_pb2_grpc.PredictionServiceServicer):
    """PredictionService.

    Args:
        desk: Where models are asked.
        largest: The most bytes of a tensor.
    """

    def __init__(self, desk: Desk, largest: int) -> None:
        self.desk, self.largest = desk, largest

    @_answers
    async def Predict(self, request):
        name, number, label = _asked(request.model_spec)
        with self.desk.counted("grpc", name):
            version = self.desk.version(name, number, label)
            asked = request.model_spec.signature_name or DEFAULT
            if asked not in version.signatures:
                raise RequestError(Code.FAILED_PRECONDITION, f'Serving signature key "{asked}" not found.')
            signature = version.signatures[asked]
            wanted = self._wanted(signature, asked, request.output_filter)
            inputs = await asyncio.to_thread(self._tensors, signature, request.inputs)
            outputs = await self.desk.predict(version, asked, inputs, name)
            answer = predict_pb2.PredictResponse()
            answer.model_spec.name, answer.model_spec.signature_name = name, asked
            answer.model_spec.version.value = version.number
            await asyncio.to_thread(_fill, answer.outputs, {each: outputs[each] for each in wanted})
            return answer

    def _wanted(self, signature, asked, chosen):
        for each in chosen:
            if each not in signature.outputs:
                known = ",".join(signature.outputs)
                raise invalid(
                    f"output tensor alias not found in signature: {each} Outputs expected to be in the set {{{known}}}."
                )
            if list(chosen).count(each) > 1:
                raise invalid(f"duplicate output tensor alias: {each}")
        return chosen or signature.outputs

    def _tensors(self, signature, given):
        expected, sent = {*signature.inputs}, {*given}
        if expected != sent:
            names = [",".join(sorted(each)) for each in (sent, expected, sent - expected, expected - sent)]
            raise invalid(
                f"input size does not match signature: {len(sent)}!={len(expected)} len({{{names[0]}}}) != "
                f"len({{{names[1]}}}). Sent extra: {{{names[2]}}}. Missing but required: {{{names[3]}}}."
            )
        return {name: self._tensor(name, spec.dtype, given[name]) for name, spec in signature.inputs.items()}

    def _tensor(self, name, dtype, proto):
        if proto.dtype != dtype.as_datatype_enum:
            known = types_pb2.DataType.Name(proto.dtype) if proto.dtype in types_pb2.DataType.values() else proto.dtype
            raise invalid(f"Input {name} is {known}; expected {types_pb2.DataType.Name(dtype.as_datatype_enum)}")
        sides = [side.size for side in proto.tensor_shape.dim]
        # A single value stands for as many as the shape has.
        size = (dtype.size or 8) * math.prod(sides)  # of a string its place
        if proto.tensor_shape.unknown_rank or min(sides, default=0) < 0 or size > self.largest:
            raise invalid(f"Input {name} has the shape {sides}: too large, or unknown")
        try:
            return np.asarray(tf.make_ndarray(proto))
        except Exception as error:  # Whatever the bytes of others lead to.
            raise invalid(f"Input {name} is no tensor: {error}") from error

    @_answers
    async def GetModelMetadata(self, request):
        if not request.HasField("model_spec"):
            raise invalid("Missing ModelSpec")
        if not request.metadata_field:
            raise invalid("GetModelMetadataRequest must specify at least one metadata_field")
        for field in request.metadata_field:
            if field != METADATA:
                raise invalid(f"Metadata field {field} is not supported")
        version = self.desk.version(*_asked(request.model_spec))
        answer = get_model_metadata_pb2.GetModelMetadataResponse()
        answer.model_spec.name, answer.model_spec.version.value = request.model_spec.name, version.number
        answer.metadata[METADATA].Pack(version.definitions)
        return answer

    @_answers
    async def Classify(self, request):
        raise no_method("classify")

    @_answers
    async def Regress(self, request):
        raise no_method("regress")

    @_answers
    async def MultiInference(self, request):
        raise no_method("classify")


class Models(model_service_pb2_grpc.ModelServiceServicer):
    """ModelService."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    @_answers
    async def GetModelStatus(self, request):
        name, number, _ = _asked(request.model_spec)
        return self.desk.status(name, number)

    @_answers
    async def HandleReloadConfigRequest(self, request):
        raise RequestError(Code.UNIMPLEMENTED, "What is served is said by the command: start the server anew.")


class _Parsing(grpc.aio.ServerInterceptor):
    """Refuses what is no message in one line, as gRPC in C++ does; in Python it logs a page of traceback for each."""

    async def intercept_service(self, continuation, handler_call_details):
        handler = await continuation(handler_call_details)
        if handler is None:
            return None

        async def answer(raw, context):
            try:
                request = handler.request_deserializer(raw)
            except DecodeError as error:
                await context.abort(grpc.StatusCode.INTERNAL, str(error))
            return await handler.unary_unary(request, context)

        return grpc.unary_unary_rpc_method_handler(answer, None, handler.response_serializer)


def grpc_server(desk: Desk, largest: int) -> grpc.aio.Server:
    """The server of the gRPC port, which is not yet open.

    Args:
        desk: Where models are asked.
        largest: The most bytes of a request.
    """
    options = [
        ("grpc.max_receive_message_length", largest),
        ("grpc.max_send_message_length", -1),
        ("grpc.so_reuseport", 0),  # Two servers at one port would share its requests out.
    ]
    server = grpc.aio.server(interceptors=[_Parsing()], options=options)
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(Predictions(desk, largest), server)
    model_service_pb2_grpc.add_ModelServiceServicer_to_server(Models(desk), server)
    return server
