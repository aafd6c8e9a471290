"""One factory for saliency models."""

import fractions
import math
from collections.abc import Sequence
from pathlib import Path

import keras
from keras import layers

from keras_saliency.backbones.channels_last import channels_last
from keras_saliency.backbones.factory import create_backbone
from keras_saliency.backbones.hub import is_of_hub
from keras_saliency.formulas.types import Maps, Plane, Size
from keras_saliency.formulas.view import AREA, View
from keras_saliency.layers.centre_bias import CentreBias
from keras_saliency.layers.grey_values import GreyValues
from keras_saliency.layers.learned_blur import LearnedBlur
from keras_saliency.layers.log_softmax import LogSoftmax
from keras_saliency.layers.match_size import MatchSize
from keras_saliency.layers.min_max import MinMax
from keras_saliency.layers.zoom import Zoom
from keras_saliency.models.architectures import ARCHITECTURES, find_architecture
from keras_saliency.models.dsclrcn import with_context
from keras_saliency.models.saliency_model import SaliencyModel
from keras_saliency.models.shipped import fill_from, is_shipped
from keras_saliency.models.sizes import known_size

FINEST = 14  # pixels, the side of DINOv2's patches: finer steps would give many sizes that hardly differ
SIDE = 448  # pixels, a multiple of every stride that backbones have
COARSEST = 256  # pixels that the sides of what is seen are multiples of at most
SHAPE = (3000, 4000)  # of the pictures for whose size a model with a view is built
HEADS = ("log-density", "density", "published")
FINISH = {
    "relu": lambda **options: layers.Activation("relu", **options),
    "sigmoid": lambda **options: layers.Activation("sigmoid", **options),
    "min-max": MinMax,
    "grey-values": GreyValues,
}


def list_models() -> list[str]:
    """The names that `create_model` knows."""
    return sorted(ARCHITECTURES)


