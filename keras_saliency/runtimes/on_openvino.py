"""OpenVINO."""

from pathlib import Path

from keras_saliency.formulas.types import Maps
from keras_saliency.runtimes.calling import Call, Seen
from keras_saliency.runtimes.frozen import Frozen

# What keeps its precision: all but convolutions and what lies between them.
QUANTIZED = ("Convolution", "GroupConvolution", "Add", "Clamp", "Multiply", "Constant", "Parameter", "Result")


def convert(frozen: Frozen, file: Path) -> None:
    """Makes a network of a frozen one."""
    import openvino

    network = openvino.convert_model(str(frozen.folder))
    openvino.save_model(network, str(file), compress_to_fp16=False)


def quantize(file: Path, made: Path, seen: Seen) -> None:
    """Makes an 8-bit network of another, for inputs such as those seen; the head stays as it is."""
    import nncf
    import openvino

    network = openvino.Core().read_model(str(file))
    kept = sorted({node.get_type_name() for node in network.get_ops()} - {*QUANTIZED})
    small = nncf.quantize(
        network,
        nncf.Dataset(seen),
        subset_size=len(seen),
        preset=nncf.QuantizationPreset.MIXED,
        ignored_scope=nncf.IgnoredScope(types=kept, validate=False),
    )
    openvino.save_model(small, str(made))


def load(file: Path) -> Call:
    """Opens a network."""
    import openvino

    # On some processors it would compute in 16 bit unless told, and log-densities be off by a tenth.
    network = openvino.compile_model(str(file), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})

    def call(batch: Maps) -> Maps:
        return network([batch])[0]

    return call
