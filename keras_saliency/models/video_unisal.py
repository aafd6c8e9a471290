"""UNISAL with its recurrent path, for videos (Droste et al., ECCV 2020)."""

import keras
from keras import layers

from keras_saliency.backbones.channels_last import channels_last
from keras_saliency.formulas.types import Size
from keras_saliency.layers.conv_gru import ConvGRU
from keras_saliency.models.decoders import scaled
from keras_saliency.models.factory import create_model
from keras_saliency.models.saliency_model import SaliencyModel
from keras_saliency.models.video import VideoModel, as_video

MIXED = "mix_relu"  # the layer whose features go through the recurrent path: 256 channels at the stride of the backbone


def unisal_video(
    weights: str | None, input_size: Size, head: str | None, width: float, scale: float, recurrent: bool = True
) -> VideoModel:
    """`unisal` and its recurrent path; without that, frame by frame, for single images."""
    static = create_model("unisal", weights=weights, input_size=input_size, head=head, width=width, scale=scale)
    return with_recurrence(static, scaled(256, width)) if recurrent else as_video(static)


@channels_last()
def with_recurrence(model: keras.Model, filters: int = 256) -> VideoModel:
    """Puts UNISAL's recurrent path into a network for images, such as one that was trained on them.

    A ConvGRU of separable 3x3 convolutions, recurrent dropout 0.2, goes over the frames of the coarsest features,
    joined with Gaussian priors and mixed; a 1x1 convolution with batch normalisation, whose scale begins at zero, is
    added to them. So training begins at the network for images, frame by frame. That the path is put behind the
    mixing, that the ConvGRU has no normalisation of its own, and that zero, are ours; one set of statistics serves all
    data.

    Args:
        model: `create_model("unisal")`. Its weights are shared.
        filters: The channels of the state.

    Raises:
        ValueError: If the model is no `unisal`.
    """
    names = [layer.name for layer in getattr(model, "layers", [])]
    decoder = model.get_layer("decoder") if "decoder" in names else None
    if decoder is None or MIXED not in {layer.name for layer in decoder.layers}:
        raise ValueError(f'{model.name} has no place for a recurrent path. Expected a model of create_model("unisal").')
    images = keras.Input(model.input_shape[1:], name="images")
    *skips, coarsest = keras.tree.flatten(model.get_layer("backbone")(images))
    mixed = decoder.get_layer(MIXED).output
    # Once for the recurrent path, and once for what it is added to.
    x = SaliencyModel(decoder.inputs[-1], mixed, name="mix")(coarsest)
    encoder = SaliencyModel(images, [x, x, *skips], name="encoder")
    encoder.view = getattr(model, "view", None)

    hidden = keras.Input((*mixed.shape[1:3], filters), name="hidden")
    residual = layers.Conv2D(mixed.shape[-1], 1, use_bias=False, name="residual")(hidden)
    residual = layers.BatchNormalization(momentum=0.9, gamma_initializer="zeros", name="residual_bn")(residual)
    before, *finer = inputs = [keras.Input(each.shape[1:]) for each in (x, *skips)]
    rest = SaliencyModel([mixed, *decoder.inputs[:-1]], decoder.outputs[0], name="decode")
    x = rest([layers.Add(name="add")([before, residual]), *finer])
    inputs = [hidden, *inputs]
    if "match_images" in names:
        inputs.append(images)
        x = model.get_layer("match_images")([x, images])
    decoder = SaliencyModel(inputs, x, name="decoder")
    recurrent = ConvGRU(filters, recurrent_dropout=0.2, name="conv_gru")
    return VideoModel(encoder, recurrent, decoder, name=f"{model.name}-video")
