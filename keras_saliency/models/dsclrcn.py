"""DSCLRCN (Liu & Han, TIP 2018): LSTMs along rows and columns, told what scene the image shows."""

from collections.abc import Sequence

import keras
from keras import layers

from keras_saliency.backbones.factory import create_backbone
from keras_saliency.formulas.types import Features, Maps, Size
from keras_saliency.layers.dsclstm import DIRECTIONS, DSCLSTM
from keras_saliency.layers.l2_normalization import L2Normalization
from keras_saliency.models.decoders import convolutions, join, scaled, score
from keras_saliency.models.saliency_model import SaliencyModel

SIDE, SEEN = 256, 227  # pixels of the image as the context sees it: of the whole, and of its centre
UNPADDED = {name: {"padding": "valid"} for name in ("conv1", "pool1", "pool2", "pool5")}


def dsclrcn(features: Sequence[Features], width: float = 1.0, context: str | None = None) -> Maps:
    """Joins features of all depths, each of one length, and goes twice over all rows and all columns.

    Published on ResNet-50 at stride 8, from the fourth and the fifth stage, with AlexNet for the context: 30,302,597
    trainable parameters. AlexNet was trained to tell places, with weights that are in no package: here it starts at
    random. On other backbones the context is the last feature map, averaged over the image.

    Published is the softmax of the score over all positions, a density. It was trained otherwise, as minus the NSS of
    a sigmoid of the score, eight times as large.

    Args:
        features: Symbolic feature maps, fine to coarse; after these those of the context, if it has a network.
        width: Multiplies the 512 channels of the convolutions and the 128 of the context and of the LSTMs.
        context: The name of the network that sees the context, None where there is none.
    """
    local = list(features)
    if context:
        scene = layers.Flatten(name="scene")(local.pop())
    else:
        scene = layers.GlobalAveragePooling2D(name="scene")(local[-1])
    scene = layers.Dense(scaled(128, width), "relu", kernel_initializer="he_normal", name="context")(scene)
    scene = L2Normalization(9.0, name="context_norm")(scene)
    x = join([_narrow(feature, width, f"narrow{i}") for i, feature in enumerate(local, 1)])
    x = _narrow(x, width, "mix")
    for i in (1, 2):
        for direction in DIRECTIONS:
            x = DSCLSTM(scaled(128, width), direction, name=f"{direction}{i}")([x, scene])
    return score(x)


def _narrow(x, width, name):
    return L2Normalization(400.0, name=f"{name}_norm")(convolutions(x, [512], width, kernel=1, names=[name]))


def with_context(backbone: keras.Model, context: str, input_size: Size) -> SaliencyModel:
    """Adds to the features of a backbone those of a network that sees the centre of the image at one size.

    Args:
        backbone: A backbone of images of the size.
        context: The name of the network, `"alexnet"`; its weights are random.
        input_size: As in `create_backbone`.
    """
    images = keras.Input((*input_size, 3), name="images")
    network = create_backbone(context, None, (SEEN, SEEN), ("pool5",), changes=UNPADDED)
    network = SaliencyModel(network.inputs, network.outputs, name="context")
    local = SaliencyModel(backbone.inputs, backbone.outputs, name="local")
    before = (SIDE - SEEN) // 2
    margin = (before, SIDE - SEEN - before)
    # Not keras.layers.Resizing, after which Keras takes all other layers of a call to be in training.
    seen = keras.ops.image.resize(images, (SIDE, SIDE), data_format="channels_last")
    seen = layers.Cropping2D((margin, margin), name="centre")(seen)
    return SaliencyModel(
        images, [*keras.tree.flatten(local(images)), *keras.tree.flatten(network(seen))], name="backbone"
    )
