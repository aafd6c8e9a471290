"""EML-NET (Jia & Bruce 2020): one map from each stage of a deep network."""

from collections.abc import Sequence

from keras import layers

from keras_saliency.formulas.types import Features, Maps
from keras_saliency.layers.match_size import MatchSize
from keras_saliency.models.decoders import score


def eml_net(features: Sequence[Features], width: float = 1.0) -> Maps:
    """Reads one map from each feature map, resizes all to the finest by nearest neighbours, and joins them.

    Published on ResNet-50 from conv1 and the four stages: 23,543,231 trainable parameters, as PyTorch counts them;
    Keras counts the running statistics of batch normalisation, too. Layers are named as in the authors' checkpoints,
    with dashes for dots. There is nothing whose `width` could be changed: a stage is read by one channel.
    """
    readouts = []
    for i, feature in enumerate(features):
        x = layers.Conv2D(1, 3, padding="same", name=f"output{i}-0")(feature)
        x = layers.ReLU(name=f"output{i}-2")(_normalise(f"output{i}-1")(x))
        readouts.append(MatchSize("nearest")([x, features[0]]) if i else x)
    x = layers.Concatenate(name="join")(readouts) if len(readouts) > 1 else readouts[0]
    return _normalise("combined-1")(score(x, kernel=3, name="combined-0"))


def _normalise(name):
    return layers.BatchNormalization(momentum=0.9, epsilon=1e-5, dtype="float32", name=name)
