"""ACLNet (Wang et al., CVPR 2018; TPAMI 2021): attention of single images, and a ConvLSTM over frames."""

import keras
from keras import layers

from keras_saliency.backbones.factory import create_backbone
from keras_saliency.formulas.types import Features, Maps, Size
from keras_saliency.layers.conv_lstm import ConvLSTM
from keras_saliency.layers.match_size import MatchSize
from keras_saliency.layers.zoom import Zoom
from keras_saliency.models.decoders import convolutions, scaled, score
from keras_saliency.models.factory import add_head, known_head
from keras_saliency.models.saliency_model import SaliencyModel
from keras_saliency.models.video import VideoModel

FINISH, RESIZE = "sigmoid", "nearest"


def aclnet(
    weights: str | None, input_size: Size, head: str | None, width: float, scale: float, sides: bool = False
) -> VideoModel:
    """Multiplies the features of VGG16 by one plus an attention, and goes over the frames with a ConvLSTM.

    VGG16 keeps stride 8: its fourth pool has stride 1, nothing is dilated, and there is no fifth. The ConvLSTM has 256
    channels; 21,982,786 parameters in all, as published. Published maps have half the size of the frame (`scale=0.5`).

    With `sides`, the attention is given, too, as a list with the maps, at half their size as published: what people
    look at in single images. Published is the sum over frames and batch of the loss below, on both, which with the zero
    targets that pass for none is

        model = create_video_model("aclnet", scale=0.5, sides=True)
        loss = lambda: combo("10 kld + 2 cc + nss", convention="sam")
        model.compile("adam", [loss(), loss()])

    but for the sum, in place of which the frames that have a target are averaged. Clips have zeros for the targets of
    the attention, and pictures, as clips of one frame, have zeros for those of the maps; batches of both take turns.
    """
    head = known_head(head, "aclnet", FINISH)
    images = keras.Input((*input_size, 3), name="images")
    backbone = create_backbone("vgg16", weights, input_size, taps=("block5_conv3",), stride=8, dilated=False)
    features = keras.tree.flatten(backbone(images))[0]
    attention = _attention(features, width)
    attended = layers.Add(name="attended")([features, layers.Multiply(name="weighted")([features, attention])])
    encoder = SaliencyModel(images, [attended, attention] if sides else attended, name="encoder")

    hidden = keras.Input((*attended.shape[1:3], scaled(256, width)), name="hidden")
    inputs, maps = [hidden], add_head(score(hidden), input_size, head, scale, FINISH, RESIZE)
    if sides:
        inputs.append(keras.Input(attention.shape[1:], name="attention_of_images"))
        down, right = (scale * side / 2 / small for side, small in zip(input_size, attention.shape[1:3], strict=True))
        side = Zoom((down, right), RESIZE, dtype="float32", name="attention")(inputs[-1])
    if scale == 1:
        inputs.append(images)
        gives, resize = ("map", RESIZE) if head == "published" else (head, "bilinear")
        maps = MatchSize(resize, gives, dtype="float32", name="maps")([maps, images])
    decoder = SaliencyModel(inputs, [maps, side] if sides else maps, name="decoder")
    recurrent = ConvLSTM(scaled(256, width), dropout=0.4, name="conv_lstm")
    return VideoModel(encoder, recurrent, decoder, name="aclnet")


def _attention(features: Features, width: float) -> Maps:
    """From features to one value in [0, 1] for each place, seen at a quarter of their size."""
    x = features
    for i in (1, 2):
        x = layers.MaxPooling2D(2, padding="same", name=f"attention{i}_pool")(x)
        x = convolutions(x, [64], width, kernel=1, names=[f"attention{i}_narrow"])
        x = convolutions(x, [128], width, names=[f"attention{i}_conv"])
    x = layers.Conv2D(1, 1, activation="sigmoid", name="attention")(x)
    return MatchSize(RESIZE, name="attention_upsample")([x, features])
