"""LiteRT, which was TensorFlow Lite."""

from pathlib import Path

import tensorflow as tf

from keras_saliency.data.machines import usable_cores
from keras_saliency.formulas.types import Maps
from keras_saliency.runtimes.calling import Call, Seen
from keras_saliency.runtimes.frozen import Frozen

# Whose weights and inputs become 8-bit: convolutions, in which nearly all of the time goes; the head stays as it is.
QUANTIZED = ("CONV_2D", "DEPTHWISE_CONV_2D")


def convert(frozen: Frozen, file: Path) -> None:
    """Makes a network of a frozen one."""
    whole = tf.lite.TFLiteConverter.from_saved_model(str(frozen.folder)).convert()
    file.write_bytes(whole)


def quantize(file: Path, made: Path, seen: Seen) -> None:
    """Makes an 8-bit network of another, for inputs such as those seen."""
    from litert_quantizer.qtyping import TFLOperationName
    from litert_quantizer.quantizer import Quantizer

    quantizer = Quantizer(str(file))
    for operation in QUANTIZED:
        quantizer.add_static_config(
            regex=".*", operation_name=TFLOperationName[operation], activation_num_bits=8, weight_num_bits=8
        )
    ranges = quantizer.calibrate({"serving_default": [{"images": batch} for batch in seen]})
    whole = quantizer.quantize(ranges).quantized_model
    made.write_bytes(whole)


def load(file: Path) -> Call:
    """Opens a network."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(file), num_threads=usable_cores())
    (images,), (maps,) = interpreter.get_input_details(), interpreter.get_output_details()
    known = None

    def call(batch: Maps) -> Maps:
        nonlocal known
        if batch.shape != known:
            interpreter.resize_tensor_input(images["index"], batch.shape)
            interpreter.allocate_tensors()
            known = batch.shape
        interpreter.set_tensor(images["index"], batch)
        interpreter.invoke()
        return interpreter.get_tensor(maps["index"])

    return call
