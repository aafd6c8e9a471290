"""Export to SavedModel, for TF Serving and for programs that have TensorFlow and nothing else."""

import errno
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from keras_saliency.data import geometry, image_files, showing
from keras_saliency.formulas.types import Size, Unbatched
from keras_saliency.formulas.view import View
from keras_saliency.models import VideoModel, gives_log_density, require_finite
from keras_saliency.models.sizes import known_size, require_shown
from keras_saliency.serving.on_tensorflow import call_on_tensorflow
from keras_saliency.serving.warm_up import write_warm_up
from keras_saliency.writing.files import require_new, whole


def export_saved_model(model: keras.Model, directory: str | Path, size: Size | None = None) -> None:
    """Writes a SavedModel with its preprocessing in the graph, whole or not at all.

    Signatures, each on a batch:

    - `serving_default`: `image_bytes`, the bytes of image files of mixed kinds and sizes, to `saliency`, maps in [0, 1]
      with a peak of one, and `log_density`, both `(batch, height, width, 1)` at the size that the model was made for; a
      model with another head serves `saliency` alone;
    - `pixels`: `pixels`, uint8 RGB images `(batch, height, width, 3)`, to the same;
    - `png`: `image_bytes` to `saliency_png_bytes`, 8-bit grey PNG strings, each at the size of its own image.

    Every map covers the whole of its image and nothing else: pixel (i, j) of a map of the first two is what lies from
    i/height to (i + 1)/height of the height of the image, and from j/width to (j + 1)/width of its width. The
    exponential of a `log_density` sums to one over the map. Images are shown to the model as `predict` shows them,
    of which no pixels per degree are known.
    Files are decoded as everywhere else, by `keras_saliency.data.image_files.decode`, and turned upright; one of more
    than `keras_saliency.data.image_header.MAX_PIXELS` pixels is refused. An empty batch has empty outputs. What is
    loaded also has the function `native`: from the bytes of one file to its map, `(height, width, 1)`, at the size of
    its image, a log-density where the model gives one; and, where its view is in degrees, `native_in_degrees`, which
    takes the pixels of a degree of visual angle, float64, too. With it lie requests, one for each signature, by which
    TensorFlow Serving and `keras-saliency serve` warm it up before it answers.

    Args:
        model: A model that gives saliency maps.
        directory: The folder of this version, such as `served/NAME/1`: TF Serving reads the number as version.
        size: `(height, width)` of a frame in which the model sees all images, and of the maps; by default it sees them
            by its view, or in the frame that it was made for. One of any size, without a view, needs it.

    Raises:
        FileExistsError: If the folder exists and is not empty.
        OSError: If the disk is full.
        ValueError: If the model does not give saliency maps, its weights are not finite, it does not take images of
            the size, or it takes any and none is asked for.
        RuntimeError: On other backends, where Keras on TensorFlow cannot load the model; says why.
    """
    require_finite(model)
    shown = require_shown(model, size)
    directory = Path(directory)
    require_new(directory, "Choose the next version, or delete it.")
    if keras.backend.backend() != "tensorflow":
        gives_log_density(model)
        call_on_tensorflow(model, "export_saved_model", directory=str(directory), size=size)
        return
    served = _Served(model, shown)
    strings = tf.TensorSpec((None,), tf.string, "image_bytes")
    pixels = tf.TensorSpec((None, None, None, 3), tf.uint8, "pixels")
    functions = {
        "serving_default": (served.from_bytes, strings),
        "pixels": (served.from_pixels, pixels),
        "png": (served.to_png, strings),
    }
    # No attributes of what is saved, which would be traced once more.
    signatures = {name: _function(*row).get_concrete_function() for name, row in functions.items()}
    _save(served, directory, signatures, lambda part: write_warm_up(part, _first_requests()))


def _first_requests():
    """A photograph for each signature."""
    pixels = tf.make_tensor_proto(0, tf.uint8, (1, 480, 640, 3))  # one value, which stands for all
    data = tf.make_tensor_proto([tf.io.encode_jpeg(tf.zeros((480, 640, 3), tf.uint8)).numpy()])
    return {"serving_default": {"image_bytes": data}, "pixels": {"pixels": pixels}, "png": {"image_bytes": data}}