@channels_last()
def create_model(
    name: str = "multilevel",
    *,
    backbone: str | keras.Model | None = None,
    taps: Sequence[str] | None = None,
    normalise: tuple[float, Sequence[float]] | keras.layers.Layer | None = None,
    weights: str | Path | None = "imagenet",
    input_size: Size | None = None,
    area: int | None = None,
    pixels_per_degree: float | None = None,
    head: str | None = None,
    centre_bias: Plane | None = None,
    stride: int | None = None,
    dilated: bool | None = None,
    width: float = 1.0,
    scale: float = 1.0,
) -> SaliencyModel:
    """Builds a saliency model: backbone, decoder, and a head.

    A published name gives the published combination. Any decoder goes on any backbone, and under any head.

    Args:
        name: One of `list_models()`, or `"sam"` for `"sam-vgg"`. `"multilevel"`, our own, merges backbone features of
            several strides by 1x1 and 3x3 convolutions. What each does, its source and what the paper leaves open
            stands in its file in `keras_saliency.models`.
        backbone: One of `keras_saliency.backbones.list_backbones()`, such as `"vgg16"` or `"hub:dinov2_small"`, or a
            functional Keras model of images; by default the published one. See `create_backbone`.
        taps: The names of the layers of the backbone that the decoder reads, fine to coarse; by default as published,
            and for another backbone its own.
        normalise: What is done to RGB in [0, 255] before the backbone: `(scale, offset)` or a Keras layer; by default
            what the backbone was trained with, and nothing for a Keras model.
        weights: Of the backbone: `"imagenet"`, None or a path; see `create_backbone`. Or the name of a model
            that comes with the package, `"general"` or `"fast"`, for the architecture of one of its members: then
            backbone and decoder have its weights.
        input_size: `(height, width)` of a frame in which the model sees every picture, padded where its shape is
            another. By default it sees each at a size that its shape asks for: see `keras_saliency.models.View`.
            Called, the model takes images of any size.
        area: The pixels of a picture as the model sees it, by default 240 * 320; instead of `input_size`.
        pixels_per_degree: How many pixels of what the model sees are a degree of visual angle, instead of an area, for
            pictures of which it is known how many theirs are.
        head: What the model gives for each pixel.
            `"log-density"`: blurred by a learned Gaussian at a quarter of the size, added to a learned weight times the
            log centre bias, interpolated and normalised, so that the exponential sums to one; compile losses and
            metrics with `from_logits=True`.
            `"density"`: the exponential of that.
            `"published"`: what the paper has on top of the score, such as a sigmoid, resized: a map without negative
            values, of any scale.
            By default `"published"`, and `"log-density"` where that is what is published (and for `"multilevel"`).
        centre_bias: A positive density `(height, width)` of any scale and size, by custom that of the training
            fixations; by default a central Gaussian. Not for published maps.
        stride: The backbone is not coarser than that, 8 or 16: later strides are removed; by default as published.
            Backbones of KerasHub keep their strides.
        dilated: Whether the convolutions after a removed stride are dilated, so that pretrained ones see what they have
            learned to see; by default as published (True but for ML-Net).
        width: Multiplies the channels of the decoder's hidden layers; the published ones have 1.
        scale: The size of the map in sizes of the image. Trained as published, SAM gives maps of twice the size and
            ML-Net of an eighth.

    Returns:
        A `SaliencyModel` from RGB images `(batch, height, width, 3)` in [0, 255] to maps `(batch, height, width, 1)`
        in float32, with the submodels `"backbone"` and `"decoder"`. Set
        `trainable = False` on the backbone to train the decoder alone; its batch statistics are frozen with it.

    Raises:
        ValueError: If a name is unknown; lists the known ones. If the size is none, or too small, or there is an area,
            too; if without a size the scale gives maps of whole pixels for few sizes of pictures. If a centre bias is
            given to a head without one. If the backbone has no feature maps; see `create_backbone`.
        ImportError, ConnectionError, FileNotFoundError: If the weights cannot be had; see `create_backbone`.
    """
    row = find_architecture(name)
    shipped = str(weights) if is_shipped(weights) else None
    weights = None if shipped else weights
    if input_size is not None:
        if (area, pixels_per_degree) != (None, None):
            raise ValueError("input_size is a frame for all pictures: leave it away for area or pixels_per_degree.")
        input_size = known_size(input_size, "input_size")
    head = known_head(head, name, row.finish)
    if head == "published" and centre_bias is not None:
        raise ValueError(f'The published head of {name} has no centre bias: pass head="log-density" with centre_bias.')
    combination = dict(row.combination) if backbone in (None, row.backbone) else {}
    taken = {key: combination[key] for key in ("margin", "context", "enlarge") if key in combination}
    combination.pop("enlarge", None)  # which the decoder alone takes
    given = {key: value for key, value in {"taps": taps, "normalise": normalise}.items() if value is not None}
    built_for = input_size or (None, None)
    encoder = _encoder(row, backbone, {**combination, **given}, weights, built_for, stride, dilated)
    view = unit = None
    if input_size is None:
        unit = _unit(stride_of(encoder), scale)
        view = View(AREA if area is None else area, unit, pixels_per_degree)
        input_size = view.of(SHAPE)
    features = [keras.Input(shape[1:]) for shape in encoder.compute_output_shape((None, *input_size, 3))]
    score = keras.tree.flatten(row.decode(features, width, **taken))[0]
    decoder = SaliencyModel(
        features, add_head(score, input_size, head, scale, row.finish, row.resize, unit), name="decoder"
    )
    images = keras.Input((*input_size, 3), name="images")
    x = decoder(encoder(images))
    if scale == 1:
        gives, resize = ("map", row.resize) if head == "published" else (head, "bilinear")
        # For images of another size than the model was made for.
        x = MatchSize(resize, gives, dtype="float32", name="match_images")([x, images])
    model = SaliencyModel(images, x, name=name)
    model.view = view
    if shipped:
        fill_from(model, shipped)
    if centre_bias is not None:
        decoder.get_layer("centre_bias").set_density(centre_bias)
    return model


