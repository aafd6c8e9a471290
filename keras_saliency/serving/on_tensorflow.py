"""What Keras on TensorFlow alone can do, for models that are at work on another backend."""

import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import keras

COMMAND = (
    "import json, sys, keras_saliency as ks; told = json.loads(sys.argv[2]); "
    "print(json.dumps(getattr(ks, told['name'])(ks.load(sys.argv[1]).model, **told['arguments'])))"
)


def call_on_tensorflow(model: keras.Model, name: str, **arguments: Any) -> Any:
    """Leaves a call to a process with Keras on TensorFlow: graphs hold no operations of other backends.

    Args:
        model: The first argument.
        name: The function, in `keras_saliency`.
        **arguments: All others, which JSON can hold.

    Returns:
        What the function returns.

    Raises:
        RuntimeError: If it does not, because Keras on TensorFlow cannot load the model, say.
    """
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "model.keras"
        model.save(file)
        # Without the GPU, whose memory the backend at work may have taken.
        environment = {**os.environ, "KERAS_BACKEND": "tensorflow", "CUDA_VISIBLE_DEVICES": ""}
        told = json.dumps({"name": name, "arguments": arguments})
        done = subprocess.run(
            [sys.executable, "-c", COMMAND, file, told], env=environment, capture_output=True, text=True
        )
    if done.returncode:
        # The last reason that a traceback gives, without the configs that Keras prints after it.
        reasons = re.findall(r"^(?:\w+Error|Exception encountered): (.+?)(?:\. |$)", done.stderr, re.MULTILINE)
        reason = reasons[-1] if reasons else f"it ended with {done.returncode}"
        raise RuntimeError(
            f"{model.name} cannot be exported by Keras on TensorFlow ({reason}). That process imports keras_saliency "
            "alone: where a class is your own, save the model, and export it with KERAS_BACKEND=tensorflow in a "
            "program that imports the class."
        )
    return json.loads(done.stdout.splitlines()[-1]) if done.stdout else None
