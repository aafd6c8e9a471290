"""Export to SavedModel, for TF Serving and for programs that have TensorFlow and nothing else."""

import errno
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from keras_saliency.data import geometry, image_files
from keras_saliency.formulas.types import Maps, Size
from keras_saliency.models import gives_log_density, require_finite
from keras_saliency.models.sizes import require_size
from keras_saliency.writing.files import require_new, whole


def export_saved_model(model: keras.Model, directory: str | Path, size: Size | None = None) -> None:
    """Writes a SavedModel with its preprocessing in the graph, whole or not at all.

    Signatures, each on a batch:

    - `serving_default`: `image_bytes`, the bytes of image files of mixed kinds and sizes, to `saliency`, maps in [0, 1]
      with a peak of one, and `log_density`, both `(batch, height, width, 1)` at the model's size, the image letterboxed
      into it; a model with another head serves `saliency` alone;
    - `pixels`: `pixels`, uint8 RGB images `(batch, height, width, 3)`, to the same;
    - `png`: `image_bytes` to `saliency_png_bytes`, 8-bit grey PNG strings, each at the size of its own image.

    The first two include the padding of the letterbox where the shape of the image is not that of the model; `png`
    cuts it off. Files are decoded as everywhere else, by `keras_saliency.data.image_files.decode`, and turned upright;
    one of more than `keras_saliency.data.image_header.MAX_PIXELS` pixels is refused. An empty batch has empty outputs.

    Args:
        model: A model that gives saliency maps.
        directory: The folder of this version, such as `served/NAME/1`: TF Serving reads the number as version.
        size: `(height, width)` of the images that the model sees; by default what it was made for. One of any size
            needs it, for batches have one.

    Raises:
        FileExistsError: If the folder exists and is not empty.
        OSError: If the disk is full.
        ValueError: If the model does not give saliency maps, its weights are not finite, it does not take images of
            the size, or it takes any and none is asked for.
        RuntimeError: On other backends, where Keras on TensorFlow cannot load the model; says why.
    """
    require_finite(model)
    size = require_size(model, size)
    directory = Path(directory)
    require_new(directory, "Choose the next version, or delete it.")
    if keras.backend.backend() != "tensorflow":
        gives_log_density(model)
        _export_from_tensorflow(model, directory, size)
        return
    served = _Served(model, size)
    strings = tf.TensorSpec((None,), tf.string, "image_bytes")
    pixels = tf.TensorSpec((None, None, None, 3), tf.uint8, "pixels")
    signatures = {
        "serving_default": served.from_bytes.get_concrete_function(strings),
        "pixels": served.from_pixels.get_concrete_function(pixels),
        "png": served.to_png.get_concrete_function(strings),
    }
    with whole(directory) as part:
        try:
            tf.saved_model.save(served, str(part), signatures=signatures)
        except tf.errors.ResourceExhaustedError as error:  # of the disk
            raise OSError(errno.ENOSPC, error.message) from error


def _export_from_tensorflow(model, directory, size):
    """Leaves the export to a process with Keras on TensorFlow: graphs hold no operations of other backends."""
    command = (
        "import sys, keras_saliency as ks; "
        "ks.export_saved_model(ks.load(sys.argv[1]).model, sys.argv[2], [*map(int, sys.argv[3:])])"
    )
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "model.keras"
        model.save(file)
        # Without the GPU, whose memory the backend at work may have taken.
        environment = {**os.environ, "KERAS_BACKEND": "tensorflow", "CUDA_VISIBLE_DEVICES": ""}
        arguments = [sys.executable, "-c", command, file, directory, *map(str, size)]
        done = subprocess.run(arguments, env=environment, capture_output=True, text=True)
    if done.returncode:
        # The last reason that a traceback gives, without the configs that Keras prints after it.
        reasons = re.findall(r"^(?:\w+Error|Exception encountered): (.+?)(?:\. |$)", done.stderr, re.MULTILINE)
        reason = reasons[-1] if reasons else f"it ended with {done.returncode}"
        raise RuntimeError(
            f"{model.name} cannot be exported by Keras on TensorFlow ({reason}). That process imports keras_saliency "
            "alone: where a class is your own, save the model, and export it with KERAS_BACKEND=tensorflow in a "
            "program that imports the class."
        )