def known_head(head: str | None, name: str, finish: str | None) -> str:
    """The name of a head, by default that of an architecture.

    Args:
        head: As in `create_model`.
        name: Of the architecture.
        finish: Its row's, None where it has no published head.

    Raises:
        ValueError: If it is unknown; lists the known ones.
    """
    head = head or ("published" if finish else "log-density")
    if head not in HEADS or (head == "published" and not finish):
        known = [item for item in HEADS if item != "published" or finish]
        raise ValueError(f"Unknown head {head!r} of {name}. Known heads: {', '.join(known)}.")
    return head


def stride_of(encoder: keras.Model) -> int:
    """The stride of the coarsest features of a backbone that takes images of any size, in pixels."""
    # Of two sizes, as margins may have been added to both.
    small, large = (encoder.compute_output_shape((None, side, side, 3)) for side in (SIDE, 2 * SIDE))
    # Not of a network that sees every image at one size.
    return max(round(SIDE / (b[1] - a[1])) for a, b in zip(small, large, strict=True) if a[1] != b[1])


def _unit(stride, scale):
    """What the sides of what is seen are multiples of."""
    while stride < FINEST:
        stride *= 2
    # For maps to have whole sides, too.
    unit = math.lcm(stride, fractions.Fraction(scale).limit_denominator(COARSEST).denominator)
    if unit > COARSEST:
        raise ValueError(
            f"scale={scale} gives maps of whole pixels for few sizes of pictures. Give input_size, or a scale like 0.5."
        )
    return unit


def _encoder(row, backbone, combination, weights, input_size, stride, dilated):
    stands_on = backbone or row.backbone
    options = {
        "stride": stride or (None if is_of_hub(stands_on) else row.stride),
        "dilated": row.dilated if dilated is None else dilated,
        **combination,
    }
    context = options.pop("context", None)
    streams = [create_backbone(stands_on, weights, input_size, **options) for _ in range(row.streams)]
    if context:
        return with_context(streams[0], context, input_size)
    if len(streams) == 1:
        return streams[0]
    images = keras.Input((*input_size, 3), name="images")
    features, seen = [], images
    for i, stream in enumerate(streams, 1):
        stream = SaliencyModel(stream.inputs, stream.outputs, name=f"stream{i}")
        features += keras.tree.flatten(stream(seen))
        seen = Zoom((0.5, 0.5), name=f"half{i}")(seen) if i < len(streams) else seen
    return SaliencyModel(images, features, name="backbone")


def add_head(
    score: Maps,
    input_size: Size,
    head: str,
    scale: float = 1.0,
    finish: str | None = None,
    resize: str = "bilinear",
    unit: int | None = None,
) -> Maps:
    """Puts a head on a symbolic score map.

    Args:
        score: The score map.
        input_size: `(height, width)` of the images.
        head: As in `create_model`.
        scale: As in `create_model`.
        finish: What makes the published map of a score.
        resize: How the published map is brought to its size.
        unit: What the sides of images that have no size of their own are multiples of.
    """
    size = [round(side * scale) for side in input_size]
    if head == "published":
        return _zoom(FINISH[str(finish)](dtype="float32", name="finish")(score), size, "saliency", resize)
    # A quarter of the input is fine enough: the blur that follows leaves nothing that it could not carry.
    quarter = [-(-side // 4) for side in size]
    if unit:  # At every size of what is seen, both factors give whole sides.
        quarter = [side // unit * -(-round(unit * scale) // 4) for side in input_size]
    x = _zoom(score, quarter, "quarter")
    x = LearnedBlur(name="learned_blur")(x)
    x = CentreBias(name="centre_bias")(x)
    x = LogSoftmax(name="log_density")(_zoom(x, size, "upsample"))
    return layers.Activation("exponential", dtype="float32", name="density")(x) if head == "density" else x


def _zoom(x, size, name, interpolation="bilinear"):
    factors = [side / before for side, before in zip(size, x.shape[1:3], strict=True)]
    return Zoom(factors, interpolation, dtype="float32", name=name)(x)