def export_video(model: VideoModel, directory: str | Path, size: Size | None = None) -> None:
    """Writes a SavedModel of a model of videos, whose state goes in and out, whole or not at all.

    Signatures, each on a batch of videos:

    - `serving_default`: `frames`, float32 `(batch, time, height, width, channels)` as the model takes them, at the
      start of videos, to `maps`, `(batch, time, h, w, 1)`, and the state after them, a tensor for each of its parts,
      such as `state_hidden`;
    - `next`, where the model has a state: `frames`, and the state after the frames before, to the same.

    Any number of frames may be given at once. What a model with several maps gives besides bears the name of its
    output.

    Args:
        model: A `VideoModel`.
        directory: The folder of this version, such as `served/NAME/1`.
        size: `(height, width)` of the frames; by default that for which the model was made.

    Raises:
        FileExistsError: If the folder exists and is not empty.
        OSError: If the disk is full.
        ValueError: If the weights of the model are not finite, or the size is none.
        RuntimeError: On another backend than TensorFlow.
    """
    if keras.backend.backend() != "tensorflow":
        raise RuntimeError(
            f"Graphs hold no operations of {keras.backend.backend()}: save the model as a .keras file, and export it "
            "in a program with KERAS_BACKEND=tensorflow."
        )
    require_finite(model)
    directory = Path(directory)
    require_new(directory, "Choose the next version, or delete it.")
    *sides, channels = model.frame_shape
    asked: Any = size or sides
    height, width = known_size(asked)
    served = tf.Module()
    served.saved_variables = [variable.value for variable in model.variables]
    names = ["maps", *model.output_names[1:]]

    def call(frames, **state):
        before = {name.removeprefix("state_"): each for name, each in state.items()}
        maps, state = model(frames, before or None, training=False)
        outputs = dict(zip(names, keras.tree.flatten(maps), strict=True))
        return {**outputs, **{f"state_{name}": each for name, each in state.items()}}

    frames = tf.TensorSpec((None, None, height, width, channels), tf.float32, "frames")
    function = tf.function(call, autograph=False)
    signatures = {"serving_default": function.get_concrete_function(frames)}
    state = {
        name: tf.TensorSpec(each.shape, tf.float32, name)
        for name, each in signatures["serving_default"].structured_outputs.items()
        if name.startswith("state_")
    }
    if state:
        signatures["next"] = function.get_concrete_function(frames, **state)
    _save(served, directory, signatures)


def _save(served, directory, signatures, finish=lambda part: None):
    """Saves what is served, and what `finish` adds to the folder, whole or not at all."""
    with whole(directory) as part:
        try:
            tf.saved_model.save(served, str(part), signatures=signatures)
            finish(part)
        except tf.errors.ResourceExhaustedError as error:  # of the disk
            raise OSError(errno.ENOSPC, error.message) from error


