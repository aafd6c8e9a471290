"""ONNX, run by ONNX Runtime."""

from pathlib import Path

import numpy as np

from keras_saliency.formulas.types import Maps
from keras_saliency.runtimes.calling import Call, Seen
from keras_saliency.runtimes.frozen import Frozen

OPSET = 18


def convert(frozen: Frozen, file: Path) -> None:
    """Makes a network of a frozen one."""
    import tf2onnx

    images, maps = frozen.function.inputs[0].name, frozen.function.outputs[0].name
    tf2onnx.convert.from_graph_def(
        frozen.function.graph.as_graph_def(),
        input_names=[images],
        output_names=[maps],
        opset=OPSET,
        custom_op_handlers={"Log1p": (_log1p, [])},
        tensors_to_rename={images: "images", maps: "maps"},
        output_path=str(file),  # written whole by who calls this
    )


def _log1p(context, node, name, arguments):
    """The logarithm of one more, which ONNX has not; of less than a ten-millionth it gives zero."""
    one = context.make_const(f"{name}_one", np.array(1.0, "float32"))
    more = context.make_node("Add", [node.input[0], one.output[0]])
    context.remove_node(node.name)
    return context.make_node("Log", more.output, name=name, outputs=node.output)


def quantize(file: Path, made: Path, seen: Seen) -> None:
    """Makes an 8-bit network of another, for inputs such as those seen; the head stays as it is."""
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    class Reader(CalibrationDataReader):
        def __init__(self):
            self.batches = iter(seen)

        def get_next(self):
            return next(({"images": batch} for batch in self.batches), None)

    simple = made.with_name("simple.onnx")
    quant_pre_process(str(file), str(simple), skip_symbolic_shape=True)
    quantize_static(
        str(simple),
        str(made),
        Reader(),
        quant_format=QuantFormat.QDQ,
        op_types_to_quantize=["Conv"],
        per_channel=True,
        weight_type=QuantType.QInt8,
        activation_type=QuantType.QUInt8,
    )
    simple.unlink()


def load(file: Path) -> Call:
    """Opens a network."""
    import onnxruntime

    session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])

    def call(batch: Maps) -> Maps:
        return session.run(None, {"images": batch})[0]

    return call