def load_saved_model(directory: str | Path) -> tuple[Callable[[list[bytes]], Maps], bool]:
    """Loads what `export_saved_model` wrote; Keras is not asked, so that it works on every backend.

    Args:
        directory: The folder of the version.

    Returns:
        A function from a list of the bytes of image files to maps `(batch, height, width, 1)`, float32, at the model's
        size, the images letterboxed into it; and whether these are log-densities, or maps in [0, 1].

    Raises:
        ValueError: If there is no SavedModel that serves saliency maps.
    """
    try:
        loaded = tf.saved_model.load(str(directory))
    except (OSError, ValueError, tf.errors.OpError) as error:
        raise ValueError(f"{directory} cannot be loaded as a SavedModel: {error}") from error
    signature: Any = getattr(loaded, "signatures", {}).get("serving_default")
    inputs = signature and signature.structured_input_signature[1]
    if not signature or set(inputs) != {"image_bytes"} or "saliency" not in signature.structured_outputs:
        raise ValueError(
            f"{directory} does not serve saliency for image_bytes. Expected what export_saved_model wrote."
        )
    log_density = "log_density" in signature.structured_outputs
    output = "log_density" if log_density else "saliency"

    def serve(files):
        # Through the loaded object: its variables live no longer than it does.
        return loaded.signatures["serving_default"](image_bytes=tf.constant(files))[output].numpy()

    return serve, log_density


class _Served(tf.Module):
    """The graph functions around a model."""

    def __init__(self, model, size):
        super().__init__()
        self.size = size
        self.log_density = gives_log_density(model)
        # Traced once, and called by all signatures.
        image = tf.TensorSpec((None, *self.size, 3))
        self.predict = tf.function(lambda images: model(images, training=False), input_signature=[image])
        # What TensorFlow must find to save the weights; it does not look inside Keras models by itself.
        self.saved_variables = [variable.value for variable in model.variables]

    def _letterboxed(self, images):
        predictions = self.predict(images)
        outputs = {"saliency": geometry.to_saliency(predictions, self.log_density)}
        return {**outputs, "log_density": predictions} if self.log_density else outputs

    @tf.function(autograph=False)
    def from_bytes(self, image_bytes):
        return self._letterboxed(self._read(image_bytes)[0])

    @tf.function(autograph=False)
    def from_pixels(self, pixels):
        spec = tf.TensorSpec((*self.size, 3))
        images = tf.map_fn(lambda image: geometry.letterbox(image, self.size), pixels, fn_output_signature=spec)
        return self._letterboxed(images)

    @tf.function(autograph=False)
    def to_png(self, image_bytes):
        images, sizes = self._read(image_bytes)

        def encode(prediction):
            native = geometry.unletterbox(*prediction, self.log_density)
            saliency = geometry.to_saliency(native, self.log_density)
            return tf.io.encode_png(tf.cast(tf.round(255.0 * saliency), tf.uint8))

        pngs = tf.map_fn(encode, (self.predict(images), sizes), fn_output_signature=tf.string)
        return {"saliency_png_bytes": pngs}

    def _read(self, image_bytes):
        """The letterboxed images of a batch of files, and the sizes of the originals."""

        def read(data):
            image = image_files.decode(data)
            return geometry.letterbox(image, self.size), tf.shape(image)[:2]

        specs = (tf.TensorSpec((*self.size, 3)), tf.TensorSpec((2,), tf.int32))
        return tf.map_fn(read, image_bytes, fn_output_signature=specs)
