"""The runtimes, by name."""

import dataclasses
import importlib.util
from collections.abc import Callable
from pathlib import Path

from keras_saliency.runtimes import on_litert, on_onnx, on_openvino
from keras_saliency.runtimes.calling import Call, Seen
from keras_saliency.runtimes.frozen import Frozen


@dataclasses.dataclass(frozen=True)
class Runtime:
    """A runtime.

    Attributes:
        file: The name of its network, which may have others beside it.
        convert: Makes that of a frozen one.
        quantize: Makes an 8-bit network of another, for inputs such as those seen.
        load: Opens one.
        runs_by: The module that runs it.
        made_by: The modules that convert and quantize.
    """

    file: str
    convert: Callable[[Frozen, Path], None]
    quantize: Callable[[Path, Path, Seen], None]
    load: Callable[[Path], Call]
    runs_by: str
    made_by: tuple[str, ...]


RUNTIMES = {
    "litert": Runtime(
        "network.tflite", on_litert.convert, on_litert.quantize, on_litert.load, "ai_edge_litert", ("litert_quantizer",)
    ),
    "onnx": Runtime(
        "network.onnx", on_onnx.convert, on_onnx.quantize, on_onnx.load, "onnxruntime", ("onnx", "tf2onnx")
    ),
    "openvino": Runtime(
        "network.xml", on_openvino.convert, on_openvino.quantize, on_openvino.load, "openvino", ("nncf",)
    ),
}


def require_runtime(name: str, converting: bool = False) -> Runtime:
    """A runtime by its name, all of whose modules are installed.

    Args:
        name: One of `RUNTIMES`.
        converting: Whether networks are to be made, too, and not run alone.

    Raises:
        ValueError: If the name is unknown; lists the known ones.
        ImportError: If a module is missing; says what to install.
    """
    if name not in RUNTIMES:
        raise ValueError(f"Unknown runtime {name!r}. Known runtimes: {', '.join(RUNTIMES)}.")
    runtime = RUNTIMES[name]
    needed = (runtime.runs_by, *(runtime.made_by if converting else ()))
    missing = [module for module in needed if importlib.util.find_spec(module) is None]
    if missing:
        raise ImportError(
            f"{name} needs {', '.join(missing)}: install the extra, pip install 'keras_saliency[{name}]'."
        )
    return runtime