def open_saved_model(directory: str | Path) -> Any:
    """Opens what `export_saved_model` wrote, or another SavedModel that serves saliency alike.

    Args:
        directory: The folder of the version.

    Raises:
        ValueError: If there is none.
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
    return loaded


def load_saved_model(directory: str | Path) -> tuple[Callable[..., Unbatched], bool]:
    """Loads what `export_saved_model` wrote; Keras is not asked, so that it works on every backend.

    Args:
        directory: The folder of the version.

    Returns:
        A function from the bytes of an image file, and the pixels of a degree of visual angle in it where they are
        known, to its map `(height, width, 1)`, float32, at the size of the image;
        and whether it is a log-density, or a map without negative values.

    Raises:
        ValueError: If there is no SavedModel that serves saliency maps.
    """
    loaded = open_saved_model(directory)
    log_density = "log_density" in loaded.signatures["serving_default"].structured_outputs
    output = "log_density" if log_density else "saliency"

    def serve(data, pixels_per_degree=None):
        # Through the loaded object: its variables live no longer than it does.
        if pixels_per_degree and hasattr(loaded, "native_in_degrees"):
            return loaded.native_in_degrees(tf.constant(data), tf.constant(pixels_per_degree, tf.float64)).numpy()
        if hasattr(loaded, "native"):
            return loaded.native(tf.constant(data)).numpy()
        # What was exported before maps covered their images has the padding of the letterbox.
        maps = loaded.signatures["serving_default"](image_bytes=tf.constant([data]))[output]
        return geometry.unletterbox(maps[0], tf.shape(image_files.decode(data))[:2], log_density).numpy()

    return serve, log_density


def _function(function, spec):
    """A graph function of Python without loops and branches, which to translate takes longer than to make the graph."""
    return tf.function(function, input_signature=[spec], autograph=False)


def _each(function, batch, spec, **options):
    """What a function makes of each of a batch."""
    plain = tf.autograph.experimental.do_not_convert(function)
    return tf.map_fn(plain, batch, fn_output_signature=spec, **options)


class _Served(tf.Module):
    """The graph functions around a model."""

    def __init__(self, model, shown):
        super().__init__()
        self.shown, self.frame = shown, model.input_shape[1:3] if isinstance(shown, View) else shown
        self.log_density = gives_log_density(model)
        # Traced once, and called by all signatures.
        sides = (None, None) if isinstance(shown, View) else shown
        self.predict = _function(lambda images: model(images, training=False), tf.TensorSpec((None, *sides, 3)))
        self.native = _function(
            lambda image_bytes: self._map(image_files.decode(image_bytes)), tf.TensorSpec((), tf.string, "image_bytes")
        )
        if isinstance(shown, View) and shown.pixels_per_degree:
            self.native_in_degrees = tf.function(
                lambda image_bytes, pixels_per_degree: self._map(
                    image_files.decode(image_bytes), pixels_per_degree=pixels_per_degree
                ),
                input_signature=[tf.TensorSpec((), tf.string), tf.TensorSpec((), tf.float64)],
                autograph=False,
            )
        # What TensorFlow must find to save the weights; it does not look inside Keras models by itself.
        self.saved_variables = [variable.value for variable in model.variables]

    def from_bytes(self, image_bytes):
        return self._fitted(image_bytes, image_files.decode)

    def from_pixels(self, pixels):
        return self._fitted(pixels, lambda image: image)

    def to_png(self, image_bytes):
        def encode(native):
            saliency = geometry.to_saliency(native, self.log_density)
            return tf.io.encode_png(tf.cast(tf.round(255.0 * saliency), tf.uint8))

        return {"saliency_png_bytes": self._each(image_bytes, image_files.decode, encode, tf.TensorSpec((), tf.string))}

    def _fitted(self, batch, image_of):
        """The maps of a batch, all at one size."""
        maps = self._each(batch, image_of, lambda fitted: fitted, tf.TensorSpec((*self.frame, 1)), self.frame)
        outputs = {"saliency": geometry.to_saliency(maps, self.log_density)}
        return {**outputs, "log_density": maps} if self.log_density else outputs

    def _each(self, batch, image_of, finish, spec, to=None):
        """What is made of the map of each image of a batch."""
        if isinstance(self.shown, View):
            return _each(lambda one: finish(self._map(image_of(one), to)), batch, spec)

        def read(one):
            image = image_of(one)
            return showing.show(image, self.shown)[0], tf.shape(image)[:2]

        images, sizes = _each(read, batch, (tf.TensorSpec((*self.shown, 3)), tf.TensorSpec((2,), tf.int32)))
        # On some processors a convolution of an empty batch has the shape of what it is given, so one image is added.
        count = tf.shape(images)[0]
        images = tf.concat([images, tf.zeros((tf.cast(count == 0, tf.int32), *self.shown, 3))], 0)
        maps = self.predict(images)[:count, None]
        return _each(lambda pair: finish(self._put_back(*pair, to)), (maps, sizes), spec)

    def _map(self, image, to=None, pixels_per_degree=None):
        """The map of an image, at its size or another."""
        windows = showing.show(image, self.shown, pixels_per_degree)
        spec = tf.TensorSpec(self.predict.get_concrete_function().structured_outputs.shape[1:])
        # One after the other: of a very long picture there are more than memory holds at once.
        maps = _each(lambda window: self.predict(window[None])[0], windows, spec, parallel_iterations=1)
        return self._put_back(maps, tf.shape(image)[:2], to, pixels_per_degree)

    def _put_back(self, predictions, image_size, to, pixels_per_degree=None):
        return showing.put_back(predictions, image_size, self.shown, self.log_density, pixels_per_degree, to)
